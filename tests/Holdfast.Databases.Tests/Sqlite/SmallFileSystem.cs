using System.Diagnostics;
using System.Globalization;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>A file system in memory of a given size, mounted for a test.</summary>
internal sealed class SmallFileSystem : IDisposable
{
    public SmallFileSystem(int bytes)
    {
        Path = Directory.CreateTempSubdirectory("holdfast-small-").FullName;
        Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={bytes}"), "tmpfs", Path);
    }

    public static bool CanBeMounted { get; } = Environment.IsPrivilegedProcess && File.Exists("/bin/mount");

    public string Path { get; }

    public void MakeReadOnly() => Run("mount", "-o", "remount,ro", Path);

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}");
    }
}
