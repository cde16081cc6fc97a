namespace Holdfast.Benchmarks.Measuring;

/// <summary>What a command cost.</summary>
/// <param name="WallSeconds">From its start, the loading of the program included, to its end.</param>
/// <param name="CpuSeconds">User and system time of the process.</param>
/// <param name="PeakBytes">Most memory resident at once; null where it was not above what this process had when it started the command.</param>
internal readonly record struct Measurement(double WallSeconds, double CpuSeconds, long? PeakBytes);
