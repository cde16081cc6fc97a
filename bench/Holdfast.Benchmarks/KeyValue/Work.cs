namespace Holdfast.Benchmarks.KeyValue;

/// What is measured, each in a process of its own.
internal enum Work
{
    Put128 = 1,
    Put1K,
    Batch128,
    Batch1K,
    Get128,
    Absent,
    Get1K,
    Touch64K,
    OpenClosed,
    OpenHints,
    OpenData,
    StallIdle,
    StallMerge,
    StallCheckpoint,
    SyncedStallIdle,
    SyncedStallMerge,
    SyncedStallCheckpoint,
}
