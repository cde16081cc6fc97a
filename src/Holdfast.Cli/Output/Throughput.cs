namespace Holdfast.Cli.Output;

/// <summary>A rate that follows changes but does not jump: an exponential average over some seconds.</summary>
internal sealed class Throughput
{
    // After this long an old rate still counts for 1/e.
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);
    private double smoothed;
    private double weight;

    /// <summary>Bytes a second; 0 before the first sample.</summary>
    public double BytesPerSecond => weight > 0 ? smoothed / weight : 0;

    /// <summary>Takes in how much was done in how long.</summary>
    public void Add(long bytes, TimeSpan elapsed)
    {
        if (elapsed <= TimeSpan.Zero) return;
        double keep = Math.Exp(-elapsed / Memory);
        smoothed = (smoothed * keep) + (bytes / elapsed.TotalSeconds * (1 - keep));

        // The weight makes up for having begun at nothing: the first samples count fully.
        weight = (weight * keep) + (1 - keep);
    }
}
