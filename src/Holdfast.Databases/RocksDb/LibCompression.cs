using System.Runtime.InteropServices;

namespace Holdfast.Databases.RocksDb;

/// <summary>What we use of the libraries of compression that the system's librocksdb is linked with.</summary>
internal static unsafe partial class LibCompression
{
    /// <returns>0 when it was done; the length then is that of the content.</returns>
    [LibraryImport("libsnappy.so.1", EntryPoint = "snappy_uncompress")]
    public static partial int SnappyUncompress(byte* source, nuint sourceBytes, byte* target, ref nuint targetBytes);

    /// <returns>Length of the content; negative for an error.</returns>
    [LibraryImport("liblz4.so.1", EntryPoint = "LZ4_decompress_safe")]
    public static partial int Lz4Decompress(byte* source, byte* target, int sourceBytes, int targetBytes);

    /// <returns>Length of the content; a large number for an error.</returns>
    [LibraryImport("libzstd.so.1", EntryPoint = "ZSTD_decompress")]
    public static partial nuint ZstdDecompress(byte* target, nuint targetBytes, byte* source, nuint sourceBytes);
}
