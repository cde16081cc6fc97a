using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Holdfast.Storage.Sftp;

/// <summary>The system's ssh with the subsystem sftp at its other end, as a process of its own.</summary>
/// <remarks>It ends by itself when this program does: its standard input ends then.</remarks>
internal sealed class SshProcess : IDisposable
{
    private const int MaxMessageLines = 20;

    private readonly Process process;
    private readonly Lock gate = new();
    private readonly Queue<string> messages = new();
    private readonly Thread listener;

    private SshProcess(Process process)
    {
        this.process = process;
        listener = new Thread(KeepMessages) { IsBackground = true, Name = "ssh messages" };
        listener.Start();
    }

    /// <summary>To the server.</summary>
    public Stream Input => process.StandardInput.BaseStream;

    /// <summary>From the server.</summary>
    public Stream Output => process.StandardOutput.BaseStream;

    /// <exception cref="Win32Exception">There is no such program.</exception>
    public static SshProcess Start(SftpAddress address)
    {
        // In a session of its own: Ctrl-C on the terminal is for this program, which then ends its work in order and needs the line.
        var start = new ProcessStartInfo("setsid")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("ssh");
        foreach (string argument in Arguments(address)) start.ArgumentList.Add(argument);
        // ssh may be set up to pass variables on, and a password may stand in one of ours.
        foreach (string name in start.Environment.Keys.Where(static name => name.StartsWith("HOLDFAST_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        return new SshProcess(Process.Start(start)!);
    }

    /// <summary>Waits until it ended, ends it when that takes too long, and tells what it said on its standard error, the last lines.</summary>
    public IReadOnlyList<string> EndAndReadMessages(TimeSpan patience)
    {
        // Its standard output has ended: so will it, with what it has to say. A process that it left behind may hold the line open.
        if (!process.WaitForExit(patience)) Kill();
        listener.Join(patience);
        lock (gate) return [.. messages];
    }

    public void Kill()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }

    public void Dispose()
    {
        Kill();
        process.Dispose();
    }

    private static IEnumerable<string> Arguments(SftpAddress address)
    {
        if (address.ConfigurationFile is { } configuration) yield return $"-F{configuration}";
        foreach (string option in (string[])["BatchMode=yes", "ServerAliveInterval=15", "ServerAliveCountMax=4", "ClearAllForwardings=yes", "RequestTTY=no"])
        {
            yield return $"-o{option}";
        }

        yield return string.Create(CultureInfo.InvariantCulture, $"-oConnectTimeout={Math.Max(1, (int)address.Timeout.TotalSeconds / 4)}");
        if (address.KeyFile is { } key)
        {
            yield return $"-oIdentityFile={Quoted(key)}";
            yield return "-oIdentitiesOnly=yes";
        }

        if (address.KnownHostsFile is { } hosts)
        {
            yield return $"-oUserKnownHostsFile={Quoted(hosts)}";
            yield return "-oStrictHostKeyChecking=yes";
        }

        if (address.Port is { } port) yield return string.Create(CultureInfo.InvariantCulture, $"-p{port}");
        if (address.User is { } user) yield return $"-l{user}";
        yield return "-s";
        yield return "--";
        yield return address.Host;
        yield return "sftp";
    }

    // ssh_config(5): words with spaces stand in quotes, and a percent sign begins a token.
    private static string Quoted(string file) => $"\"{file.Replace("%", "%%", StringComparison.Ordinal)}\"";

    private void KeepMessages()
    {
        try
        {
            while (process.StandardError.ReadLine() is { } line)
            {
                if (string.IsNullOrWhiteSpace(line)) continue;
                lock (gate)
                {
                    if (messages.Count == MaxMessageLines) messages.Dequeue();
                    messages.Enqueue(line.Trim());
                }
            }
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException)
        {
            // Disposed.
        }
    }
}
