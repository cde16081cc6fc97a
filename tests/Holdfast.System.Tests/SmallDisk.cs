using System.Diagnostics;

namespace Holdfast.System.Tests;

/// A file system of a few megabytes, mounted while the test runs.
public sealed class SmallDisk : IDisposable
{
    private readonly string path;

    private SmallDisk(string path) => this.path = path;

    /// Null where mounting is not allowed.
    public static SmallDisk? TryMount(string path, int megabytes)
    {
        Directory.CreateDirectory(path);
        return SystemFixture.IsRoot && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "holdfast-test", path) ? new SmallDisk(path) : null;
    }

    public void Dispose() => Run("umount", "-l", path);

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
