using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Hints;

/// <summary>An entry of a hint, where it lies in memory. Layout: docs/formats/bitcask.md, "Hint file".</summary>
/// <remarks>Believes what it finds: bytes from a file are checked before, see <see cref="HintEntries"/>.</remarks>
/// <param name="start">Its first byte.</param>
internal readonly unsafe struct HintEntry(byte* start)
{
    /// <summary>Size without the key, bytes.</summary>
    public const int FixedBytes = KeyOffset;

    private const int HashOffset = 0;
    private const int PlaceOffset = 8;
    private const int FrameBytesOffset = 12;
    private const int KeyBytesOffset = 16;
    private const int KeyOffset = 18;

    private const uint TombstoneBit = 1;
    private const uint ExpiryBit = 2;
    private const uint BitsMask = TombstoneBit | ExpiryBit;

    /// <summary>Its first byte.</summary>
    public byte* Start => start;

    /// <summary>The byte behind it.</summary>
    public byte* End => start + KeyOffset + KeyBytes;

    /// <summary>Of the key.</summary>
    public ulong Hash => BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start + HashOffset, 8));

    /// <summary>Of the frame in the segment, bytes.</summary>
    public uint Offset => Place & ~BitsMask;

    /// <summary>Whether the record is a tombstone.</summary>
    public bool IsTombstone => (Place & TombstoneBit) != 0;

    /// <summary>Whether the record has an expiry.</summary>
    public bool HasExpiry => (Place & ExpiryBit) != 0;

    /// <summary>Of the frame: header and payload, without padding.</summary>
    public uint FrameBytes =>
        BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(start + FrameBytesOffset, 4));

    /// <summary>What the frame takes in the segment, bytes.</summary>
    public long PaddedFrameBytes => ((long)FrameBytes + 7) & ~7L;

    /// <summary>Length of the key.</summary>
    public int KeyBytes =>
        BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(start + KeyBytesOffset, 2));

    /// <summary>The key.</summary>
    public ReadOnlySpan<byte> Key => new(start + KeyOffset, KeyBytes);

    private uint Place => BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(start + PlaceOffset, 4));

    /// <summary>Writes an entry; there is room for <see cref="FixedBytes"/> and the key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Encode(
        byte* target,
        ulong hash,
        ReadOnlySpan<byte> key,
        uint offset,
        uint frameBytes,
        bool isTombstone,
        bool hasExpiry)
    {
        uint place = offset | (isTombstone ? TombstoneBit : 0) | (hasExpiry ? ExpiryBit : 0);
        var entry = new Span<byte>(target, KeyOffset + key.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[HashOffset..], hash);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[PlaceOffset..], place);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[FrameBytesOffset..], frameBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[KeyBytesOffset..], (ushort)key.Length);
        key.CopyTo(entry[KeyOffset..]);
    }

    /// <summary>Where the record lies.</summary>
    public Location LocationIn(uint segment) => new(segment, Offset, FrameBytes);
}
