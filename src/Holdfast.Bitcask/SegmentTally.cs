using Holdfast.Bitcask.Hints;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>What is known of a segment beyond what the log knows. For any number of threads.</summary>
internal sealed class SegmentTally
{
    private long liveBytes;
    private long liveRecords;
    private long tombstoneBytes;

    /// <summary>What the frames of current records take, padding included.</summary>
    public long LiveBytes => Volatile.Read(ref liveBytes);

    /// <summary>Records that are the current ones of their keys.</summary>
    public long LiveRecords => Volatile.Read(ref liveRecords);

    /// <summary>What the frames of tombstones take, padding included.</summary>
    public long TombstoneBytes => Volatile.Read(ref tombstoneBytes);

    /// <summary>Whether a damaged range was met in it: then no merge touches it.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>Whether another segment stands for it: it goes as soon as nobody needs it.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>Whether its hint file is there, or need not be.</summary>
    public bool HasHint { get; set; }

    /// <summary>Hash of its hint file (<see cref="ContentHash"/>), once a checkpoint has asked for it.</summary>
    public byte[]? HintHash { get; set; }

    /// <summary>
    /// What was collected for its hint while it was written; null when nothing is. All of it if it has as many records as the segment.
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

    public void AddLive(long frameBytes)
    {
        Interlocked.Add(ref liveBytes, Padded(frameBytes));
        Interlocked.Increment(ref liveRecords);
    }

    public void RemoveLive(long frameBytes)
    {
        Interlocked.Add(ref liveBytes, -Padded(frameBytes));
        Interlocked.Decrement(ref liveRecords);
    }

    public void AddTombstone(long frameBytes) => Interlocked.Add(ref tombstoneBytes, Padded(frameBytes));

    public void Set(long live, long records, long tombstones)
    {
        liveBytes = live;
        liveRecords = records;
        tombstoneBytes = tombstones;
    }
}
