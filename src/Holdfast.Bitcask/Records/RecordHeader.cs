using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Holdfast.Bitcask.Records;

/// <summary>What stands before key and value in the payload of a frame. Layout: docs/formats/bitcask.md, "Record".</summary>
/// <param name="Sequence">Of the change that wrote the record first; 1 or more.</param>
/// <param name="Kind">What it says of the key.</param>
/// <param name="KeyBytes">Length of the key, 1 to <see cref="MaxKeyBytes"/>.</param>
/// <param name="Expiry">Nanoseconds since 1970-01-01 UTC from which the key is absent; null = never.</param>
internal readonly record struct RecordHeader(ulong Sequence, RecordKind Kind, int KeyBytes, long? Expiry)
{
    /// <summary>Longest key, bytes.</summary>
    public const int MaxKeyBytes = ushort.MaxValue;

    /// <summary>Encoded size at least, bytes.</summary>
    public const int MinSize = ExpiryOffset;

    /// <summary>Encoded size at most, bytes.</summary>
    public const int MaxSize = ExpiryOffset + sizeof(long);

    private const int SequenceOffset = 0;
    private const int KindOffset = 8;
    private const int FlagsOffset = 9;
    private const int KeyBytesOffset = 10;
    private const int ExpiryOffset = 12;

    private const byte HasExpiryFlag = 1;

    /// <summary>Encoded size, bytes: the key's offset in the payload.</summary>
    public int Size => Expiry.HasValue ? MaxSize : MinSize;

    /// <summary>The value's offset in the payload, bytes.</summary>
    public int ValueOffset => Size + KeyBytes;

    /// <summary>Whether the record is a tombstone.</summary>
    public bool IsTombstone => Kind == RecordKind.Delete;

    /// <summary>Writes <see cref="Size"/> bytes; key and value follow them.</summary>
    /// <exception cref="ArgumentException">No record can look like this; what follows on disk would be unreadable.</exception>
    public void Encode(Span<byte> target)
    {
        if (!IsValid) throw new ArgumentException($"not a record: {this}");
        BinaryPrimitives.WriteUInt64LittleEndian(target[SequenceOffset..], Sequence);
        target[KindOffset] = (byte)Kind;
        target[FlagsOffset] = Expiry.HasValue ? HasExpiryFlag : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(target[KeyBytesOffset..], (ushort)KeyBytes);
        if (Expiry is long expiry) BinaryPrimitives.WriteInt64LittleEndian(target[ExpiryOffset..], expiry);
    }

    /// <summary>Reads the header of a payload. False when the payload is not a record, whatever its CRC says.</summary>
    /// <param name="payload">All of the frame's payload.</param>
    /// <param name="header">The header; key and value lie where it says, inside the payload.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryDecode(ReadOnlySpan<byte> payload, out RecordHeader header)
    {
        header = default;
        if (payload.Length < MinSize) return false;
        // Checked field by field: a structure that is made, copied and looked at again costs as much as all the rest of
        // a scan.
        byte flags = payload[FlagsOffset];
        if ((flags & ~HasExpiryFlag) != 0) return false;
        ulong sequence = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        var kind = (RecordKind)payload[KindOffset];
        int keyBytes = BinaryPrimitives.ReadUInt16LittleEndian(payload[KeyBytesOffset..]);
        int valueOffset = (flags != 0 ? MaxSize : MinSize) + keyBytes;
        if (sequence == 0 || keyBytes == 0 || valueOffset > payload.Length) return false;
        bool isKind = kind == RecordKind.Put || (kind == RecordKind.Delete && flags == 0 && valueOffset == payload.Length);
        if (!isKind) return false;
        header = new RecordHeader(
            sequence, kind, keyBytes, flags != 0 ? BinaryPrimitives.ReadInt64LittleEndian(payload[ExpiryOffset..]) : null);
        return true;
    }

    /// <summary>
    /// Reads the header of a payload of which only the beginning is at hand; <see cref="KeyOf"/> of that beginning
    /// works if it is true and the key is in it.
    /// </summary>
    public static bool TryDecodePrefix(ReadOnlySpan<byte> beginning, out RecordHeader header)
    {
        header = default;
        if (beginning.Length < ExpiryOffset) return false;
        bool hasExpiry = (beginning[FlagsOffset] & HasExpiryFlag) != 0;
        if (hasExpiry && beginning.Length < MaxSize) return false;
        header = new RecordHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(beginning[SequenceOffset..]),
            (RecordKind)beginning[KindOffset],
            BinaryPrimitives.ReadUInt16LittleEndian(beginning[KeyBytesOffset..]),
            hasExpiry ? BinaryPrimitives.ReadInt64LittleEndian(beginning[ExpiryOffset..]) : null);
        return header.IsValid && header.Size + header.KeyBytes <= beginning.Length;
    }

    /// <summary>Puts another sequence number into an encoded record.</summary>
    public static void SetSequence(Span<byte> payload, ulong sequence) =>
        BinaryPrimitives.WriteUInt64LittleEndian(payload[SequenceOffset..], sequence);

    /// <summary>The key of a payload that this is the header of.</summary>
    public ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> payload) => payload.Slice(Size, KeyBytes);

    /// <summary>The value of a payload that this is the header of.</summary>
    public ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> payload) => payload[ValueOffset..];

    private bool IsValid =>
        Sequence != 0
        && KeyBytes is >= 1 and <= MaxKeyBytes
        && (Kind == RecordKind.Put || (Kind == RecordKind.Delete && !Expiry.HasValue));
}
