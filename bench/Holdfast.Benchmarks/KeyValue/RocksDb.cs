using System.Runtime.InteropServices;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>The C functions of RocksDB 7.8 (rocksdb/c.h) that <see cref="RocksDbEngine"/> needs.</summary>
/// <remarks>A function that may fail sets <c>error</c> to a text of its own, freed with <see cref="Free"/>.</remarks>
internal static unsafe partial class RocksDb
{
    public const int NoCompression = 0;

    /// Of bottommost_level_compaction: what lies in the lowest level is compacted too.
    public const byte Force = 2;

    private const string Library = "librocksdb.so.7.8";

    [LibraryImport(Library, EntryPoint = "rocksdb_options_create")]
    public static partial nint CreateOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_options_destroy")]
    public static partial void DestroyOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_create_if_missing")]
    public static partial void SetCreateIfMissing(nint options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_compression")]
    public static partial void SetCompression(nint options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_write_buffer_size")]
    public static partial void SetWriteBufferBytes(nint options, nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_manual_wal_flush")]
    public static partial void SetManualWalFlush(nint options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_block_based_table_factory")]
    public static partial void SetTable(nint options, nint tableOptions);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_create")]
    public static partial nint CreateTableOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_destroy")]
    public static partial void DestroyTableOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_block_cache")]
    public static partial void SetBlockCache(nint tableOptions, nint cache);

    /// The table options own the policy from then on.
    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_filter_policy")]
    public static partial void SetFilter(nint tableOptions, nint policy);

    [LibraryImport(Library, EntryPoint = "rocksdb_filterpolicy_create_bloom_full")]
    public static partial nint CreateBloomFilter(double bitsPerKey);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_create_lru")]
    public static partial nint CreateCache(nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_destroy")]
    public static partial void DestroyCache(nint cache);

    [LibraryImport(Library, EntryPoint = "rocksdb_open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Open(nint options, string directory, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_close")]
    public static partial void Close(nint store);

    [LibraryImport(Library, EntryPoint = "rocksdb_free")]
    public static partial void Free(nint text);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_create")]
    public static partial nint CreateWriteOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_destroy")]
    public static partial void DestroyWriteOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_set_sync")]
    public static partial void SetSync(nint writeOptions, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_create")]
    public static partial nint CreateReadOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_destroy")]
    public static partial void DestroyReadOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_put")]
    public static partial void Put(
        nint store, nint writeOptions, byte* key, nuint keyBytes, byte* value, nuint valueBytes, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_create")]
    public static partial nint CreateBatch();

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_destroy")]
    public static partial void DestroyBatch(nint batch);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_clear")]
    public static partial void ClearBatch(nint batch);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_put")]
    public static partial void AddToBatch(nint batch, byte* key, nuint keyBytes, byte* value, nuint valueBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_write")]
    public static partial void Write(nint store, nint writeOptions, nint batch, out nint error);

    /// Null when the key is absent; else to be destroyed.
    [LibraryImport(Library, EntryPoint = "rocksdb_get_pinned")]
    public static partial nint GetPinned(nint store, nint readOptions, byte* key, nuint keyBytes, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_value")]
    public static partial byte* PinnedValue(nint slice, out nuint valueBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_destroy")]
    public static partial void DestroyPinned(nint slice);

    [LibraryImport(Library, EntryPoint = "rocksdb_flush_wal")]
    public static partial void FlushWal(nint store, byte sync, out nint error);

    /// Non-zero when there is no such property.
    [LibraryImport(Library, EntryPoint = "rocksdb_property_int", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int GetProperty(nint store, string name, out ulong value);

    [LibraryImport(Library, EntryPoint = "rocksdb_compactoptions_create")]
    public static partial nint CreateCompactOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_compactoptions_destroy")]
    public static partial void DestroyCompactOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_compactoptions_set_bottommost_level_compaction")]
    public static partial void SetLowestLevelCompaction(nint compactOptions, byte value);

    /// Null limits mean all keys.
    [LibraryImport(Library, EntryPoint = "rocksdb_compact_range_opt")]
    public static partial void Compact(
        nint store, nint compactOptions, byte* first, nuint firstBytes, byte* last, nuint lastBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_object_create")]
    public static partial nint CreateCheckpointer(nint store, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_object_destroy")]
    public static partial void DestroyCheckpointer(nint checkpointer);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void CreateCheckpoint(
        nint checkpointer, string directory, ulong flushAboveWalBytes, out nint error);
}
