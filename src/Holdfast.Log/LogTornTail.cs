namespace Holdfast.Log;

/// <summary>What a crash left of appends that were not durable, and open cut off.</summary>
/// <param name="Path">The file.</param>
/// <param name="Offset">Where it was cut, bytes.</param>
/// <param name="Length">How much was cut off, bytes.</param>
public sealed record LogTornTail(string Path, long Offset, long Length)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => $"{Path}: {Length} bytes after {Offset} were never durable: cut off";
}
