using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Vaults;

/// <summary>Where vaults and restored trees lie: for root a new file system each time, in a file.</summary>
/// <remarks>
/// Creating files where many were deleted is several times slower than on a new ext4; whoever comes second would pay
/// for it. For others than root it is a directory, emptied.
/// </remarks>
internal sealed class ScratchDisk(string scratch, ChildProcess processes, long bytes = ScratchDisk.DiskBytes) : IDisposable
{
    /// As much as backups and restores write: four copies of the largest corpus and three vaults of it.
    public const long DiskBytes = 24L << 30;

    private readonly string image = Path.Combine(scratch, "disk.img");

    public static bool IsFileSystem => Environment.IsPrivilegedProcess;

    public string Root { get; } = Path.Combine(scratch, "disk");

    /// An empty place; what was there is gone.
    public void Renew()
    {
        Clear();
        Directory.CreateDirectory(Root);
        if (!IsFileSystem) return;
        using (var file = new FileStream(image, FileMode.OpenOrCreate)) file.SetLength(bytes);
        // Without a discard the blocks stay with the image, and no round has to find new ones.
        processes.Run(new Command(["mkfs.ext4", "-q", "-F", "-N", "1200000", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", image]));
        processes.Run(new Command(["mount", "-o", "loop", image, Root]));
    }

    /// What was written so far is on the disk, so that nobody pays for another's writes.
    public void Settle() => processes.Run(new Command(["sync", "-f", Root, scratch]));

    public void Dispose()
    {
        Clear();
        File.Delete(image);
    }

    private void Clear()
    {
        if (IsMounted()) processes.Run(new Command(["umount", Root]) { CleansUp = true });
        if (Directory.Exists(Root)) processes.Run(new Command(["rm", "-rf", "--one-file-system", Root]) { CleansUp = true });
    }

    private bool IsMounted() => File.ReadLines("/proc/self/mounts").Any(line => line.Split(' ')[1] == Root);
}
