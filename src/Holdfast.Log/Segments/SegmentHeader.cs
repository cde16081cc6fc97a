using System.Buffers.Binary;
using System.Text;

namespace Holdfast.Log.Segments;

/// <summary>The head of a segment. Layout: docs/formats/log.md, "Header".</summary>
internal sealed record SegmentHeader
{
    /// <summary>Size without the list of replaced segments, bytes.</summary>
    public const int FixedBytes = 64;

    /// <summary>Most segments that one may replace.</summary>
    public const int MaxReplaced = 1024;

    /// <summary>The longest header, bytes.</summary>
    public const int MaxBytes = FixedBytes + (MaxReplaced * sizeof(uint));

    private const ushort Version = 1;
    private const ushort ReplacesFlag = 1;
    private const ushort RingFlag = 2;
    private const int VersionOffset = 8;
    private const int FlagsOffset = 10;
    private const int NumberOffset = 12;
    private const int LogOffset = 16;
    private const int IncarnationOffset = 32;
    private const int PurposeOffset = 40;
    private const int PurposeBytes = 8;
    private const int ReplacedCountOffset = 48;
    private const int CrcOffset = 60;

    public required uint Number { get; init; }

    public required LogId Log { get; init; }

    public required ulong Incarnation { get; init; }

    public required string Purpose { get; init; }

    public bool IsRing { get; init; }

    /// <summary>Whether this segment stands for others; they may be none that exist any more.</summary>
    public bool IsReplacement { get; init; }

    public uint[] Replaced { get; init; } = [];

    /// <summary>Where the frames begin, bytes.</summary>
    public int Length => FixedBytes + Frame.Align(Replaced.Length * sizeof(uint));

    private static ReadOnlySpan<byte> Magic => "HFLOGSEG"u8;

    public byte[] Encode()
    {
        byte[] bytes = new byte[Length];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(VersionOffset), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(
            bytes.AsSpan(FlagsOffset), (ushort)((IsReplacement ? ReplacesFlag : 0) | (IsRing ? RingFlag : 0)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(NumberOffset), Number);
        Log.Encode(bytes.AsSpan(LogOffset));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(IncarnationOffset), Incarnation);
        Encoding.ASCII.GetBytes(Purpose, bytes.AsSpan(PurposeOffset, PurposeBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ReplacedCountOffset), (uint)Replaced.Length);
        for (int i = 0; i < Replaced.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(FixedBytes + (i * sizeof(uint))), Replaced[i]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CrcOffset), Crc32C.Compute(bytes));
        return bytes;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="source">The beginning of the file, up to <see cref="MaxBytes"/> of it.</param>
    /// <param name="fault">What is wrong with it, when null is returned.</param>
    public static SegmentHeader? TryDecode(ReadOnlySpan<byte> source, out string fault)
    {
        fault = "";
        if (source.Length < FixedBytes) return Refuse(out fault, $"{source.Length} bytes are no header");
        if (!source.StartsWith(Magic)) return Refuse(out fault, "it does not begin as a segment does");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(source[VersionOffset..]);
        if (version != Version)
        {
            return Refuse(out fault, $"format version {version}: this program reads version {Version}; a newer one reads it");
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(source[ReplacedCountOffset..]);
        int length = count > MaxReplaced ? int.MaxValue : FixedBytes + Frame.Align((int)count * sizeof(uint));
        if (length > source.Length) return Refuse(out fault, $"header with {count} replaced segments");
        Span<byte> copy = stackalloc byte[length];
        source[..length].CopyTo(copy);
        copy.Slice(CrcOffset, sizeof(uint)).Clear();
        uint found = BinaryPrimitives.ReadUInt32LittleEndian(source[CrcOffset..]);
        uint expected = Crc32C.Compute(copy);
        if (found != expected) return Refuse(out fault, $"header checksum {found:x8}, expected {expected:x8}");

        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(source[FlagsOffset..]);
        uint[] replaced = new uint[count];
        for (int i = 0; i < replaced.Length; i++)
        {
            replaced[i] = BinaryPrimitives.ReadUInt32LittleEndian(source[(FixedBytes + (i * sizeof(uint)))..]);
        }

        return new SegmentHeader
        {
            Number = BinaryPrimitives.ReadUInt32LittleEndian(source[NumberOffset..]),
            Log = LogId.Decode(source[LogOffset..]),
            Incarnation = BinaryPrimitives.ReadUInt64LittleEndian(source[IncarnationOffset..]),
            Purpose = Encoding.ASCII.GetString(source.Slice(PurposeOffset, PurposeBytes)).TrimEnd('\0'),
            IsReplacement = (flags & ReplacesFlag) != 0,
            IsRing = (flags & RingFlag) != 0,
            Replaced = replaced,
        };
    }

    /// <summary>
    /// Reads a header of which one bit is wrong: a checksum finds out which. Null when more than one is.
    /// </summary>
    public static SegmentHeader? TryMend(ReadOnlySpan<byte> source)
    {
        if (source.Length < FixedBytes) return null;
        // Where it is the count that is wrong, the bit lies before the list.
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(source[ReplacedCountOffset..]);
        int length = count > MaxReplaced ? FixedBytes : FixedBytes + Frame.Align((int)count * sizeof(uint));
        byte[] bytes = source[..Math.Min(source.Length, MaxBytes)].ToArray();
        for (int bit = 0; bit < Math.Min(length, bytes.Length) * 8; bit++)
        {
            bytes[bit >> 3] ^= (byte)(1 << (bit & 7));
            if (TryDecode(bytes, out _) is { } header && bit >> 3 < header.Length) return header;
            bytes[bit >> 3] ^= (byte)(1 << (bit & 7));
        }

        return null;
    }

    private static SegmentHeader? Refuse(out string fault, string why)
    {
        fault = why;
        return null;
    }
}
