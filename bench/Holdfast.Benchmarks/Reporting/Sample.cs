using System.Text.Json.Serialization;

namespace Holdfast.Benchmarks.Reporting;

/// <summary>One measured command.</summary>
/// <param name="Work">The corpus, or the corpus and the vault it goes to: <c>linux + 100 points</c>.</param>
/// <param name="Step">What was done.</param>
/// <param name="Tool">By whom.</param>
/// <param name="Round">In which round, from 1.</param>
/// <param name="WallSeconds">From start to end.</param>
/// <param name="CpuSeconds">User and system time.</param>
/// <param name="PeakBytes">Most memory resident; null where it was too little to tell.</param>
/// <param name="StoredBytes">By how much the lengths of the files in the vault grew.</param>
internal sealed record Sample(
    string Work, string Step, string Tool, int Round, double WallSeconds, double CpuSeconds, long? PeakBytes, long? StoredBytes)
{
    [JsonIgnore]
    public (string Work, string Step, string Tool) Key => (Work, Step, Tool);
}

/// What the collector did in one backup by the product.
internal sealed record CollectorSample(string Work, string Step, int Gen0, long AllocatedBytes, double PauseMilliseconds, long SourceBytes)
{
    public double Gen0PerGibibyte => Gen0 / (SourceBytes / (double)(1 << 30));
}
