using System.Security.Cryptography;

namespace Holdfast.Log;

/// <summary>
/// The seam to randomness: keys, nonces and names are drawn from it, so that a test can repeat a run.
/// </summary>
public interface IEntropy
{
    /// <summary>Fills <paramref name="target"/> with unpredictable bytes. May be called from any thread.</summary>
    void Fill(Span<byte> target);
}

/// <summary>The operating system's generator.</summary>
public sealed class SystemEntropy : IEntropy
{
    /// <inheritdoc/>
    public void Fill(Span<byte> target) => RandomNumberGenerator.Fill(target);
}
