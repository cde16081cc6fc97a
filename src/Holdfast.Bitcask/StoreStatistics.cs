namespace Holdfast.Bitcask;

/// <summary>What a store holds, at one moment.</summary>
/// <param name="Keys">Keys; expired ones count until a merge meets them.</param>
/// <param name="Sequence">Number of the last change.</param>
/// <param name="Keydir">How keys are kept in memory.</param>
/// <param name="KeydirBytes">Memory that takes.</param>
/// <param name="Segments">Each segment, by number.</param>
public sealed record StoreStatistics(
    long Keys, ulong Sequence, KeydirKind Keydir, long KeydirBytes, IReadOnlyList<SegmentStatistics> Segments)
{
    /// <summary>What the segments take on disk, bytes; hints not included.</summary>
    public long Bytes => Segments.Sum(segment => segment.Bytes);

    /// <summary>What current records take of it.</summary>
    public long LiveBytes => Segments.Sum(segment => segment.LiveBytes);

    /// <summary>What later records supersede.</summary>
    public long DeadBytes => Segments.Sum(segment => segment.DeadBytes);

    /// <summary>What tombstones take.</summary>
    public long TombstoneBytes => Segments.Sum(segment => segment.TombstoneBytes);
}

/// <summary>What a segment holds.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Bytes">What it takes on disk.</param>
/// <param name="LiveRecords">Records that are current.</param>
/// <param name="LiveBytes">What they take.</param>
/// <param name="DeadBytes">What later records supersede.</param>
/// <param name="TombstoneBytes">What tombstones take.</param>
/// <param name="IsSealed">Whether it is complete.</param>
/// <param name="HasHint">Whether its hint file is there.</param>
/// <param name="IsDamaged">Whether damage was met in it: then it is not merged.</param>
public sealed record SegmentStatistics(
    uint Number, long Bytes, long LiveRecords, long LiveBytes, long DeadBytes, long TombstoneBytes, bool IsSealed,
    bool HasHint, bool IsDamaged);
