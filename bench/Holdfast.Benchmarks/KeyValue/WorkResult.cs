using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>What the timed part of a work took, as the process that did it tells its parent.</summary>
/// <param name="Operations">Puts, gets, or keys in a store that was opened.</param>
/// <param name="WallSeconds">From its first operation until all is done, background work included.</param>
/// <param name="CpuSeconds">User and system time of all threads of the process in that time.</param>
/// <param name="PeakBytes">Most memory resident at once in that time, mapped files included.</param>
internal sealed record WorkResult(long Operations, double WallSeconds, double CpuSeconds, long PeakBytes)
{
    public static WorkResult Of(long operations, Measurement measurement) =>
        new(operations, measurement.WallSeconds, measurement.CpuSeconds, measurement.PeakBytes ?? 0);

    /// Of the writer's single puts; null in other works.
    public Latencies? Latencies { get; init; }

    /// Of an open store; null in other works.
    public OpenFigures? Open { get; init; }
}

/// <summary>Nanoseconds from when a put was due until it returned.</summary>
/// <param name="Count">Puts, also those that would have come during slow ones.</param>
/// <param name="BackgroundRuns">Merges or checkpoints that ran meanwhile.</param>
/// <param name="BackgroundSeconds">How long they took in all.</param>
/// <param name="RunDelaySeconds">How long the writer waited for a processor, which is no fault of the engine unless its
/// own threads had them all.</param>
/// <param name="StolenSeconds">See <see cref="ProcessMeter.StolenSeconds"/>.</param>
internal sealed record Latencies(
    long Count, long P50, long P99, long P999, long Highest, int BackgroundRuns, double BackgroundSeconds, double RunDelaySeconds,
    double StolenSeconds);

/// <summary>What an opened store takes.</summary>
/// <param name="AnonymousBytes">Growth of the process's memory that no file stands behind.</param>
/// <param name="ResidentBytes">Growth of all its memory.</param>
/// <param name="IndexBytes">What the engine itself says of its index.</param>
/// <param name="AgainSeconds">Wall time of opening it a second time in the same process: nothing is compiled then.</param>
internal sealed record OpenFigures(long AnonymousBytes, long ResidentBytes, long? IndexBytes, double AgainSeconds);
