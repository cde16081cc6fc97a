using System.Text;
using Holdfast.Log;
using Holdfast.Storage.Remote;

namespace Holdfast.Storage.S3;

/// <summary>Where objects lie on S3, and how it is spoken to (docs/operations/stores.md, "S3").</summary>
internal sealed record S3Address
{
    private const string Form = "s3://BUCKET/PREFIX, s3://BUCKET/PREFIX?endpoint=https://HOST:PORT";

    // A key is at most 1,024 bytes, and a name below the prefix 200.
    private const int MaxPrefixBytes = 800;
    private const int MaxDays = 36500;
    private const int MaxSeconds = 3600;

    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    private static readonly string[] Known =
        ["endpoint", "region", "style", "ca", "profile", "retain", "retain-mode", "staleness", "timeout"];

    /// <summary>As the user wrote it.</summary>
    public required string Text { get; init; }

    public required string Bucket { get; init; }

    /// <summary>Empty, or ends with '/'.</summary>
    public required string Prefix { get; init; }

    /// <summary>Null for Amazon's own.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Null: as the environment says.</summary>
    public string? Region { get; init; }

    /// <summary>Whether the bucket stands in the path, not in the host's name.</summary>
    public bool PathStyle { get; init; }

    /// <summary>PEM file of the authorities to trust; null for the machine's.</summary>
    public string? AuthoritiesFile { get; init; }

    /// <summary>Profile of the shared credentials file; null: as the environment says.</summary>
    public string? Profile { get; init; }

    /// <summary>How long each object is locked from when it is stored; null when it is not.</summary>
    public TimeSpan? Retain { get; init; }

    /// <summary>Whether those with a special permission may lift the lock.</summary>
    public bool RetainIsGovernance { get; init; }

    public TimeSpan Staleness { get; init; }

    /// <summary>So long without any progress makes a request a hanging one.</summary>
    public TimeSpan Timeout { get; init; }

    /// <exception cref="HoldfastException">Kind Usage: it is no such address.</exception>
    public static S3Address Parse(StoreAddress address)
    {
        StoreUrl url = StoreUrl.Parse(address, Form, Known);
        if (url.Host.Length == 0) throw url.Wrong("the bucket is missing");
        if (url.User.Length > 0 || url.Port is not null) throw url.Wrong("a bucket has no user and no port", $"write {Form}");
        if (!url.Host.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')) throw url.Wrong($"'{url.Host}' is no name of a bucket");
        Uri? endpoint = ReadEndpoint(url);
        bool governance = url.Word("retain-mode", "compliance", "governance") == "governance";
        TimeSpan? retain = url.Span("retain", 'd', TimeSpan.FromDays(1), MaxDays);
        if (url.Value("retain-mode") is not null && retain is null) throw url.Wrong("retain-mode has no meaning without retain");
        return new S3Address
        {
            Text = address.Text,
            Bucket = url.Host,
            Prefix = ReadPrefix(url),
            Endpoint = endpoint,
            Region = url.Value("region"),
            PathStyle = endpoint is null ? url.Word("style", "host", "path") == "path" : url.Word("style", "path", "host") == "path",
            AuthoritiesFile = url.File("ca"),
            Profile = url.Value("profile"),
            Retain = retain > TimeSpan.Zero ? retain : null,
            RetainIsGovernance = governance,
            Staleness = url.Span("staleness", 's', TimeSpan.FromSeconds(1), MaxSeconds) ?? TimeSpan.Zero,
            Timeout = url.Span("timeout", 's', TimeSpan.FromSeconds(1), MaxSeconds) switch
            {
                null => DefaultTimeout,
                { Ticks: 0 } => throw url.Wrong("timeout=0: at least one second expected"),
                var given => given.Value,
            },
        };
    }

    private static Uri? ReadEndpoint(StoreUrl url)
    {
        if (url.Value("endpoint") is not { } text) return null;
        bool isOne = Uri.TryCreate(text, UriKind.Absolute, out Uri? endpoint)
            && endpoint.Scheme is "http" or "https" && endpoint.UserInfo.Length == 0 && endpoint.Query.Length == 0;
        return isOne ? endpoint : throw url.Wrong("endpoint: http://HOST:PORT or https://HOST:PORT expected");
    }

    private static string ReadPrefix(StoreUrl url)
    {
        string prefix = url.Path.Trim('/');
        if (prefix.Length == 0) return "";
        foreach (string part in prefix.Split('/'))
        {
            if (part is "" or "." or "..") throw url.Wrong($"the prefix holds '{part}' between two '/'", "name each part");
        }

        int bytes = Encoding.UTF8.GetByteCount(prefix);
        if (bytes > MaxPrefixBytes) throw url.Wrong($"the prefix has {bytes} bytes, at most {MaxPrefixBytes} allowed");
        return prefix + "/";
    }
}
