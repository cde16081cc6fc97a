using System.Buffers.Binary;
using Holdfast.Log;

namespace Holdfast.Bitcask.Hints;

/// <summary>Header and table of stripes of a hint file. Layout: docs/formats/bitcask.md, "Hint file".</summary>
internal sealed class HintHeader
{
    /// <summary>Encoded size, the table included, bytes: where the entries begin.</summary>
    public const int Size = StripesOffset + (HintStripe.Count * StripeSize);

    /// <summary>Length of <see cref="SegmentHash"/>.</summary>
    public const int HashBytes = 32;

    private const int MagicOffset = 0;
    private const int VersionOffset = 8;
    private const int ZeroOffset = 10;
    private const int SegmentOffset = 12;
    private const int LogIdOffset = 16;
    private const int IncarnationOffset = 32;
    private const int SegmentBytesOffset = 40;
    private const int SegmentHashOffset = 48;
    private const int HighestSequenceOffset = 80;
    private const int RecordsOffset = 88;
    private const int EntriesOffset = 96;
    private const int EntriesBytesOffset = 104;
    private const int SecondZeroOffset = 112;
    private const int CrcOffset = 116;
    private const int StripesOffset = 120;
    private const int StripeSize = 16;

    private const ushort Version = 1;

    /// <summary>Which segment it is of.</summary>
    public required HintIdentity Identity { get; init; }

    /// <summary>Hash of the segment's whole file, <see cref="HashBytes"/> bytes.</summary>
    public required ReadOnlyMemory<byte> SegmentHash { get; init; }

    /// <summary>Highest sequence number in the segment; 0 = it has no record.</summary>
    public required ulong HighestSequence { get; init; }

    /// <summary>Records in the segment, superseded ones included.</summary>
    public required long Records { get; init; }

    /// <summary>Entries in the hint.</summary>
    public required long Entries { get; init; }

    /// <summary>What they take, bytes.</summary>
    public required long EntriesBytes { get; init; }

    /// <summary>One for each stripe, in order, without gaps.</summary>
    public required HintStripe[] Stripes { get; init; }

    private static ReadOnlySpan<byte> Magic => "HFLOGHNT"u8;

