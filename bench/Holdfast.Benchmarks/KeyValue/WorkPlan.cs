namespace Holdfast.Benchmarks.KeyValue;

/// <summary>How much of what a work does.</summary>
/// <param name="Name">As options and tables name it.</param>
/// <param name="Text">The work in words.</param>
/// <param name="Keys">Keys in the store, or put into it.</param>
/// <param name="ValueBytes">Length of every value.</param>
/// <param name="Store">Works with the same store share one that is filled once; null: an empty one each time.</param>
internal sealed record WorkPlan(Work Work, string Name, string Text, int Keys, int ValueBytes, string? Store = null)
{
    /// The number of keys that the sizes of the other works follow from.
    public const int DefaultKeys = 2_000_000;

    public const int BatchCount = 128;

    private const int LeastGets = 1_000_000;
    private const int Small = 128;
    private const int Medium = 1 << 10;
    private const int Large = 64 << 10;
    private const int Opened = 100;
    private const long StallBytes = 1L << 30;

    public bool IsOpen => Work is Work.OpenClosed or Work.OpenHints or Work.OpenData;

    public bool IsWrite => IsStall || Work is Work.Put128 or Work.Put1K or Work.Batch128 or Work.Batch1K;

    public bool IsStall => Work is >= Work.StallIdle and <= Work.SyncedStallCheckpoint;

    public bool IsSyncedStall => Work is >= Work.SyncedStallIdle and <= Work.SyncedStallCheckpoint;

    public Durability Durability =>
        IsSyncedStall || Work is Work.Batch128 or Work.Batch1K ? Durability.Synced
        : IsStall ? Durability.Immediate
        : Durability.None;

    /// How often all keys are read in the timed part: often enough for a million gets.
    public int Passes => Math.Max(1, LeastGets / Keys);

    /// <summary>All works, in the order in which they are measured.</summary>
    /// <param name="keys">Keys of the works with small values; with 2 million the others have the sizes of the targets.</param>
    public static IReadOnlyList<WorkPlan> All(int keys)
    {
        int mediumKeys = Math.Max(1, keys / 4), largeKeys = Math.Max(1, keys / 250);
        int batchKeys = Math.Max(1, keys / (16 * BatchCount)) * BatchCount;
        int openKeys = (int)Math.Min(int.MaxValue, keys * 5L);
        int stallKeys = (int)Math.Max(1, StallBytes * keys / DefaultKeys / Medium);
        string opened = $"{openKeys:N0} keys";
        return
        [
            new(Work.Put128, "put-128", "put 128 B, unsynced", keys, Small),
            new(Work.Put1K, "put-1k", "put 1 KiB, unsynced", mediumKeys, Medium),
            new(Work.Batch128, "batch-128", $"put 128 B in synced batches of {BatchCount}", batchKeys, Small),
            new(Work.Batch1K, "batch-1k", $"put 1 KiB in synced batches of {BatchCount}", batchKeys, Medium),
            new(Work.Get128, "get-128", "get 128 B, hot, copied", keys, Small, "small"),
            new(Work.Absent, "absent", "get of an absent key", keys, Small, "small"),
            new(Work.Get1K, "get-1k", "get 1 KiB, hot, copied", mediumKeys, Medium, "medium"),
            new(Work.Touch64K, "touch-64k", "get 64 KiB, hot, not copied", largeKeys, Large, "large"),
            new(Work.OpenClosed, "open-closed", $"open {opened}, closed cleanly", openKeys, Opened, "open"),
            new(Work.OpenHints, "open-hints", $"open {opened}, hints alone", openKeys, Opened, "open"),
            new(Work.OpenData, "open-data", $"open {opened}, no hints", openKeys, Opened, "open"),
            .. Stalls(stallKeys, Medium),
        ];
    }

    private static IEnumerable<WorkPlan> Stalls(int keys, int valueBytes) =>
    [
        new(Work.StallIdle, "stall-idle", "idle", keys, valueBytes),
        new(Work.StallMerge, "stall-merge", "while merging", keys, valueBytes),
        new(Work.StallCheckpoint, "stall-checkpoint", "while checkpointing", keys, valueBytes),
        new(Work.SyncedStallIdle, "synced-stall-idle", "synced, idle", keys, valueBytes),
        new(Work.SyncedStallMerge, "synced-stall-merge", "synced, while merging", keys, valueBytes),
        new(Work.SyncedStallCheckpoint, "synced-stall-checkpoint", "synced, while checkpointing", keys, valueBytes),
    ];
}
