using System.Buffers.Binary;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Log;

namespace Holdfast.Bitcask.Images;

/// <summary>What stands in front of the slots of an image. Layout: docs/formats/bitcask.md, "Image of the keydir".</summary>
internal sealed class ImageHeader
{
    /// <summary>How much has to be read to know <see cref="TrySizeOf"/>, bytes.</summary>
    public const int FixedBytes = 40;

    /// <summary>A slot: the hash's 32 bits, offset, number of the segment, length of the frame; u32 each.</summary>
    public const int SlotBytes = 16;

    private const int MagicOffset = 0;
    private const int VersionOffset = 8;
    private const int ZeroOffset = 10;
    private const int SegmentsOffset = 12;
    private const int LogIdOffset = 16;
    private const int CrcOffset = 32;
    private const int SecondZeroOffset = 36;

    private const ushort Version = 1;
    private const int MaxSegments = 1 << 20;

    /// <summary>Of the log.</summary>
    public required LogId LogId { get; init; }

    /// <summary>Ascending by number.</summary>
    public required IReadOnlyList<ImageSegment> Segments { get; init; }

    /// <summary><see cref="CompactKeydir.PartitionCount"/> of them.</summary>
    public required ImagePartition[] Partitions { get; init; }

    /// <summary>How many keys there are.</summary>
    public long Keys
    {
        get
        {
            long keys = 0;
            foreach (ImagePartition partition in Partitions) keys += partition.Keys;
            return keys;
        }
    }

    /// <summary>How many slots there are, used or not.</summary>
    public long Slots
    {
        get
        {
            long slots = 0;
            foreach (ImagePartition partition in Partitions) slots += partition.Slots;
            return slots;
        }
    }

    /// <summary>Encoded size, bytes: where the slots begin.</summary>
    public int Size => SizeOf(Segments.Count);

    /// <summary>Length of the whole image.</summary>
    public long FileBytes => Size + (Slots * SlotBytes);

    private static ReadOnlySpan<byte> Magic => "HFKEYDIR"u8;

    /// <summary>How long a header is; null when its first <see cref="FixedBytes"/> bytes are of none.</summary>
    public static int? TrySizeOf(ReadOnlySpan<byte> first)
    {
        if (first.Length < FixedBytes || !first.StartsWith(Magic)) return null;
        if (BinaryPrimitives.ReadUInt16LittleEndian(first[VersionOffset..]) != Version) return null;
        uint segments = BinaryPrimitives.ReadUInt32LittleEndian(first[SegmentsOffset..]);
        return segments <= MaxSegments ? SizeOf((int)segments) : null;
    }

    /// <summary>Whether so many segments can be named.</summary>
    public static bool CanName(int segments) => segments <= MaxSegments;

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public byte[] Encode()
    {
        byte[] target = new byte[Size];
        Magic.CopyTo(target.AsSpan(MagicOffset));
        BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(VersionOffset), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(SegmentsOffset), (uint)Segments.Count);
        LogId.Encode(target.AsSpan(LogIdOffset));
        int at = FixedBytes;
        foreach (ImageSegment segment in Segments)
        {
            segment.Encode(target.AsSpan(at));
            at += ImageSegment.Size;
        }

        foreach (ImagePartition partition in Partitions)
        {
            partition.Encode(target.AsSpan(at));
            at += ImagePartition.Size;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(CrcOffset), Checksum(target));
        return target;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="source">As many bytes as <see cref="TrySizeOf"/> says.</param>
    /// <returns>Null when it fails its CRC or contradicts itself.</returns>
    public static ImageHeader? TryDecode(ReadOnlySpan<byte> source)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[CrcOffset..]) != Checksum(source)) return null;
        if (BinaryPrimitives.ReadUInt16LittleEndian(source[ZeroOffset..]) != 0) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[SecondZeroOffset..]) != 0) return null;
        LogId logId = LogId.Decode(source[LogIdOffset..]);
        var segments = new ImageSegment[BinaryPrimitives.ReadUInt32LittleEndian(source[SegmentsOffset..])];
        source = source[FixedBytes..];
        for (int i = 0; i < segments.Length; i++) segments[i] = ImageSegment.Decode(source[(i * ImageSegment.Size)..]);
        source = source[(segments.Length * ImageSegment.Size)..];
        var partitions = new ImagePartition[CompactKeydir.PartitionCount];
        for (int i = 0; i < partitions.Length; i++)
        {
            partitions[i] = ImagePartition.Decode(source[(i * ImagePartition.Size)..]);
            if (!CompactTable.IsShape(partitions[i].Homes, partitions[i].Slots, partitions[i].Keys)) return null;
        }

        return new ImageHeader { LogId = logId, Segments = segments, Partitions = partitions };
    }

    private static int SizeOf(int segments) =>
        FixedBytes + (segments * ImageSegment.Size) + (CompactKeydir.PartitionCount * ImagePartition.Size);

    private static uint Checksum(ReadOnlySpan<byte> source)
    {
        uint crc = Crc32C.Append(0, source[..CrcOffset]);
        crc = Crc32C.Append(crc, stackalloc byte[sizeof(uint)]);
        return Crc32C.Append(crc, source[(CrcOffset + sizeof(uint))..]);
    }
}
