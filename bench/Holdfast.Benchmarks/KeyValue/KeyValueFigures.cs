namespace Holdfast.Benchmarks.KeyValue;

/// One run of a work with an engine.
internal sealed record KeyValueSample(string Work, string Engine, int Round, WorkResult Result)
{
    /// Wall time of <c>cat</c> of the files that this open read, into /dev/null; null in other works.
    public double? CatSeconds { get; init; }
}

/// All that was measured, by its medians.
internal sealed class KeyValueFigures
{
    private readonly List<KeyValueSample> samples = [];

    public IReadOnlyList<KeyValueSample> Samples => samples;

    public void Add(KeyValueSample sample) => samples.Add(sample);

    /// Null where it was not measured.
    public double? Median(Work work, string engine, Func<KeyValueSample, double?> figure)
    {
        string name = WorkPlan.All(WorkPlan.DefaultKeys).First(plan => plan.Work == work).Name;
        return Median(name, engine, figure);
    }

    public double? Median(string work, string engine, Func<KeyValueSample, double?> figure)
    {
        double[] sorted = [.. samples
            .Where(sample => sample.Work == work && sample.Engine == engine)
            .Select(figure)
            .OfType<double>()
            .Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0 ? null : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public static double CpuPerOperation(KeyValueSample sample) => sample.Result.CpuSeconds / sample.Result.Operations;

    public static double WallPerOperation(KeyValueSample sample) => sample.Result.WallSeconds / sample.Result.Operations;
}
