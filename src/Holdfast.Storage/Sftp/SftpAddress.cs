using Holdfast.Log;
using Holdfast.Storage.Remote;

namespace Holdfast.Storage.Sftp;

/// <summary>A directory of another machine, and how ssh gets there (docs/operations/stores.md, "SFTP").</summary>
internal sealed record SftpAddress
{
    private const string Form = "sftp://USER@HOST:PORT/PATH, of which USER@ and :PORT may be left out; /~/PATH begins at the user's home";
    private const int MaxSeconds = 3600;

    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    private static readonly string[] Known = ["key", "known-hosts", "config", "timeout"];

    /// <summary>As the user wrote it.</summary>
    public required string Text { get; init; }

    /// <summary>A name, an address, or what ssh's configuration calls the machine.</summary>
    public required string Host { get; init; }

    /// <summary>Null: as ssh's configuration says.</summary>
    public string? User { get; init; }

    /// <summary>Null: as ssh's configuration says.</summary>
    public int? Port { get; init; }

    /// <summary>The directory on the server: absolute, or relative to where the server lets the user begin.</summary>
    public required string Root { get; init; }

    /// <summary>File of the private key; null: as ssh's configuration says.</summary>
    public string? KeyFile { get; init; }

    /// <summary>File of the keys of known servers; null: as ssh's configuration says.</summary>
    public string? KnownHostsFile { get; init; }

    /// <summary>Configuration of ssh instead of the user's and the machine's; null for these.</summary>
    public string? ConfigurationFile { get; init; }

    /// <summary>So long without any answer makes the server a hanging one.</summary>
    public TimeSpan Timeout { get; init; }

    /// <exception cref="HoldfastException">Kind Usage: it is no such address.</exception>
    public static SftpAddress Parse(StoreAddress address)
    {
        StoreUrl url = StoreUrl.Parse(address, Form, Known);
        if (url.Host.Length == 0) throw url.Wrong("the host is missing");
        return new SftpAddress
        {
            Text = address.Text,
            Host = url.Host,
            User = url.User.Length == 0 ? null : url.User,
            Port = url.Port,
            Root = ReadRoot(url),
            KeyFile = url.File("key"),
            KnownHostsFile = url.File("known-hosts"),
            // What ssh calls no file at all.
            ConfigurationFile = url.Value("config") == "none" ? "none" : url.File("config"),
            Timeout = url.Span("timeout", 's', TimeSpan.FromSeconds(1), MaxSeconds) switch
            {
                null => DefaultTimeout,
                { Ticks: 0 } => throw url.Wrong("timeout=0: at least one second expected"),
                var given => given.Value,
            },
        };
    }

    private static string ReadRoot(StoreUrl url)
    {
        string path = url.Path.StartsWith("/~/", StringComparison.Ordinal) ? url.Path[3..].Trim('/') : url.Path.TrimEnd('/');
        if (path.Length > 0) return path;
        throw url.Path.Length == 0
            ? url.Wrong("the path is missing")
            : url.Wrong($"'{url.Path}' is no place for a store", "name a directory in it");
    }
}
