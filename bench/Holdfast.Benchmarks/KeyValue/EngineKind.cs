namespace Holdfast.Benchmarks.KeyValue;

/// <summary>An engine that can be measured.</summary>
/// <param name="Name">As options and tables name it.</param>
/// <param name="Description">Its version and how it is set.</param>
/// <param name="Works">Which works it takes part in unless it is asked for by name.</param>
/// <param name="Open">Opens the store in a directory, which exists; makes one in an empty directory.</param>
internal sealed record EngineKind(
    string Name, string Description, Predicate<Work> Works, Func<string, Durability, IKeyValueEngine> Open)
{
    /// The engine that has the targets.
    public const string Own = "holdfast";

    public static IReadOnlyList<EngineKind> All { get; } =
    [
        new(Own, $"Holdfast.Bitcask: {HoldfastEngine.Settings}", _ => true, (directory, _) => new HoldfastEngine(directory))
        {
            HintFiles = "*.hint",
            DataFiles = "*.log",
            ImageFile = "keydir",
        },
        new(
            RocksDbEngine.EngineName, $"RocksDB 7.8: {RocksDbEngine.Settings}", IsCompared,
            (directory, _) => new RocksDbEngine(directory, isWalBuffered: false)),
        new(
            "rocksdb-buffered", "the same, the log not handed to the kernel at each put (manual_wal_flush)",
            work => work is Work.Put128 or Work.Put1K,
            (directory, _) => new RocksDbEngine(directory, isWalBuffered: true)),
        new(
            LmdbEngine.EngineName, $"LMDB 0.9: {LmdbEngine.Settings}",
            work => IsCompared(work) && work is not (Work.StallMerge or Work.SyncedStallMerge),
            (directory, durability) => new LmdbEngine(directory, durability)),
    ];

    /// Names of the files that an open with hints reads, as a pattern; null where there are none.
    public string? HintFiles { get; init; }

    /// Names of the files that an open without hints reads.
    public string? DataFiles { get; init; }

    /// Name of the file that only an open after a clean close reads; null where there is none.
    public string? ImageFile { get; init; }

    /// An open is compared with <c>cat</c>; a peer that keeps no index in memory has next to nothing to do in it.
    private static bool IsCompared(Work work) => work is not (Work.OpenClosed or Work.OpenHints or Work.OpenData);
}
