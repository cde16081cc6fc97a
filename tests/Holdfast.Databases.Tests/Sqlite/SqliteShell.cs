using System.Collections.Concurrent;
using System.Diagnostics;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>The sqlite3 shell in a process of its own: another program that has the database open.</summary>
internal sealed class SqliteShell : IDisposable
{
    private const string EndMark = "--end--";

    private readonly Process process;
    private readonly ConcurrentQueue<string> errors = new();

    public SqliteShell(string database, params string[] statements)
    {
        // Line by line, also into a pipe; and it ends at the first error, so that no half transaction goes on.
        var start = new ProcessStartInfo("stdbuf", ["-oL", "sqlite3", "-batch", "-bail", database])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        process = Process.Start(start)!;
        Output = process.StandardOutput;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null) errors.Enqueue(line.Data);
        };
        process.BeginErrorReadLine();
        Send(".timeout 60000");
        foreach (string statement in statements) _ = Run(statement);
    }

    public int ProcessId => process.Id;

    /// <summary>What it prints; can be read to its end also after the process is disposed of.</summary>
    public StreamReader Output { get; }

    /// <summary>Runs statements in a new shell that ends.</summary>
    public static string Once(string database, string statements)
    {
        using var shell = new SqliteShell(database);
        return shell.Run(statements);
    }

    /// <summary>Runs statements and takes what they print.</summary>
    public string Run(string statements)
    {
        Send(statements);
        Send($".print {EndMark}");
        var lines = new List<string>();
        while (Output.ReadLine() is { } line)
        {
            if (line == EndMark) return string.Join('\n', lines);
            lines.Add(line);
        }

        process.WaitForExit();
        throw new InvalidOperationException($"sqlite3: {string.Join('\n', errors)}");
    }

    /// <summary>Sends statements without waiting for them.</summary>
    public void Send(string statements)
    {
        process.StandardInput.WriteLine(statements);
        process.StandardInput.Flush();
    }

    /// <summary>Ends it as the kernel does when memory is short.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended.
        }

        if (!process.WaitForExit(30_000)) Kill();
        process.Dispose();
    }
}