    /// <summary>What the entries of a stripe take, bytes.</summary>
    public long StripeBytes(int stripe) =>
        (stripe + 1 < HintStripe.Count ? Stripes[stripe + 1].Offset : EntriesBytes) - Stripes[stripe].Offset;

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Encode(Span<byte> target)
    {
        target = target[..Size];
        target.Clear();
        Magic.CopyTo(target[MagicOffset..]);
        BinaryPrimitives.WriteUInt16LittleEndian(target[VersionOffset..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[SegmentOffset..], Identity.Segment);
        Identity.LogId.Encode(target[LogIdOffset..]);
        BinaryPrimitives.WriteUInt64LittleEndian(target[IncarnationOffset..], Identity.Incarnation);
        BinaryPrimitives.WriteInt64LittleEndian(target[SegmentBytesOffset..], Identity.SegmentBytes);
        SegmentHash.Span[..HashBytes].CopyTo(target[SegmentHashOffset..]);
        BinaryPrimitives.WriteUInt64LittleEndian(target[HighestSequenceOffset..], HighestSequence);
        BinaryPrimitives.WriteInt64LittleEndian(target[RecordsOffset..], Records);
        BinaryPrimitives.WriteInt64LittleEndian(target[EntriesOffset..], Entries);
        BinaryPrimitives.WriteInt64LittleEndian(target[EntriesBytesOffset..], EntriesBytes);
        for (int i = 0; i < HintStripe.Count; i++)
        {
            Span<byte> stripe = target[(StripesOffset + (i * StripeSize))..];
            BinaryPrimitives.WriteInt64LittleEndian(stripe, Stripes[i].Offset);
            BinaryPrimitives.WriteUInt32LittleEndian(stripe[8..], Stripes[i].Entries);
            BinaryPrimitives.WriteUInt32LittleEndian(stripe[12..], Stripes[i].Crc32C);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(target[CrcOffset..], Checksum(target));
    }

    /// <summary>Reads a header whose stripes can be read by what it says.</summary>
    /// <param name="source">The first <see cref="Size"/> bytes of the file, or fewer if it has no more.</param>
    /// <param name="reason">What is wrong, when the result is null.</param>
    public static HintHeader? TryDecode(ReadOnlySpan<byte> source, out string reason)
    {
        reason = "";
        if (source.Length < Size) return Refuse($"{source.Length} bytes, too short for a header of {Size}", out reason);
        source = source[..Size];
        if (!source.StartsWith(Magic)) return Refuse("not a hint file", out reason);
        // Before the CRC: another version may have that elsewhere.
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(source[VersionOffset..]);
        if (version != Version)
        {
            return Refuse(
                version > Version
                    ? $"version {version}, written by a newer Holdfast; this one reads version {Version}"
                    : $"version {version}, which no Holdfast wrote; this one reads version {Version}",
                out reason);
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(source[CrcOffset..]) != Checksum(source))
        {
            return Refuse("the header fails its CRC", out reason);
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(source[ZeroOffset..]) != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(source[SecondZeroOffset..]) != 0)
        {
            return Refuse("the header has bytes set that must be zero", out reason);
        }

        HintHeader header = Read(source);
        return header.IsConsistent ? header : Refuse("the header contradicts itself", out reason);
    }

    private static HintHeader Read(ReadOnlySpan<byte> source)
    {
        var stripes = new HintStripe[HintStripe.Count];
        for (int i = 0; i < stripes.Length; i++)
        {
            ReadOnlySpan<byte> stripe = source[(StripesOffset + (i * StripeSize))..];
            stripes[i] = new HintStripe(
                BinaryPrimitives.ReadInt64LittleEndian(stripe),
                BinaryPrimitives.ReadUInt32LittleEndian(stripe[8..]),
                BinaryPrimitives.ReadUInt32LittleEndian(stripe[12..]));
        }

        return new HintHeader
        {
            Identity = new HintIdentity(
                LogId.Decode(source[LogIdOffset..]),
                BinaryPrimitives.ReadUInt32LittleEndian(source[SegmentOffset..]),
                BinaryPrimitives.ReadUInt64LittleEndian(source[IncarnationOffset..]),
                BinaryPrimitives.ReadInt64LittleEndian(source[SegmentBytesOffset..])),
            SegmentHash = source.Slice(SegmentHashOffset, HashBytes).ToArray(),
            HighestSequence = BinaryPrimitives.ReadUInt64LittleEndian(source[HighestSequenceOffset..]),
            Records = BinaryPrimitives.ReadInt64LittleEndian(source[RecordsOffset..]),
            Entries = BinaryPrimitives.ReadInt64LittleEndian(source[EntriesOffset..]),
            EntriesBytes = BinaryPrimitives.ReadInt64LittleEndian(source[EntriesBytesOffset..]),
            Stripes = stripes,
        };
    }

    /// <summary>Whether sizes and counts fit one another; every stripe then lies inside the entries.</summary>
    private bool IsConsistent
    {
        get
        {
            if (Identity.SegmentBytes < 0 || Entries < 0 || Records < Entries || EntriesBytes < 0) return false;
            long entries = 0, offset = 0;
            for (int i = 0; i < HintStripe.Count; i++)
            {
                if (Stripes[i].Offset != offset) return false;
                long bytes = StripeBytes(i);
                if (bytes < (long)Stripes[i].Entries * (HintEntry.FixedBytes + 1)) return false;
                offset += bytes;
                entries += Stripes[i].Entries;
            }

            return entries == Entries;
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> source)
    {
        uint crc = Crc32C.Append(0, source[..CrcOffset]);
        crc = Crc32C.Append(crc, stackalloc byte[sizeof(uint)]);
        return Crc32C.Append(crc, source[StripesOffset..]);
    }

    private static HintHeader? Refuse(string why, out string reason)
    {
        reason = why;
        return null;
    }
}
