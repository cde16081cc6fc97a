using System.Runtime.InteropServices;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Databases.RocksDb;

namespace Holdfast.Benchmarks.Databases;

/// RocksDB's own ways to copy itself, through its C API.
internal static partial class BackupEngine
{
    /// A backup by rocksdb_backup_engine: incremental where its directory has one, synced, flushed first.
    public static void Run(RocksDatabase database, string directory)
    {
        nint environment = CreateEnvironment();
        nint engineOptions = CreateEngineOptions(directory);
        try
        {
            SetSync(engineOptions, 1);
            nint engine = Open(engineOptions, environment, out nint error);
            Check(error);
            CreateBackup(engine, database.Handle, 1, out error);
            Check(error);
            Close(engine);
        }
        finally
        {
            DestroyEngineOptions(engineOptions);
            DestroyEnvironment(environment);
        }
    }

    /// A bare checkpoint, flushed first.
    public static void Checkpoint(RocksDatabase database, string directory)
    {
        nint checkpointer = LibRocksDb.CreateCheckpointer(database.Handle, out nint error);
        Check(error);
        LibRocksDb.CreateCheckpoint(checkpointer, directory, 0, out error);
        LibRocksDb.DestroyCheckpointer(checkpointer);
        Check(error);
    }

    private static void Check(nint error)
    {
        if (RocksError.Take(error) is { } text) throw new BenchmarkException(text);
    }

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_create_default_env")]
    private static partial nint CreateEnvironment();

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_env_destroy")]
    private static partial void DestroyEnvironment(nint environment);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_backup_engine_options_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint CreateEngineOptions(string directory);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_backup_engine_options_destroy")]
    private static partial void DestroyEngineOptions(nint options);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_backup_engine_options_set_sync")]
    private static partial void SetSync(nint options, byte value);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_backup_engine_open_opts")]
    private static partial nint Open(nint options, nint environment, out nint error);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_backup_engine_create_new_backup_flush")]
    private static partial void CreateBackup(nint engine, DatabaseHandle database, byte flush, out nint error);

    [LibraryImport(LibRocksDb.Library, EntryPoint = "rocksdb_backup_engine_close")]
    private static partial void Close(nint engine);
}
