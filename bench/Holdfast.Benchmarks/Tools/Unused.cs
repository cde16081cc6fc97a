namespace Holdfast.Benchmarks.Tools;

/// <summary>What a prune leaves in a vault that nobody needs.</summary>
/// <param name="Bytes">So much.</param>
/// <param name="KeptBytes">Of so much.</param>
internal readonly record struct Unused(long Bytes, long KeptBytes)
{
    public double Percent => 100.0 * Bytes / KeptBytes;
}
