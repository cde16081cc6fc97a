using System.Buffers.Binary;
using System.Numerics;

namespace Holdfast.Databases.RocksDb;

/// <summary>How the blocks of a table are checked (RocksDB's ChecksumType).</summary>
internal enum BlockChecksum : byte
{
    /// <summary>Not at all; 0 stands in its place.</summary>
    None = 0,

    /// <summary>Masked CRC32C.</summary>
    Crc32C = 1,

    /// <summary>xxHash, 32 bits.</summary>
    XxHash32 = 2,

    /// <summary>xxHash, the low 32 bits of 64.</summary>
    XxHash64 = 3,

    /// <summary>XXH3, the low 32 bits of 64, without and then mixed with the block's last byte.</summary>
    XxHash3 = 4,
}

/// <summary>Where a block lies; its trailer of <see cref="TrailerBytes"/> follows it.</summary>
/// <param name="Offset">In the file.</param>
/// <param name="Bytes">Without the trailer.</param>
internal readonly record struct BlockHandle(ulong Offset, ulong Bytes)
{
    /// <summary>Kind of compression, and the checksum.</summary>
    public const int TrailerBytes = 5;

    /// <summary>What it takes where it is written.</summary>
    public int EncodedBytes => VarintBytes(Offset) + VarintBytes(Bytes);

    public static bool TryRead(ref ByteReader reader, out BlockHandle handle)
    {
        bool isThere = reader.TryVarint(out ulong offset) & reader.TryVarint(out ulong bytes);
        handle = new BlockHandle(offset, bytes);
        return isThere;
    }

    private static int VarintBytes(ulong value) => 1 + (BitOperations.Log2(value | 1) / 7);
}

/// <summary>The end of a block-based table, of format versions 0 to 5.</summary>
/// <remarks>
/// Version 0, 48 bytes: handles of the metaindex and the index, padded with zeros to 40; the magic number of old. Versions 1 to 5, 53 bytes:
/// kind of checksum; the handles, padded as before; version; magic number. Version 6 says less: it is not read.
/// </remarks>
internal readonly record struct TableFooter(int Version, BlockChecksum Checksum, BlockHandle MetaIndex, BlockHandle Index)
{
    /// <summary>The most that a footer has.</summary>
    public const int MaxBytes = 1 + HandlesBytes + 4 + 8;

    private const int HandlesBytes = 40;
    private const int LastVersion = 5;
    private const ulong Magic = 0x88e241b785f4cff7;
    private const ulong OldMagic = 0xdb4775248b80fb57;

    /// <param name="end">The last bytes of the file: <see cref="MaxBytes"/>, if it has as many.</param>
    /// <param name="footer">The footer.</param>
    /// <returns>False for what is no such table, or of another version, or not whole.</returns>
    public static bool TryRead(ReadOnlySpan<byte> end, out TableFooter footer)
    {
        footer = default;
        if (end.Length < HandlesBytes + 8) return false;
        ulong magic = BinaryPrimitives.ReadUInt64LittleEndian(end[^8..]);
        if (magic == OldMagic)
        {
            return TryHandles(end[^(HandlesBytes + 8)..^8], 0, BlockChecksum.Crc32C, out footer);
        }

        if (magic != Magic || end.Length < MaxBytes) return false;
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(end[^12..]);
        ReadOnlySpan<byte> own = end[^MaxBytes..];
        if (version is 0 or > LastVersion || own[0] > (byte)BlockChecksum.XxHash3) return false;
        return TryHandles(own.Slice(1, HandlesBytes), (int)version, (BlockChecksum)own[0], out footer);
    }

    /// <summary>Whether the end of a file says that it is such a table: what then cannot be read is damaged.</summary>
    /// <param name="end">As above.</param>
    public static bool IsKnown(ReadOnlySpan<byte> end)
    {
        if (end.Length < HandlesBytes + 8) return false;
        ulong magic = BinaryPrimitives.ReadUInt64LittleEndian(end[^8..]);
        return magic == OldMagic || (magic == Magic && BinaryPrimitives.ReadUInt32LittleEndian(end[^12..]) is > 0 and <= LastVersion);
    }

    private static bool TryHandles(ReadOnlySpan<byte> handles, int version, BlockChecksum checksum, out TableFooter footer)
    {
        var reader = new ByteReader(handles);
        bool isThere = BlockHandle.TryRead(ref reader, out BlockHandle metaIndex) & BlockHandle.TryRead(ref reader, out BlockHandle index);
        footer = new TableFooter(version, checksum, metaIndex, index);
        // Numbers could be written longer than they are, by what else must be zero.
        return isThere && reader.Offset == metaIndex.EncodedBytes + index.EncodedBytes && !handles[reader.Offset..].ContainsAnyExcept((byte)0);
    }
}
