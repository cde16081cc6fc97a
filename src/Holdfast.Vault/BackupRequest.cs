using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Storage;

namespace Holdfast.Vault;

/// <summary>One root of a source.</summary>
/// <param name="Path">Its absolute path, as the point will name it.</param>
/// <param name="Tree">The directory itself, or the directory that holds it.</param>
/// <param name="Only">Its name in <paramref name="Tree"/>'s root where it is no directory; empty otherwise.</param>
public sealed record BackupRoot(ReadOnlyMemory<byte> Path, IFileTree Tree, ReadOnlyMemory<byte> Only);

/// <summary>A directory that holds a file of this name, that begins with these bytes, is left out but for that file.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Header">What it begins with; empty for anything.</param>
public sealed record ExclusionMark(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Header);

/// <summary>A directory, whatever path leads to it.</summary>
/// <param name="Device">Its file system.</param>
/// <param name="Inode">Its number there.</param>
public readonly record struct DirectoryIdentity(ulong Device, ulong Inode);

/// <summary>What to back up, and how.</summary>
public sealed record BackupRequest
{
    /// <summary>The roots, in the order of their paths' bytes, none inside another. Empty when <see cref="Stream"/> is given.</summary>
    public required IReadOnlyList<BackupRoot> Roots { get; init; }

    /// <summary>Instead of roots: content of a single file named <see cref="StreamName"/>.</summary>
    public Stream? Stream { get; init; }

    /// <summary>An absolute path with one component.</summary>
    public ReadOnlyMemory<byte> StreamName { get; init; }

    /// <summary>The machine that the source is on.</summary>
    public required string Host { get; init; }

    /// <summary>What the roots are a copy of, if of a database; null for files.</summary>
    public PointDatabase? Database { get; init; }

    /// <summary>Tags for the point.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The moment to claim; null for now.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>What to compare with.</summary>
    public PointKind Kind { get; init; } = PointKind.Incremental;

    /// <summary>What to leave out.</summary>
    public PathRules Rules { get; init; } = PathRules.None;

    /// <summary>A directory to leave out wherever it is met: the vault's own. Null for none.</summary>
    public DirectoryIdentity? LeftOut { get; init; }

    /// <summary>
    /// Whether a directory, by its name and itself, is where <see cref="OpenState"/> keeps things: it is left out. Asked as it is met, since the
    /// backup itself may make it.
    /// </summary>
    public Func<ReadOnlyMemory<byte>, DirectoryIdentity, ValueTask<bool>>? IsStatePlace { get; init; }

    /// <summary>Directories to leave out by what they hold.</summary>
    public IReadOnlyList<ExclusionMark> Marks { get; init; } = [];

    /// <summary>Longer files are left out; null for none.</summary>
    public long? MaxFileBytes { get; init; }

    /// <summary>Whether directories on other file systems than their root's are kept empty.</summary>
    public bool OneFileSystem { get; init; }

    /// <summary>Read every file, whatever its attributes say.</summary>
    public bool Checksum { get; init; }

    /// <summary>A different ctime alone is no change.</summary>
    public bool IgnoreChangeTime { get; init; }

    /// <summary>A different inode alone is no change.</summary>
    public bool IgnoreInode { get; init; }

    /// <summary>zstd level, −5 to 19.</summary>
    public int CompressionLevel { get; init; } = 3;

    /// <summary>How many files are read at once.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>
    /// Opens a store on this machine by a name of its own, such as <c>0123…/4567…</c>: what a key that cannot read trees compares with lies there. Null
    /// to keep nothing, so that such a key reads every file each time.
    /// </summary>
    public Func<string, IObjectStore>? OpenState { get; init; }

    /// <summary>Only say what would be done: nothing is written and no file is read.</summary>
    public bool DryRun { get; init; }

    /// <summary>Of so many files further names are expected: about 700 bytes each.</summary>
    internal int MaxLinkedFiles { get; init; } = 16 << 10;

    /// <summary>What made the point, such as <c>holdfast 1.2.3</c>.</summary>
    public string Program { get; init; } = "holdfast";

    /// <summary>Names of owners.</summary>
    public IOwnerNames? Owners { get; init; }

    /// <summary>Told of items that fail or are left out; may be called from any thread.</summary>
    public Action<ItemNotice>? OnNotice { get; init; }

    /// <summary>
    /// Waited for when all was read and is durable, before the point is put: where it fails there is none. Not called by a dry run. Null for nothing.
    /// </summary>
    public Func<Task>? BeforeCommit { get; init; }

    /// <summary>Told of each entry that differs from the base, in path order; of a full each entry is new.</summary>
    public Action<TreeChange>? OnChange { get; init; }

    /// <summary>Receives progress.</summary>
    public WorkProgress Progress { get; init; } = new();
}

/// <summary>What a backup did.</summary>
/// <param name="Point">The new restore point; null after a dry run.</param>
/// <param name="Kind">How it was made: full where there was nothing to compare with.</param>
/// <param name="Base">What it was compared with.</param>
/// <param name="Counts">Counts.</param>
public sealed record BackupSummary(SessionId? Point, PointKind Kind, SessionId? Base, BackupCounts Counts);
