namespace Holdfast.Bitcask.Hints;

/// <summary>Where the entries of a stripe lie: those whose hash has its number in the upper ten bits.</summary>
/// <param name="Offset">From the first entry of the hint, bytes.</param>
/// <param name="Entries">How many there are.</param>
/// <param name="Crc32C">Of their bytes.</param>
internal readonly record struct HintStripe(long Offset, uint Entries, uint Crc32C)
{
    /// <summary>How many stripes a hint has: as many as the compact keydir has partitions, each of the same keys.</summary>
    public const int Count = 1 << Bits;

    /// <summary>A hash's number of stripe is what remains after shifting it right by this.</summary>
    public const int HashShift = 64 - Bits;

    private const int Bits = 10;
}
