using System.Buffers.Binary;

namespace Holdfast.Log.Segments;

/// <summary>The end of a segment that is complete. Layout: docs/formats/log.md, "Seal".</summary>
/// <param name="End">The position at which the frames end.</param>
/// <param name="EntryCount">How many entries there are.</param>
/// <param name="Hash">Of the file below <paramref name="End"/>; 32 bytes.</param>
internal sealed record SegmentSeal(LogPosition End, long EntryCount, byte[] Hash)
{
    /// <summary>Encoded size, bytes.</summary>
    public const int Size = 64;

    private const int EndOffset = 8;
    private const int CountOffset = 16;
    private const int HashOffset = 24;
    private const int CrcOffset = 60;

    private static ReadOnlySpan<byte> Magic => "HFLOGEND"u8;

    /// <summary>Encodes the seal of a segment.</summary>
    /// <param name="seed">The segment's <see cref="Frame.ChecksumSeed"/>.</param>
    public byte[] Encode(uint seed)
    {
        byte[] bytes = new byte[Size];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(EndOffset), End.Value);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(CountOffset), EntryCount);
        Hash.CopyTo(bytes, HashOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CrcOffset), ChecksumOf(bytes, seed, End));
        return bytes;
    }

    /// <summary>Reads a seal; null when these bytes are none of this segment.</summary>
    public static SegmentSeal? TryDecode(ReadOnlySpan<byte> source, uint seed, uint segment)
    {
        if (source.Length != Size || !source.StartsWith(Magic)) return null;
        var end = new LogPosition(BinaryPrimitives.ReadUInt64LittleEndian(source[EndOffset..]));
        uint found = BinaryPrimitives.ReadUInt32LittleEndian(source[CrcOffset..]);
        if (end.Segment != segment || found != ChecksumOf(source, seed, end)) return null;
        return new SegmentSeal(
            end,
            BinaryPrimitives.ReadInt64LittleEndian(source[CountOffset..]),
            source.Slice(HashOffset, ContentHash.Size).ToArray());
    }

    private static uint ChecksumOf(ReadOnlySpan<byte> source, uint seed, LogPosition end) =>
        Crc32C.Append(Frame.BeginChecksum(seed, end, 0), source[..CrcOffset]);
}
