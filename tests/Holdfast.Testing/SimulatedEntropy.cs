using Holdfast.Log;

namespace Holdfast.Testing;

/// <summary>Randomness that a test can repeat. Safe for threads; repeatable when one thread asks.</summary>
public sealed class SimulatedEntropy(int seed) : IEntropy
{
    private readonly Lock gate = new();
    private readonly Random random = new(seed);

    /// <inheritdoc/>
    public void Fill(Span<byte> target)
    {
        lock (gate) random.NextBytes(target);
    }
}
