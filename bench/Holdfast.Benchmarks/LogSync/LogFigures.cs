namespace Holdfast.Benchmarks.LogSync;

/// <summary>One writer that syncs every append, in one round.</summary>
/// <param name="P50">Nanoseconds.</param>
/// <param name="P99">Nanoseconds.</param>
internal sealed record LatencySample(string Log, int Round, long P50, long P99);

/// <summary>Synced records per second in one round.</summary>
/// <param name="Writers">As <see cref="LogReport"/> names them.</param>
internal sealed record RateSample(string Log, string Writers, int Round, double RecordsPerSecond, double CpuMicrosecondsPerRecord);

/// <summary>An unsynced stream in one round, until all of it is with the kernel.</summary>
internal sealed record StreamSample(string Log, int Round, double GigabytesPerWallSecond, double GigabytesPerCpuSecond);

/// All that was measured.
internal sealed class LogFigures
{
    public List<LatencySample> Latencies { get; } = [];

    public List<RateSample> Rates { get; } = [];

    public List<StreamSample> Streams { get; } = [];

    /// Null for none.
    public static double? Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0 ? null : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
