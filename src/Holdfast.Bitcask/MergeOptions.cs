namespace Holdfast.Bitcask;

/// <summary>When segments are merged, and which: the knobs of Riak's Bitcask.</summary>
/// <remarks>
/// A merge is triggered when one segment passes a trigger, or when there are many small ones. Then all segments that
/// pass a threshold take part. Dead is what a later record supersedes; tombstones that are still needed are not dead.
/// </remarks>
public sealed record MergeOptions
{
    /// <summary>Share of a segment that is dead, 0 to 1, at which a merge is triggered.</summary>
    public double DeadRatioTrigger { get; init; } = 0.6;

    /// <summary>Dead bytes of a segment at which a merge is triggered.</summary>
    public long DeadBytesTrigger { get; init; } = 512L << 20;

    /// <summary>Share of a segment that is dead from which it takes part.</summary>
    public double DeadRatioThreshold { get; init; } = 0.4;

    /// <summary>Dead bytes of a segment from which it takes part.</summary>
    public long DeadBytesThreshold { get; init; } = 128L << 20;

    /// <summary>Segments smaller than this take part, bytes.</summary>
    public long SmallBytes { get; init; } = 10L << 20;

    /// <summary>How many small segments trigger a merge.</summary>
    public int SmallCountTrigger { get; init; } = 8;

    /// <summary>Local time of day from which merges may begin; equal to <see cref="WindowEnd"/>: always.</summary>
    public TimeOnly WindowStart { get; init; }

    /// <summary>Local time of day at which no merge begins any more; may lie past midnight.</summary>
    public TimeOnly WindowEnd { get; init; }

    /// <summary>How many bytes a second a merge reads and writes; 0 = no limit, which writers notice.</summary>
    public long BytesPerSecond { get; init; } = 256L << 20;

    /// <summary>How often it is looked whether a merge is due.</summary>
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromSeconds(30);
}
