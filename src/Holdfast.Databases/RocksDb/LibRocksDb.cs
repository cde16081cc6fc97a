using System.Runtime.InteropServices;

namespace Holdfast.Databases.RocksDb;

/// <summary>What we use of the system's librocksdb, by its C API (rocksdb/c.h). Loaded at the first call.</summary>
/// <remarks>
/// A function that may fail sets <c>error</c> to a text of its own, which <see cref="RocksError"/> frees. Lengths are <c>size_t</c>,
/// booleans are bytes, paths are UTF-8.
/// </remarks>
internal static unsafe partial class LibRocksDb
{
    /// <summary>Of the Debian package <c>librocksdb7.8</c>.</summary>
    public const string Library = "librocksdb.so.7.8";

    [LibraryImport(Library, EntryPoint = "rocksdb_free")]
    public static partial void Free(nint memory);

    // Databases

    [LibraryImport(Library, EntryPoint = "rocksdb_open_column_families", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Open(
        OptionsHandle options, string directory, int count, nint* names, nint* familyOptions, nint* families, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_open_for_read_only_column_families", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint OpenReadOnly(
        OptionsHandle options, string directory, int count, nint* names, nint* familyOptions, nint* families, byte failIfWalExists,
        out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_close")]
    public static partial void Close(nint database);

    [LibraryImport(Library, EntryPoint = "rocksdb_list_column_families", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint* ListFamilies(OptionsHandle options, string directory, out nuint count, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_list_column_families_destroy")]
    public static partial void DestroyFamilyList(nint* names, nuint count);

    [LibraryImport(Library, EntryPoint = "rocksdb_create_column_family", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint CreateFamily(DatabaseHandle database, OptionsHandle options, string name, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_drop_column_family")]
    public static partial void DropFamily(DatabaseHandle database, FamilyHandle family, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_column_family_handle_destroy")]
    public static partial void DestroyFamily(nint family);

    [LibraryImport(Library, EntryPoint = "rocksdb_repair_db", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Repair(OptionsHandle options, string directory, out nint error);

    // Reading and writing

    [LibraryImport(Library, EntryPoint = "rocksdb_put_cf")]
    public static partial void Put(
        DatabaseHandle database, WriteOptionsHandle options, FamilyHandle family, byte* key, nuint keyBytes, byte* value,
        nuint valueBytes, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_delete_cf")]
    public static partial void Delete(
        DatabaseHandle database, WriteOptionsHandle options, FamilyHandle family, byte* key, nuint keyBytes, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_write")]
    public static partial void Write(DatabaseHandle database, WriteOptionsHandle options, BatchHandle batch, out nint error);

    /// Null when the key is absent; else to be destroyed.
    [LibraryImport(Library, EntryPoint = "rocksdb_get_pinned_cf")]
    public static partial nint GetPinned(
        DatabaseHandle database, ReadOptionsHandle options, FamilyHandle family, byte* key, nuint keyBytes, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_value")]
    public static partial byte* PinnedValue(nint slice, out nuint valueBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_pinnableslice_destroy")]
    public static partial void DestroyPinned(nint slice);

    [LibraryImport(Library, EntryPoint = "rocksdb_flushoptions_create")]
    public static partial nint CreateFlushOptions();

    [LibraryImport(Library, EntryPoint = "rocksdb_flushoptions_destroy")]
    public static partial void DestroyFlushOptions(nint options);

    [LibraryImport(Library, EntryPoint = "rocksdb_flush_cf")]
    public static partial void Flush(DatabaseHandle database, nint flushOptions, FamilyHandle family, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_flush_wal")]
    public static partial void FlushWal(DatabaseHandle database, byte sync, out nint error);

    /// Null limits mean all keys. Reports no error.
    [LibraryImport(Library, EntryPoint = "rocksdb_compact_range_cf")]
    public static partial void Compact(
        DatabaseHandle database, FamilyHandle family, byte* first, nuint firstBytes, byte* last, nuint lastBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_get_latest_sequence_number")]
    public static partial ulong LatestSequence(DatabaseHandle database);

    /// Null when there is no such property; else to be freed.
    [LibraryImport(Library, EntryPoint = "rocksdb_property_value_cf", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint GetProperty(DatabaseHandle database, FamilyHandle family, string name);

    [LibraryImport(Library, EntryPoint = "rocksdb_create_snapshot")]
    public static partial nint CreateSnapshot(DatabaseHandle database);

    [LibraryImport(Library, EntryPoint = "rocksdb_release_snapshot")]
    public static partial void ReleaseSnapshot(nint database, nint snapshot);

    // Batches

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_create")]
    public static partial nint CreateBatch();

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_destroy")]
    public static partial void DestroyBatch(nint batch);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_clear")]
    public static partial void ClearBatch(BatchHandle batch);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_count")]
    public static partial int CountBatch(BatchHandle batch);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_put_cf")]
    public static partial void BatchPut(
        BatchHandle batch, FamilyHandle family, byte* key, nuint keyBytes, byte* value, nuint valueBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_delete_cf")]
    public static partial void BatchDelete(BatchHandle batch, FamilyHandle family, byte* key, nuint keyBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_writebatch_delete_range_cf")]
    public static partial void BatchDeleteRange(
        BatchHandle batch, FamilyHandle family, byte* first, nuint firstBytes, byte* end, nuint endBytes);

    // Iterators

    [LibraryImport(Library, EntryPoint = "rocksdb_create_iterator_cf")]
    public static partial nint CreateIterator(DatabaseHandle database, ReadOptionsHandle options, FamilyHandle family);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_destroy")]
    public static partial void DestroyIterator(nint iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_valid")]
    public static partial byte IsValid(IteratorHandle iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_seek_to_first")]
    public static partial void SeekToFirst(IteratorHandle iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_seek_to_last")]
    public static partial void SeekToLast(IteratorHandle iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_seek")]
    public static partial void Seek(IteratorHandle iterator, byte* key, nuint keyBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_seek_for_prev")]
    public static partial void SeekForPrevious(IteratorHandle iterator, byte* key, nuint keyBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_next")]
    public static partial void Next(IteratorHandle iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_prev")]
    public static partial void Previous(IteratorHandle iterator);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_key")]
    public static partial byte* Key(IteratorHandle iterator, out nuint keyBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_value")]
    public static partial byte* Value(IteratorHandle iterator, out nuint valueBytes);

    [LibraryImport(Library, EntryPoint = "rocksdb_iter_get_error")]
    public static partial void GetError(IteratorHandle iterator, out nint error);

    // Checkpoints

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_object_create")]
    public static partial nint CreateCheckpointer(DatabaseHandle database, out nint error);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_object_destroy")]
    public static partial void DestroyCheckpointer(nint checkpointer);

    [LibraryImport(Library, EntryPoint = "rocksdb_checkpoint_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void CreateCheckpoint(nint checkpointer, string directory, ulong flushAboveWalBytes, out nint error);
}
