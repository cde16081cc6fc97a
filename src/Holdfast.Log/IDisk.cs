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

    /// <summary>Renames a file, replacing a file that has the new name, in one step.</summary>
    void Rename(string from, string to);

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
public readonly record struct DiskStat(long Length, DateTimeOffset Modified, bool IsDirectory);

/// <summary>An open file. Reads and writes are positional and may be made from several threads at once.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>Reads until <paramref name="target"/> is full or the file ends.</summary>
    /// <returns>Bytes read; fewer than asked only at the end of the file.</returns>
    int Read(long offset, Span<byte> target);

    /// <summary>Writes all of <paramref name="source"/>. Durable only after <see cref="Sync"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>Cuts or extends the file.</summary>
    void SetLength(long length);

    /// <summary>Makes content and length durable (fdatasync). Once it has failed, every later call fails too.</summary>
    void Sync();
}
