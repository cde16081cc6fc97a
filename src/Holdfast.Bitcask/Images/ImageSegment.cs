using System.Buffers.Binary;

namespace Holdfast.Bitcask.Images;

/// <summary>A sealed segment whose records are in an image, and what counted of it then. 80 bytes.</summary>
/// <param name="Number">Of the segment.</param>
/// <param name="Incarnation">Of the segment.</param>
/// <param name="Bytes">Length of its file.</param>
/// <param name="Hash">Of the whole file, <see cref="HashBytes"/> bytes.</param>
/// <param name="LiveBytes">What the frames of its current records take, padding included.</param>
/// <param name="LiveRecords">Its current records.</param>
/// <param name="TombstoneBytes">What the frames of its tombstones take, padding included.</param>
internal sealed record ImageSegment(
    uint Number, ulong Incarnation, long Bytes, ReadOnlyMemory<byte> Hash, long LiveBytes, long LiveRecords, long TombstoneBytes)
{
    /// <summary>Encoded size, bytes.</summary>
    public const int Size = 80;

    /// <summary>Length of <see cref="Hash"/>.</summary>
    public const int HashBytes = 32;

    private const int NumberOffset = 0;
    private const int ZeroOffset = 4;
    private const int IncarnationOffset = 8;
    private const int BytesOffset = 16;
    private const int HashOffset = 24;
    private const int LiveBytesOffset = 56;
    private const int LiveRecordsOffset = 64;
    private const int TombstoneBytesOffset = 72;

    public void Encode(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target[NumberOffset..], Number);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ZeroOffset..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(target[IncarnationOffset..], Incarnation);
        BinaryPrimitives.WriteInt64LittleEndian(target[BytesOffset..], Bytes);
        Hash.Span[..HashBytes].CopyTo(target[HashOffset..]);
        BinaryPrimitives.WriteInt64LittleEndian(target[LiveBytesOffset..], LiveBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[LiveRecordsOffset..], LiveRecords);
        BinaryPrimitives.WriteInt64LittleEndian(target[TombstoneBytesOffset..], TombstoneBytes);
    }

    /// <summary>Reads <see cref="Size"/> bytes; what they say is not checked.</summary>
    public static ImageSegment Decode(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(source[NumberOffset..]),
        BinaryPrimitives.ReadUInt64LittleEndian(source[IncarnationOffset..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[BytesOffset..]),
        source.Slice(HashOffset, HashBytes).ToArray(),
        BinaryPrimitives.ReadInt64LittleEndian(source[LiveBytesOffset..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[LiveRecordsOffset..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[TombstoneBytesOffset..]));
}
