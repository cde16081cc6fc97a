using System.Buffers.Binary;

namespace Holdfast.Databases.RocksDb;

/// <summary>Decompresses blocks of tables, by the libraries that librocksdb itself needs.</summary>
/// <remarks>
/// The kind comes first in the trailer. A compressed block begins with its length as a varint; before version 2 of the table's format LZ4's had it in 8 bytes.
/// </remarks>
internal static unsafe class TableCompression
{
    /// <summary>Not compressed.</summary>
    public const byte None = 0;

    private const byte Snappy = 1;
    private const byte Lz4 = 4;
    private const byte Lz4Hc = 5;
    private const byte Zstd = 7;
    private const int MaxBytes = 1 << 30;

    /// <summary>The content of a block; null when it is not what its compression makes, or that is not known here.</summary>
    /// <param name="block">With its trailer; it passed its check.</param>
    /// <param name="version">Of the table.</param>
    public static byte[]? TryExpand(ReadOnlySpan<byte> block, int version)
    {
        if (block.Length < BlockHandle.TrailerBytes) return null;
        byte kind = block[^BlockHandle.TrailerBytes];
        ReadOnlySpan<byte> coded = block[..^BlockHandle.TrailerBytes];
        if (kind == None) return coded.ToArray();
        if (!TryLength(kind, version, ref coded, out ulong length) || length > MaxBytes) return null;
        byte[] content = GC.AllocateUninitializedArray<byte>((int)length);
        fixed (byte* source = coded, target = content)
        {
            nuint bytes = (nuint)content.Length;
            return kind switch
            {
                Snappy => LibCompression.SnappyUncompress(source, (nuint)coded.Length, target, ref bytes) == 0,
                Zstd => LibCompression.ZstdDecompress(target, bytes, source, (nuint)coded.Length) == bytes,
                _ => LibCompression.Lz4Decompress(source, target, coded.Length, content.Length) == content.Length,
            }
                ? content : null;
        }
    }

    private static bool TryLength(byte kind, int version, ref ReadOnlySpan<byte> coded, out ulong length)
    {
        length = 0;
        switch (kind)
        {
            case Snappy:
                return new ByteReader(coded).TryVarint(out length);
            case Lz4 or Lz4Hc when version < 2:
                if (coded.Length < sizeof(ulong)) return false;
                length = BinaryPrimitives.ReadUInt64LittleEndian(coded);
                coded = coded[sizeof(ulong)..];
                return true;
            case Lz4 or Lz4Hc or Zstd:
                var reader = new ByteReader(coded);
                if (!reader.TryVarint(out length)) return false;
                coded = coded[reader.Offset..];
                return true;
            default:
                return false;
        }
    }
}
