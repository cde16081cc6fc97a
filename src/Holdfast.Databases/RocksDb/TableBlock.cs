using System.Buffers.Binary;
using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>A block of a table, read whole; and its entries, if it is not compressed.</summary>
internal static unsafe class TableBlock
{
    /// <summary>More than any block of metadata has.</summary>
    private const int MaxBytes = 1 << 30;
    private const uint LastByteFactor = 0x6b9083d9;
    private const uint CrcMask = 0xA282EAD8;

    /// <summary>Reads a block with its trailer; null when it does not lie in the file.</summary>
    public static byte[]? TryRead(IDiskFile file, BlockHandle handle)
    {
        ulong length = (ulong)file.Length;
        if (handle.Bytes > MaxBytes || handle.Offset > length || handle.Bytes + BlockHandle.TrailerBytes > length - handle.Offset) return null;
        byte[] block = new byte[(int)handle.Bytes + BlockHandle.TrailerBytes];
        return file.Read((long)handle.Offset, block) == block.Length ? block : null;
    }

    /// <summary>Whether a block passes its check.</summary>
    /// <param name="block">With its trailer.</param>
    /// <param name="checksum">How it is checked.</param>
    public static bool IsWhole(ReadOnlySpan<byte> block, BlockChecksum checksum)
    {
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(block[^4..]);
        ReadOnlySpan<byte> covered = block[..^4]; // with the kind of compression
        fixed (byte* start = covered)
        {
            switch (checksum)
            {
                case BlockChecksum.Crc32C:
                    uint crc = Crc32C.Compute(covered);
                    return stored == ((crc >> 15) | (crc << 17)) + CrcMask;
                case BlockChecksum.XxHash32:
                    return stored == LibRocksDb.XxHash32(start, (nuint)covered.Length, 0);
                case BlockChecksum.XxHash64:
                    return stored == (uint)LibRocksDb.XxHash64(start, (nuint)covered.Length, 0);
                case BlockChecksum.XxHash3:
                    uint hash = (uint)LibRocksDb.XxHash3(start, (nuint)covered.Length - 1);
                    return stored == (hash ^ (covered[^1] * LastByteFactor));
                default:
                    // Written as 0: where it is not, the kind itself was damaged, and with it nothing would be checked.
                    return stored == 0;
            }
        }
    }

    /// <summary>The entries of a block of metadata, in their order; null when it is compressed or not whole.</summary>
    /// <param name="block">With its trailer.</param>
    public static Dictionary<string, byte[]>? TryEntries(ReadOnlySpan<byte> block)
    {
        if (block.Length < BlockHandle.TrailerBytes || block[^BlockHandle.TrailerBytes] != TableCompression.None) return null;
        if (!TryContent(block[..^BlockHandle.TrailerBytes], out ReadOnlySpan<byte> content)) return null;
        var entries = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var reader = new ByteReader(content);
        byte[] key = [];
        while (!reader.IsAtEnd)
        {
            if (!reader.TryVarint(out ulong shared) || !reader.TryVarint(out ulong own) || !reader.TryVarint(out ulong valueBytes)) return null;
            if (shared > (ulong)key.Length || !reader.TryBytes(own, out ReadOnlySpan<byte> tail)) return null;
            if (!reader.TryBytes(valueBytes, out ReadOnlySpan<byte> value)) return null;
            key = [.. key.AsSpan(0, (int)shared), .. tail];
            entries[Encoding.UTF8.GetString(key)] = value.ToArray();
        }

        return entries;
    }

    /// <summary>The blocks that an index block leads to; null when it is not whole, or compressed in a way that is not known here.</summary>
    /// <param name="block">With its trailer.</param>
    /// <param name="version">Of the table.</param>
    /// <param name="isDeltaEncoded">Whether most entries only say how their block's size differs from the one before.</param>
    public static List<BlockHandle>? TryHandles(ReadOnlySpan<byte> block, int version, bool isDeltaEncoded)
    {
        if (TableCompression.TryExpand(block, version) is not { } expanded || !TryContent(expanded, out ReadOnlySpan<byte> content)) return null;
        var handles = new List<BlockHandle>();
        var reader = new ByteReader(content);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryVarint(out ulong shared) || !reader.TryVarint(out ulong own)) return null;
            if (!isDeltaEncoded && !reader.TryVarint(out _)) return null;
            if (!reader.TryBytes(own, out _)) return null;
            BlockHandle handle;
            if (isDeltaEncoded && shared != 0)
            {
                if (handles.Count == 0 || !reader.TryVarint(out ulong zigzag)) return null;
                BlockHandle before = handles[^1];
                long difference = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
                handle = new BlockHandle(before.Offset + before.Bytes + BlockHandle.TrailerBytes, (ulong)((long)before.Bytes + difference));
            }
            else if (!BlockHandle.TryRead(ref reader, out handle))
            {
                return null;
            }

            handles.Add(handle);
        }

        return handles;
    }

    // Entries end where the table of restart points begins, whose count comes last; its high bit tells of a hash index.
    private static bool TryContent(ReadOnlySpan<byte> whole, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (whole.Length < 4) return false;
        uint restarts = BinaryPrimitives.ReadUInt32LittleEndian(whole[^4..]);
        if (restarts > (uint)(whole.Length - 4) / 4) return false;
        content = whole[..(whole.Length - 4 - ((int)restarts * 4))];
        return true;
    }
}
