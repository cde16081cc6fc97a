using Holdfast.Bitcask.Checkpoints;
using Holdfast.Bitcask.Hints;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>What is known of a segment beyond what the log knows. For any number of threads.</summary>
internal sealed class SegmentTally
{
    // What was added, by one thread at a time, and what was removed since, by any: so adding costs no locked
    // instruction.
    private long addedBytes;
    private long addedRecords;
    private long removedBytes;
    private long removedRecords;
    private long tombstoneBytes;

    /// <summary>What the frames of current records take, padding included.</summary>
    public long LiveBytes => LessRemoved(ref removedBytes, ref addedBytes);

    /// <summary>Records that are the current ones of their keys.</summary>
    public long LiveRecords => LessRemoved(ref removedRecords, ref addedRecords);

    /// <summary>What the frames of tombstones take, padding included.</summary>
    public long TombstoneBytes => Volatile.Read(ref tombstoneBytes);

    /// <summary>Whether a damaged range was met in it: then no merge touches it.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>Whether another segment stands for it: it goes as soon as nobody needs it.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>Whether its hint file is there, or need not be.</summary>
    public bool HasHint { get; set; }

    /// <summary>The sealed segment as manifests list it, once a checkpoint has asked for it.</summary>
    public ManifestSegment? Description { get; set; }

    /// <summary>
    /// What was collected for its hint while it was written; null when nothing is. All of it if it has as many records
    /// as the segment.
    /// </summary>
    public HintBuilder? Collected { get; set; }

    /// <summary>Held while the hint file is written.</summary>
    public Lock HintGate { get; } = new();

    public static SegmentTally Of(LogSegment segment) => (SegmentTally)segment.Tag!;

    /// <summary>What a frame takes with its padding, bytes.</summary>
    public static long Padded(long frameBytes) => (frameBytes + 7) & ~7L;

    /// <summary>Frees what was collected. Under <see cref="HintGate"/> once the segment is sealed.</summary>
    public void StopCollecting()
    {
        Collected?.Dispose();
        Collected = null;
    }

    /// <summary>A current record more. Only for whoever appends to the segment.</summary>
    public void AddLive(long frameBytes)
    {
        Volatile.Write(ref addedBytes, addedBytes + Padded(frameBytes));
        Volatile.Write(ref addedRecords, addedRecords + 1);
    }

    /// <summary>A record that was added is no longer current.</summary>
    public void RemoveLive(long frameBytes)
    {
        Interlocked.Add(ref removedBytes, Padded(frameBytes));
        Interlocked.Increment(ref removedRecords);
    }

    /// <summary>A tombstone more. Only for whoever appends to the segment.</summary>
    public void AddTombstone(long frameBytes) =>
        Volatile.Write(ref tombstoneBytes, tombstoneBytes + Padded(frameBytes));

    public void Set(long live, long records, long tombstones)
    {
        addedBytes = live;
        addedRecords = records;
        tombstoneBytes = tombstones;
    }

    // In this order: what was removed was added before.
    private static long LessRemoved(ref long removed, ref long added)
    {
        long less = Volatile.Read(ref removed);
        return Volatile.Read(ref added) - less;
    }
}
