namespace Holdfast.Log;

/// <summary>
/// The seam to the disk: every file of a Holdfast format is read and written through it, so that a test can cut the
/// power at any call, tear what was not synced, or fail the n-th operation.
/// </summary>
/// <remarks>
/// Paths are absolute, with '/' between components; they name our own files, whose names we choose. Calls are
/// synchronous system calls and may be made from any thread. What is durable: the content of a file after
/// <see cref="IDiskFile.Sync"/>, a name in a directory after <see cref="SyncDirectory"/> of that directory. Every
/// method throws <see cref="DiskException"/> when the kernel refuses.
/// </remarks>
public interface IDisk
{
    /// <summary>
    /// How the names of files begin that stand in for unnamed ones where the file system has none. A crash may leave
    /// some behind; whoever owns the directory ignores them and removes old ones.
    /// </summary>
    const string StagingPrefix = ".staging-";

    /// <summary>Opens an existing file; null when there is none (a directory is no file).</summary>
    IDiskFile? TryOpen(string path, DiskAccess access);

    /// <summary>
    /// Makes a file that has no name yet, on the file system of <paramref name="directory"/>, which must exist. It
    /// vanishes when it is disposed, or the power fails, before <see cref="TryPublish"/>.
    /// </summary>
    IDiskFile CreateUnnamed(string directory);

    /// <summary>Gives an unnamed file its name, in one step, unless the name is taken.</summary>
    /// <param name="file">From <see cref="CreateUnnamed"/> of the directory that <paramref name="path"/> lies in; not
    /// published before. Sync it first, or the name may come to stand for partial content.</param>
    /// <param name="path">Its name from now on.</param>
    /// <returns>False when something has that name already; the file then stays unnamed.</returns>
    bool TryPublish(IDiskFile file, string path);

    /// <summary>Gives a file another name (a hard link), in one step, unless the name is taken.</summary>
    /// <param name="existing">A name that the file has. A symbolic link is not followed.</param>
    /// <param name="path">Its further name; durable after <see cref="SyncDirectory"/> of its directory.</param>
    /// <returns>False when something has that name already.</returns>
    /// <exception cref="DiskException">
    /// Among others <see cref="DiskException.CrossDevice"/>, <see cref="DiskException.TooManyLinks"/>,
    /// <see cref="DiskException.NotPermitted"/> and <see cref="DiskException.NotSupported"/>: no link can be made here
    /// (<see cref="DiskException.IsLinkRefused"/>), but a copy can.
    /// </exception>
    bool TryLink(string existing, string path);

    /// <summary>
    /// Makes a file share the whole content of another, block by block, until one of the two is written to.
    /// </summary>
    /// <param name="source">Open for reading at least.</param>
    /// <param name="target">Open for writing, and empty: what it has beyond the source's length would stay.</param>
    /// <returns>False, and nothing has changed, when the file system cannot or the two lie on different ones.</returns>
    /// <remarks>Durable like a write: after <see cref="IDiskFile.Sync"/> of <paramref name="target"/>.</remarks>
    bool TryClone(IDiskFile source, IDiskFile target);

    /// <summary>
    /// Renames a file, replacing a file that has the new name, or a directory, replacing an empty one; in one step.
    /// </summary>
    /// <remarks>Durable when both directories are synced; until then what was renamed has the old name or the new one,
    /// a file possibly both.</remarks>
    void Rename(string from, string to);

    /// <summary>Gives two things each other's name, in one step: at every instant both names name one of them.</summary>
    /// <returns>False, and nothing has changed, where the file system cannot, or one lies inside the other.</returns>
    /// <remarks>Durable when the directories of both are synced; until then neither has moved, or both have.</remarks>
    bool TryExchange(string first, string second);

    /// <summary>Removes a file's name; false when there is none (a directory is no file).</summary>
    bool TryDelete(string path);

    /// <summary>Makes a directory; false when something has that name. Its parent must exist.</summary>
    bool TryCreateDirectory(string path);

    /// <summary>Removes an empty directory; false when it is absent, not empty or a file.</summary>
    bool TryDeleteDirectory(string path);

    /// <summary>Makes the names in a directory durable as they are now.</summary>
    void SyncDirectory(string path);

    /// <summary>What is in a directory, in no particular order; null when there is no such directory.</summary>
    IReadOnlyList<DiskEntry>? TryList(string path);

    /// <summary>What a path names; null when there is nothing.</summary>
    DiskStat? TryStat(string path);

    /// <summary>How many bytes the file system that a path lies on still takes; the answer of a moment.</summary>
    /// <param name="path">Something that exists.</param>
    long FreeBytes(string path);

    /// <summary>
    /// Takes the exclusive lock of a file, which is made if it is missing, unless somebody has it: another process or
    /// this one. The kernel frees it when the process ends, however it ends.
    /// </summary>
    /// <param name="path">The lock's file. It is never removed, so that all who lock it lock the same one.</param>
    /// <param name="note">
    /// Who locks it, in a line that means something to a user: it becomes the file's text (UTF-8). On a full disk the
    /// lock is taken without it.
    /// </param>
    /// <param name="holder">
    /// When somebody else has the lock: the first KiB of the file's text, without white space around it; empty when
    /// the holder is only just writing it. Otherwise empty.
    /// </param>
    /// <returns>The lock; null when somebody has it.</returns>
    IDiskLock? TryLock(string path, string note, out string holder);
}

/// <summary>How a file is opened.</summary>
public enum DiskAccess
{
    /// <summary>For reading only.</summary>
    Read,

    /// <summary>For reading and writing.</summary>
    ReadWrite,
}

/// <summary>A name in a directory.</summary>
/// <param name="Name">The name, without its directory.</param>
/// <param name="IsDirectory">Whether it names a directory.</param>
public readonly record struct DiskEntry(string Name, bool IsDirectory);

/// <summary>What a path names.</summary>
/// <param name="Length">Length in bytes; of a directory undefined.</param>
/// <param name="Modified">When its content last changed, by the file system's clock.</param>
/// <param name="IsDirectory">Whether it is a directory.</param>
/// <param name="LinkCount">How many names the file has; of a directory undefined.</param>
/// <param name="DeviceId">The same for all that lies on one file system, for as long as it is mounted.</param>
public readonly record struct DiskStat(
    long Length, DateTimeOffset Modified, bool IsDirectory, uint LinkCount, ulong DeviceId);
