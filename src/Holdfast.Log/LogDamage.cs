namespace Holdfast.Log;

/// <summary>A range of a log that fails its check where it should be whole. It is left as it is.</summary>
/// <param name="Segment">Number of the segment.</param>
/// <param name="Path">Its file.</param>
/// <param name="Offset">Where the range begins in the file, bytes.</param>
/// <param name="Length">How long it is, bytes; up to the end of the file where the file is too short.</param>
/// <param name="Reason">What is wrong, found and expected.</param>
public sealed record LogDamage(uint Segment, string Path, long Offset, long Length, string Reason)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => $"{Path}: bytes {Offset} to {Offset + Length}: {Reason}";
}
