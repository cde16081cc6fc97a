using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>How keys are kept in memory.</summary>
public enum KeydirKind
{
    /// <summary>16-byte slots without the keys: 18.8 to 24 bytes a key, however long the keys are. No order.</summary>
    Compact,

    /// <summary>A tree that holds the keys: ranges and prefixes, forward and backward. Its cost: README, "Memory".</summary>
    Ordered,
}

/// <summary>How a store is opened.</summary>
public sealed record BitcaskOptions
{
    /// <summary>Whether a store is made where there is none.</summary>
    public bool Create { get; init; } = true;

    /// <summary>
    /// Whether it is only read: as it is at this moment, without a lock, also while another process has it open for
    /// writing.
    /// </summary>
    public bool ReadOnly { get; init; }

    /// <summary>How keys are kept in memory. Nothing on disk depends on it.</summary>
    public KeydirKind Keydir { get; init; } = KeydirKind.Compact;

    /// <summary>What is durable when a write returns, unless the write says otherwise.</summary>
    public Durability Durability { get; init; } = Durability.Group;

    /// <summary>How long a write under <see cref="Durability.Interval"/> may stay unsynced.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the first of a group of writers waits for others before it syncs.</summary>
    public TimeSpan GroupDelay { get; init; }

    /// <summary>Size at which a segment is sealed, bytes; 4 KiB to 2 GiB.</summary>
    public uint SegmentBytes { get; init; } = 256u << 20;

    /// <summary>
    /// An active segment of this size or more is sealed when the store is closed, so that the next open need not read
    /// it; bytes.
    /// </summary>
    public uint SealAtCloseBytes { get; init; } = 8u << 20;

    /// <summary>When segments are merged.</summary>
    public MergeOptions Merge { get; init; } = new();

    /// <summary>
    /// Whether hints are written and segments merged in the background. If not, <see cref="BitcaskStore.Maintain"/>
    /// does it.
    /// </summary>
    public bool MaintainInBackground { get; init; } = true;

    /// <summary>With fewer keys no image of the keydir is written: making it from hints takes no time to speak of.</summary>
    internal long MinImageKeys { get; init; } = 1 << 18;

    /// <summary>How many threads open the store; 0 = as many as there are processors.</summary>
    public int OpenThreads { get; init; }
}
