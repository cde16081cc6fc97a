namespace Holdfast.Benchmarks.KeyValue;

/// <summary>What is asked of a figure.</summary>
/// <param name="Text">The work in words.</param>
/// <param name="Figure">What of it is compared, and its unit.</param>
/// <param name="Own">Our figure; null where it was not measured.</param>
/// <param name="Other">What ours is compared with; null where nothing is, or where it was not measured.</param>
/// <param name="Comparison">How the two make the value that the limits are for.</param>
internal sealed record KeyValueTarget(
    string Text, string Figure, double? Own, double? Other, Comparison Comparison, double Must, double Reach)
{
    /// Null where something was not measured.
    public double? Value => Comparison switch
    {
        Comparison.TimesBetter => Other / Own,
        Comparison.Share => Own / Other,
        _ => Own,
    };

    /// <summary>All targets of the engine, in the order in which they are shown.</summary>
    public static IEnumerable<KeyValueTarget> All(KeyValueFigures figures)
    {
        KeyValueTarget Cpu(string text, Work work, double must, double reach) => new(
            text, "CPU, µs", Micro(figures, work, EngineKind.Own, KeyValueFigures.CpuPerOperation),
            Micro(figures, work, RocksDbEngine.EngineName, KeyValueFigures.CpuPerOperation), Comparison.TimesBetter, must, reach);
        KeyValueTarget Wall(string text, Work work, double must, double reach) => new(
            text, "wall, µs", Micro(figures, work, EngineKind.Own, KeyValueFigures.WallPerOperation),
            Micro(figures, work, RocksDbEngine.EngineName, KeyValueFigures.WallPerOperation), Comparison.TimesBetter, must, reach);
        KeyValueTarget Opening(string text, Work work, double must, double reach) => new(
            text, "wall, s, beside `cat`", figures.Median(work, EngineKind.Own, sample => sample.Result.WallSeconds),
            figures.Median(work, EngineKind.Own, sample => sample.CatSeconds), Comparison.Share, must, reach);
        KeyValueTarget Stall(string text, Work work, Work idle) => new(
            text, "p99.9, µs, beside idle", Micro(figures, work, EngineKind.Own, Latest),
            Micro(figures, idle, EngineKind.Own, Latest), Comparison.Share, 2, 1.2);
        return
        [
            Cpu("put 128 B, unsynced", Work.Put128, 15, 40),
            Cpu("put 1 KiB, unsynced", Work.Put1K, 15, 40),
            Wall("put 128 B in synced batches", Work.Batch128, 3, 7),
            Wall("put 1 KiB in synced batches", Work.Batch1K, 1.5, 2),
            Cpu("get 128 B, hot", Work.Get128, 4, 15),
            Cpu("get 1 KiB, hot", Work.Get1K, 4, 5),
            Cpu("get 64 KiB, hot, not copied", Work.Touch64K, 1, 1.3),
            new("memory per key", "bytes", figures.Median(Work.OpenClosed, EngineKind.Own, BytesPerKey), null, Comparison.Alone, 32, 24),
            Opening("open, closed cleanly", Work.OpenClosed, 4, 2),
            Opening("open, hints alone", Work.OpenHints, 4, 2),
            Opening("open, no hints", Work.OpenData, 3, 1.5),
            Stall("put while merging", Work.StallMerge, Work.StallIdle),
            Stall("put while checkpointing", Work.StallCheckpoint, Work.StallIdle),
            Stall("synced put while merging", Work.SyncedStallMerge, Work.SyncedStallIdle),
            Stall("synced put while checkpointing", Work.SyncedStallCheckpoint, Work.SyncedStallIdle),
        ];
    }

    private static double? BytesPerKey(KeyValueSample sample) =>
        (double)sample.Result.Open!.AnonymousBytes / sample.Result.Operations;

    private static double? Latest(KeyValueSample sample) => sample.Result.Latencies!.P999 / 1e9;

    private static double? Micro(KeyValueFigures figures, Work work, string engine, Func<KeyValueSample, double?> seconds) =>
        figures.Median(work, engine, seconds) * 1e6;

    private static double? Micro(KeyValueFigures figures, Work work, string engine, Func<KeyValueSample, double> seconds) =>
        Micro(figures, work, engine, sample => (double?)seconds(sample));
}

/// How a figure of ours is held against a limit.
internal enum Comparison
{
    /// The other over ours: at least the limit.
    TimesBetter = 1,

    /// Ours over the other: at most the limit.
    Share,

    /// Ours: at most the limit.
    Alone,
}
