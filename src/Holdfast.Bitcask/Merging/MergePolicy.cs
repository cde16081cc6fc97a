using Holdfast.Log;

namespace Holdfast.Bitcask.Merging;

/// <summary>Says when to merge, and what.</summary>
/// <param name="options">The knobs.</param>
/// <param name="segmentBytes">Size of segments: those of half of it are not small, whatever the knobs say, since two do
/// not make one.</param>
/// <param name="lowest">Number of the lowest segment: nothing is left that its tombstones could hide.</param>
internal sealed class MergePolicy(MergeOptions options, long segmentBytes, uint lowest)
{
    /// <summary>Most segments of one merge: what a header can list.</summary>
    private const int MaxSegments = 1024;

    private readonly long smallBytes = Math.Min(options.SmallBytes, segmentBytes / 2);

    /// <summary>Whether one of the segments passes a trigger, or small ones do together.</summary>
    public bool IsTriggered(IEnumerable<LogSegment> segments)
    {
        int small = 0;
        foreach (LogSegment segment in segments)
        {
            long dead = DeadBytes(segment);
            if (dead >= options.DeadBytesTrigger) return true;
            if (dead > 0 && dead >= options.DeadRatioTrigger * ContentBytes(segment)) return true;
            if (segment.Length < smallBytes && ++small >= options.SmallCountTrigger) return true;
        }

        return false;
    }

    /// <summary>Whether merges may begin at a time of day.</summary>
    public bool IsInWindow(TimeOnly now) =>
        options.WindowStart == options.WindowEnd || now.IsBetween(options.WindowStart, options.WindowEnd);

    /// <summary>Whether a segment takes part once a merge was triggered.</summary>
    public bool TakesPart(LogSegment segment)
    {
        long dead = DeadBytes(segment);
        return dead >= options.DeadBytesThreshold
            || (dead > 0 && dead >= options.DeadRatioThreshold * ContentBytes(segment))
            || segment.Length < smallBytes;
    }

    /// <summary>Cuts segments into groups, each of which becomes one segment of about the usual size.</summary>
    /// <param name="segments">By number, lowest first.</param>
    /// <param name="segmentBytes">The usual size.</param>
    public static List<List<LogSegment>> Group(IReadOnlyList<LogSegment> segments, long segmentBytes)
    {
        var groups = new List<List<LogSegment>>();
        long bytes = 0;
        foreach (LogSegment segment in segments)
        {
            SegmentTally tally = SegmentTally.Of(segment);
            long kept = tally.LiveBytes + tally.TombstoneBytes;
            if (groups.Count == 0 || bytes + kept > segmentBytes || groups[^1].Count == MaxSegments)
            {
                groups.Add([]);
                bytes = 0;
            }

            groups[^1].Add(segment);
            bytes += kept;
        }

        return groups;
    }

    /// <summary>What a merge would free, bytes: what later records supersede, and tombstones that hide
    /// nothing.</summary>
    public long DeadBytes(LogSegment segment)
    {
        SegmentTally tally = SegmentTally.Of(segment);
        // The one tombstone that a small segment may have left is not worth a merge.
        bool needsTombstones = segment.Number != lowest || segment.Length < smallBytes;
        return Math.Max(0, ContentBytes(segment) - tally.LiveBytes - (needsTombstones ? tally.TombstoneBytes : 0));
    }

    private static long ContentBytes(LogSegment segment) => segment.Readable - segment.FirstOffset;
}
