namespace Holdfast.Vault;

/// <summary>What is lost to whom.</summary>
public enum AffectedKind
{
    /// <summary>Not a kind.</summary>
    None = 0,

    /// <summary>Content of a file; the ranges say which.</summary>
    Data = 1,

    /// <summary>Part of a tree: of a directory some entries, whose names are lost; of a file the list of its chunks for these ranges.</summary>
    Tree = 2,

    /// <summary>The list of changes against the base; the point is restored whole.</summary>
    Changes = 3,

    /// <summary>The list of what the point needs, by which others know what not to remove; the point is restored whole.</summary>
    References = 4,

    /// <summary>The point as such: it is not listed and not restored.</summary>
    Point = 5,
}

/// <summary>Consecutive bytes of a file.</summary>
/// <param name="Offset">The first.</param>
/// <param name="Length">How many.</param>
public readonly record struct ByteRange(long Offset, long Length);

/// <summary>A path of a restore point that damage affects.</summary>
/// <param name="Point">The restore point.</param>
/// <param name="Path">The absolute path of the file or directory; empty for the point as a whole.</param>
/// <param name="Kind">What is lost.</param>
/// <param name="Ranges">Which bytes of the file, in order; empty for what is no file.</param>
public sealed record AffectedPath(SessionId Point, ReadOnlyMemory<byte> Path, AffectedKind Kind, IReadOnlyList<ByteRange> Ranges)
{
    /// <summary>Whether the point is forgotten: nobody restores it unless it is brought back, and it is gone with the next prune.</summary>
    public bool IsForgotten { get; init; }
}

/// <summary>An object of the vault that is not as it should be.</summary>
/// <param name="ObjectName">Its name; <c>index/SESSION-*</c> for a lost index, <c>chunk ID</c> for a chunk that no pack holds, <c>chunks</c> for several.</param>
/// <param name="What">What is wrong with it; where nothing is affected, why not.</param>
/// <param name="Affected">All that is lost by it, by point and path. What lies intact in another pack is not lost.</param>
public sealed record DamagedThing(string ObjectName, string What, IReadOnlyList<AffectedPath> Affected)
{
    /// <summary>
    /// Whether nothing says that it is damaged: the key that checks lacks the key epoch in which it is sealed, or in which what was not
    /// found may be. What is affected, this key cannot read.
    /// </summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>What a check found.</summary>
public sealed record CheckReport
{
    /// <summary>All damage, by the names of objects. Empty means that all that was checked is whole.</summary>
    public required IReadOnlyList<DamagedThing> Damages { get; init; }

    /// <summary>What is no damage but worth knowing.</summary>
    public required IReadOnlyList<ItemNotice> Notices { get; init; }

    /// <summary>Key slots.</summary>
    public int KeySlots { get; init; }

    /// <summary>Restore points that could be read.</summary>
    public int Points { get; init; }

    /// <summary>Of these, points that were forgotten and are not pruned yet.</summary>
    public int DroppedPoints { get; init; }

    /// <summary>Index objects that could be read.</summary>
    public int IndexObjects { get; init; }

    /// <summary>Packs in the store.</summary>
    public int Packs { get; init; }

    /// <summary>Packs whose content was read.</summary>
    public int PacksRead { get; init; }

    /// <summary>Chunks in all packs whose footers could be read; one that lies in several packs counts as often.</summary>
    public long Chunks { get; init; }

    /// <summary>Chunks whose content was verified because packs were read.</summary>
    public long ChunksRead { get; init; }

    /// <summary>Bytes of packs read to verify content.</summary>
    public long BytesRead { get; init; }

    /// <summary>Of a rolling check: how long ago the pack was verified that was verified longest ago, or stored.</summary>
    public TimeSpan? OldestVerified { get; init; }

    /// <summary>Of a rolling check: how many packs were verified longer ago than they should be.</summary>
    public int PacksOverdue { get; init; }

    /// <summary>Directories named in all distinct directories; a directory that is the same in several points is gone through once.</summary>
    public long Directories { get; init; }

    /// <summary>Everything else named there: files, links, pipes and devices.</summary>
    public long Files { get; init; }

    /// <summary>Sessions with packs that no index lists and no point needs: cut off, or at work while the check ran.</summary>
    public int UnfinishedSessions { get; init; }
}
