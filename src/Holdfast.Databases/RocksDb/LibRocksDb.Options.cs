using System.Runtime.InteropServices;

namespace Holdfast.Databases.RocksDb;

/// <summary>Options, and the checksums of blocks.</summary>
internal static unsafe partial class LibRocksDb
{
    /// Of wal_recovery_mode: bad records are passed over.
    public const int SkipCorrupted = 3;

    /// Of info_log_level: only headers.
    public const int LogHeadersOnly = 5;

    [LibraryImport(Library, EntryPoint = "rocksdb_options_create")]
    public static partial nint CreateOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_options_destroy")]
    public static partial void DestroyOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_create_if_missing")]
    public static partial void SetCreateIfMissing(OptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_error_if_exists")]
    public static partial void SetFailIfExists(OptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_paranoid_checks")]
    public static partial void SetParanoidChecks(OptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_open_files")]
    public static partial void SetMaxOpenFiles(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_file_opening_threads")]
    public static partial void SetMaxFileOpeningThreads(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_background_jobs")]
    public static partial void SetMaxBackgroundJobs(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_total_wal_size")]
    public static partial void SetMaxTotalWalBytes(OptionsHandle options, ulong value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_wal_dir", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void SetWalDirectory(OptionsHandle options, string path);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_db_log_dir", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void SetInfoLogDirectory(OptionsHandle options, string path);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_info_log_level")]
    public static partial void SetInfoLogLevel(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_keep_log_file_num")]
    public static partial void SetInfoLogsKept(OptionsHandle options, nuint value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_recycle_log_file_num")]
    public static partial void SetRecycledLogs(OptionsHandle options, nuint value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_manual_wal_flush")]
    public static partial void SetManualWalFlush(OptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_atomic_flush")]
    public static partial void SetAtomicFlush(OptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_wal_recovery_mode")]
    public static partial void SetWalRecovery(OptionsHandle options, int mode);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_compression")]
    public static partial void SetCompression(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_write_buffer_size")]
    public static partial void SetWriteBufferBytes(OptionsHandle options, nuint value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_max_write_buffer_number")]
    public static partial void SetMaxWriteBuffers(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_target_file_size_base")]
    public static partial void SetTableFileBytes(OptionsHandle options, ulong value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_disable_auto_compactions")]
    public static partial void SetDisableCompactions(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_enable_blob_files")]
    public static partial void SetBlobFiles(OptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_min_blob_size")]
    public static partial void SetMinBlobBytes(OptionsHandle options, ulong value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_blob_compression_type")]
    public static partial void SetBlobCompression(OptionsHandle options, int value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_enable_blob_gc")]
    public static partial void SetBlobCollection(OptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_options_set_block_based_table_factory")]
    public static partial void SetTable(OptionsHandle options, nint tableOptions);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_create")]
    public static partial nint CreateTableOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_destroy")]
    public static partial void DestroyTableOptions(nint tableOptions);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_block_size")]
    public static partial void SetBlockBytes(nint tableOptions, nuint value);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_block_cache")]
    public static partial void SetBlockCache(nint tableOptions, CacheHandle cache);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_no_block_cache")]
    public static partial void SetNoBlockCache(nint tableOptions, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_cache_index_and_filter_blocks")]
    public static partial void SetCacheIndex(nint tableOptions, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_checksum")]
    public static partial void SetChecksum(nint tableOptions, sbyte kind);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_format_version")]
    public static partial void SetFormatVersion(nint tableOptions, int version);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_index_type")]
    public static partial void SetIndexKind(nint tableOptions, int kind);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_partition_filters")]
    public static partial void SetPartitionFilters(nint tableOptions, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_metadata_block_size")]
    public static partial void SetPartitionBytes(nint tableOptions, ulong value);

    /// The table options own the policy from then on.
    [LibraryImport(Library, EntryPoint = "rocksdb_block_based_options_set_filter_policy")]
    public static partial void SetFilter(nint tableOptions, nint policy);

    [LibraryImport(Library, EntryPoint = "rocksdb_filterpolicy_create_bloom_full")]
    public static partial nint CreateBloomFilter(double bitsPerKey);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_create_lru")]
    public static partial nint CreateCache(nuint bytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_cache_destroy")]
    public static partial void DestroyCache(nint cache);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_create")]
    public static partial nint CreateReadOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_destroy")]
    public static partial void DestroyReadOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_set_snapshot")]
    public static partial void SetSnapshot(ReadOptionsHandle options, SnapshotHandle snapshot);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_set_fill_cache")]
    public static partial void SetFillCache(ReadOptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_set_readahead_size")]
    public static partial void SetReadAheadBytes(ReadOptionsHandle options, nuint value);

    [LibraryImport(Library, EntryPoint = "rocksdb_readoptions_set_total_order_seek")]
    public static partial void SetTotalOrder(ReadOptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_create")]
    public static partial nint CreateWriteOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_destroy")]
    public static partial void DestroyWriteOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_set_sync")]
    public static partial void SetSync(WriteOptionsHandle options, byte value);

    [LibraryImport(Library, EntryPoint = "rocksdb_writeoptions_disable_WAL")]
    public static partial void SetDisableWal(WriteOptionsHandle options, int value);

    // The library's own copy of xxHash, exported under its prefix: what its blocks are checked with.

    [LibraryImport(Library, EntryPoint = "ROCKSDB_XXH32")]
    public static partial uint XxHash32(byte* source, nuint length, uint seed);

    [LibraryImport(Library, EntryPoint = "ROCKSDB_XXH64")]
    public static partial ulong XxHash64(byte* source, nuint length, ulong seed);

    [LibraryImport(Library, EntryPoint = "ROCKSDB_XXH3_64bits")]
    public static partial ulong XxHash3(byte* source, nuint length);
}
