namespace Holdfast.Benchmarks.Reporting;

/// What of a sample is compared.
internal enum Metric
{
    Wall = 1,
    Cpu,
    Stored,

    /// The same count, of what a prune wrote anew.
    Written,
}

/// All that was measured, by its medians.
internal sealed class Figures
{
    private readonly List<Sample> samples = [];
    private readonly List<CollectorSample> collections = [];

    /// What the password costs each command of ours; null until a vault was made.
    public PasswordCost? Password { get; set; }

    public IReadOnlyList<Sample> Samples => samples;

    public IReadOnlyList<CollectorSample> Collections => collections;

    public void Add(Sample sample) => samples.Add(sample);

    public void Add(CollectorSample sample) => collections.Add(sample);

    /// Null where it was not measured.
    public double? Median(string work, string step, string tool, Metric metric)
    {
        IEnumerable<double?> values = Of(work, step, tool).Select(sample => metric switch
        {
            Metric.Wall => sample.WallSeconds,
            Metric.Cpu => sample.CpuSeconds,
            _ => (double?)sample.StoredBytes,
        });
        return Median(values.OfType<double>());
    }

    public double? MedianPeak(string work, string step, string tool) =>
        Median(Of(work, step, tool).Select(sample => sample.PeakBytes).OfType<long>().Select(bytes => (double)bytes));

    public IEnumerable<Sample> Of(string work, string step, string tool) => samples.Where(sample => sample.Key == (work, step, tool));

    private static double? Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0 ? null : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
