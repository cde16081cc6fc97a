namespace Holdfast.Bitcask.Hints;

/// <summary>What of a segment still counts.</summary>
internal struct SegmentUsage
{
    /// <summary>Number of the segment.</summary>
    public uint Segment;

    /// <summary>Records that are the current one of their key and put it.</summary>
    public long LiveRecords;

    /// <summary>What the frames of those take, padding included.</summary>
    public long LiveBytes;

    /// <summary>Tombstones that are the last word on their key.</summary>
    public long Tombstones;

    /// <summary>What the frames of those take, padding included.</summary>
    public long TombstoneBytes;

    /// <summary>No longer counts a record: a later one supersedes it.</summary>
    public void Remove(HintEntry entry)
    {
        if (entry.IsTombstone)
        {
            Tombstones--;
            TombstoneBytes -= entry.PaddedFrameBytes;
        }
        else
        {
            LiveRecords--;
            LiveBytes -= entry.PaddedFrameBytes;
        }
    }

    /// <summary>Counts what another has counted of the same segment.</summary>
    public void Add(in SegmentUsage other)
    {
        LiveRecords += other.LiveRecords;
        LiveBytes += other.LiveBytes;
        Tombstones += other.Tombstones;
        TombstoneBytes += other.TombstoneBytes;
    }
}
