namespace Holdfast.Log;

/// <summary>How a log is opened.</summary>
public sealed record LogOptions
{
    /// <summary>The smallest <see cref="SegmentBytes"/>.</summary>
    public const uint MinSegmentBytes = 4 << 10;

    /// <summary>The largest <see cref="SegmentBytes"/>.</summary>
    public const uint MaxSegmentBytes = 2u << 30;

    /// <summary>What the log is for, 1 to 8 bytes of ASCII; a log that is for something else is refused.</summary>
    public required string Purpose { get; init; }

    /// <summary>Whether a log is made where there is none.</summary>
    public bool Create { get; init; } = true;

    /// <summary>
    /// Whether the log is only read. It takes no lock, repairs nothing, and shows the log as it was when it was opened;
    /// its owner may write at the same time. In a ring, what its owner drops meanwhile may be missing.
    /// </summary>
    public bool ReadOnly { get; init; }

    /// <summary>
    /// Size at which a segment is sealed and the next one begun, bytes. A group that is larger gets a larger segment.
    /// </summary>
    public uint SegmentBytes { get; init; } = 256u << 20;

    /// <summary>What is durable when an append returns, unless the append says otherwise.</summary>
    public Durability Durability { get; init; } = Durability.Group;

    /// <summary>How long an append under <see cref="Durability.Interval"/> may stay unsynced.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long the first of a group waits for others before it syncs. Zero is nearly always right: those that come
    /// while a sync is going on share the next one.
    /// </summary>
    public TimeSpan GroupDelay { get; init; }

    /// <summary>
    /// How many files of the full segment size are written ahead and used again when their segments are dropped, so
    /// that a synced append costs no commit of the file system. 0 = segments grow as they are written.
    /// </summary>
    public int RingSegments { get; init; }

    /// <summary>Size of each of the two buffers of a segment that is written, bytes.</summary>
    public int BufferBytes { get; init; } = 1 << 20;

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Purpose);
        if (Purpose.Length > 8 || Purpose.Any(c => c is < '!' or > '~'))
        {
            throw new ArgumentException($"'{Purpose}': 1 to 8 visible ASCII characters", nameof(Purpose));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentBytes, MinSegmentBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(SegmentBytes, MaxSegmentBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(BufferBytes, 1 << 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BufferBytes, 64 << 20);
        ArgumentOutOfRangeException.ThrowIfNegative(RingSegments);
        ArgumentOutOfRangeException.ThrowIfLessThan(GroupDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Interval, TimeSpan.Zero);
    }
}
