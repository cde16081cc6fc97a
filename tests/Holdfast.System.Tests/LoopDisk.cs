using System.Diagnostics;
using System.Globalization;

namespace Holdfast.System.Tests;

/// An ext4 in a file, mounted through a loop device while the test runs. Its disk can fail, and be well again.
public sealed class LoopDisk : IDisposable
{
    /// Tests that use loop devices run one after the other: finding a free one and taking it are two steps.
    public const string Collection = "loop devices";

    private readonly string path;
    private readonly string image;
    private readonly int megabytes;
    private readonly string device;

    private LoopDisk(string path, string image, int megabytes, string device)
    {
        this.path = path;
        this.image = image;
        this.megabytes = megabytes;
        this.device = device;
    }

    /// Null where there are no loop devices, or mounting is not allowed.
    public static LoopDisk? TryMount(string path, int megabytes)
    {
        if (!SystemFixture.IsRoot || !File.Exists("/sbin/mkfs.ext4")) return null;
        string image = path + ".image";
        Directory.CreateDirectory(path);
        using (FileStream file = File.Create(image)) file.SetLength((long)megabytes << 20);
        // One block group and no journal: what is written first lies first, so that a test knows what fails.
        if (TryRun("mkfs.ext4", "-q", "-b", "4096", "-m", "0", "-O", "^has_journal", image) is null) return null;
        if (TryRun("losetup", "--find", "--show", image) is not { } device) return null;
        var disk = new LoopDisk(path, image, megabytes, device.Trim());
        if (TryRun("mount", disk.device, path) is not null) return disk;
        Run("losetup", "--detach", disk.device);
        return null;
    }

    /// From now on reads and writes behind so many megabytes fail with EIO, but for what is cached; what lies there is lost.
    public void FailBehind(int firstMegabytes) => Resize(firstMegabytes);

    /// Makes the disk whole again; what lay where it failed reads as zeros.
    public void Heal() => Resize(megabytes);

    public void MakeReadOnly() => Run("mount", "-o", "remount,ro", path);

    public void MakeWritable() => Run("mount", "-o", "remount,rw", path);

    /// Forgets what is cached: what is read next comes from the disk.
    public void Remount()
    {
        Run("umount", path);
        Run("mount", device, path);
    }

    public void Dispose()
    {
        TryRun("umount", "-l", path);
        TryRun("losetup", "--detach", device);
        File.Delete(image);
    }

    private void Resize(int toMegabytes)
    {
        using (FileStream file = File.OpenWrite(image)) file.SetLength((long)toMegabytes << 20);
        Run("losetup", "--set-capacity", device);
    }

    private static void Run(string program, params string[] arguments) => Assert.True(
        TryRun(program, arguments) is not null, string.Create(CultureInfo.InvariantCulture, $"{program} {string.Join(' ', arguments)} failed"));

    /// What it writes to its standard output; null when it fails.
    private static string? TryRun(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : null;
    }
}
