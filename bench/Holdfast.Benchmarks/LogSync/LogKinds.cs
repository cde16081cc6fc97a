namespace Holdfast.Benchmarks.LogSync;

/// <summary>A way to make records durable.</summary>
/// <param name="Name">As tables name it.</param>
/// <param name="IsOwn">Whether the targets are for it.</param>
/// <param name="RecordsPerWrite">So many records become durable by one call.</param>
/// <param name="Open">Begins in an empty directory.</param>
internal sealed record SyncedLogKind(string Name, bool IsOwn, int RecordsPerWrite, Func<string, ISyncedLog> Open)
{
    /// What the targets compare with.
    public const string Reference = "overwrite, O_DSYNC";

    private const int ManyRecords = LogBenchmark.Writers;

    public static IReadOnlyList<SyncedLogKind> All { get; } =
    [
        new("log on a ring", true, 1, place => new OwnLog(place, ringSegments: 3)),
        new("log that grows", false, 1, place => new OwnLog(place, ringSegments: 0)),
        new(Reference, false, 1, place => new OverwrittenFile(place, RawFile.WriteThrough, 1)),
        new("overwrite, O_DIRECT and O_DSYNC", false, 1, place => new OverwrittenFile(place, RawFile.WriteThrough | RawFile.Direct, 1)),
        new("overwrite, fdatasync", false, 1, place => new OverwrittenFile(place, 0, 1)),
        new("growing file, fdatasync", false, 1, place => new GrowingFile(place)),
        new(
            $"overwrite, O_DSYNC, {ManyRecords} records at once", false, ManyRecords,
            place => new OverwrittenFile(place, RawFile.WriteThrough, ManyRecords)),
    ];
}

/// <summary>A way to write a stream of records.</summary>
/// <param name="Name">As tables name it.</param>
/// <param name="IsOwn">Whether the target is for it.</param>
/// <param name="Open">Begins in an empty directory.</param>
internal sealed record StreamedLogKind(string Name, bool IsOwn, Func<string, IStreamedLog> Open)
{
    /// What the target compares with.
    public const string Reference = "memcpy, pwrite of 1 MiB";

    public static IReadOnlyList<StreamedLogKind> All { get; } =
    [
        new("log", true, place => new OwnLog(place, ringSegments: 0)),
        new(Reference, false, place => new StreamedFile(place, 1 << 20)),
        new("memcpy, pwrite of 4 KiB", false, place => new StreamedFile(place, LogBenchmark.RecordBytes)),
    ];
}
