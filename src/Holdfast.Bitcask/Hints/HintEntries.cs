namespace Holdfast.Bitcask.Hints;

/// <summary>The entries of one stripe in memory.</summary>
/// <param name="start">The first byte.</param>
/// <param name="end">The byte behind the last.</param>
/// <param name="count">How many there are, if the bytes are what they should be.</param>
internal readonly unsafe struct HintEntries(byte* start, byte* end, uint count)
{
    /// <summary>The first byte.</summary>
    public byte* Start => start;

    /// <summary>The byte behind the last entry.</summary>
    public byte* End => end;

    /// <summary>How many there should be.</summary>
    public uint Count => count;

    /// <summary>What they take.</summary>
    public long Bytes => end - start;
}
