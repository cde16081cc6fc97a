using System.Buffers.Binary;

namespace Holdfast.Bitcask.Images;

/// <summary>A partition of the keydir in an image. 16 bytes; its slots follow those of the partition before.</summary>
/// <param name="Homes">See <see cref="Keydirs.CompactTable"/>.</param>
/// <param name="Slots">How many there are, used or not; 0 = there is no key.</param>
/// <param name="Keys">How many of them have a key.</param>
/// <param name="Crc32C">Of the slots.</param>
internal readonly record struct ImagePartition(uint Homes, uint Slots, uint Keys, uint Crc32C)
{
    /// <summary>Encoded size, bytes.</summary>
    public const int Size = 16;

    public void Encode(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, Homes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Slots);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Keys);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Crc32C);
    }

    public static ImagePartition Decode(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(source),
        BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[12..]));
}
