using System.Runtime.InteropServices;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// RocksDB through its C library.
internal sealed unsafe class RocksDbEngine : IKeyValueEngine
{
    public const string EngineName = "rocksdb";

    public const string Settings =
        "no compression, Bloom filter of 10 bits, block cache 1 GiB, memtable 64 MiB, write-ahead log on, else defaults; " +
        "compacted before reads; pinned gets";

    private const int BloomBitsPerKey = 10;
    private const uint CacheBytes = 1u << 30;
    private const uint MemtableBytes = 64u << 20;

    private static readonly string[] BackgroundWork =
    [
        "rocksdb.mem-table-flush-pending", "rocksdb.num-running-flushes",
        "rocksdb.compaction-pending", "rocksdb.num-running-compactions",
    ];

    private readonly bool isWalBuffered;
    private readonly nint options = RocksDb.CreateOptions();
    private readonly nint tableOptions = RocksDb.CreateTableOptions();
    private readonly nint cache = RocksDb.CreateCache(CacheBytes);
    private readonly nint unsynced = RocksDb.CreateWriteOptions();
    private readonly nint synced = RocksDb.CreateWriteOptions();
    private readonly nint reading = RocksDb.CreateReadOptions();
    private readonly nint batch = RocksDb.CreateBatch();
    private readonly nint store;

    public RocksDbEngine(string directory, bool isWalBuffered)
    {
        this.isWalBuffered = isWalBuffered;
        RocksDb.SetBlockCache(tableOptions, cache);
        RocksDb.SetFilter(tableOptions, RocksDb.CreateBloomFilter(BloomBitsPerKey));
        RocksDb.SetCreateIfMissing(options, 1);
        RocksDb.SetCompression(options, RocksDb.NoCompression);
        RocksDb.SetWriteBufferBytes(options, MemtableBytes);
        RocksDb.SetManualWalFlush(options, isWalBuffered ? (byte)1 : (byte)0);
        RocksDb.SetTable(options, tableOptions);
        RocksDb.SetSync(synced, 1);
        store = RocksDb.Open(options, directory, out nint error);
        Require(error);
    }

    public long? IndexBytes =>
        RocksDb.GetProperty(store, "rocksdb.estimate-table-readers-mem", out ulong bytes) == 0 ? (long)bytes : null;

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(unsynced, key, value);

    public void PutSynced(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(synced, key, value);

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyStart = key, valueStart = value)
        {
            RocksDb.AddToBatch(batch, keyStart, (nuint)key.Length, valueStart, (nuint)value.Length);
        }
    }

    public void Commit(bool isSynced)
    {
        RocksDb.Write(store, isSynced ? synced : unsynced, batch, out nint error);
        Require(error);
        RocksDb.ClearBatch(batch);
    }

    public int Get(ReadOnlySpan<byte> key, Span<byte> target)
    {
        nint slice = Pin(key);
        if (slice == 0) return -1;
        byte* value = RocksDb.PinnedValue(slice, out nuint length);
        new ReadOnlySpan<byte>(value, (int)length).CopyTo(target);
        RocksDb.DestroyPinned(slice);
        return (int)length;
    }

    public int Touch(ReadOnlySpan<byte> key, out int sumOfBytes)
    {
        sumOfBytes = 0;
        nint slice = Pin(key);
        if (slice == 0) return -1;
        byte* value = RocksDb.PinnedValue(slice, out nuint length);
        sumOfBytes = value[0] + value[length - 1];
        RocksDb.DestroyPinned(slice);
        return (int)length;
    }

    public void Settle()
    {
        if (isWalBuffered)
        {
            RocksDb.FlushWal(store, 0, out nint error);
            Require(error);
        }

        // This version cannot be asked to wait. One job starts the next a moment after its end: hence several looks.
        for (int quiet = 0; quiet < 10; Thread.Sleep(1))
        {
            quiet = Array.TrueForAll(BackgroundWork, name => Property(name) == 0) ? quiet + 1 : 0;
        }
    }

    public void Compact()
    {
        nint compaction = RocksDb.CreateCompactOptions();
        RocksDb.SetLowestLevelCompaction(compaction, RocksDb.Force);
        RocksDb.Compact(store, compaction, null, 0, null, 0);
        RocksDb.DestroyCompactOptions(compaction);
    }

    public void Checkpoint(string directory)
    {
        nint checkpointer = RocksDb.CreateCheckpointer(store, out nint error);
        Require(error);
        RocksDb.CreateCheckpoint(checkpointer, directory, 0, out error);
        RocksDb.DestroyCheckpointer(checkpointer);
        Require(error);
    }

    public void Dispose()
    {
        RocksDb.Close(store);
        RocksDb.DestroyBatch(batch);
        RocksDb.DestroyReadOptions(reading);
        RocksDb.DestroyWriteOptions(synced);
        RocksDb.DestroyWriteOptions(unsynced);
        RocksDb.DestroyTableOptions(tableOptions);
        RocksDb.DestroyOptions(options);
        RocksDb.DestroyCache(cache);
    }

    private void Put(nint how, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyStart = key, valueStart = value)
        {
            RocksDb.Put(store, how, keyStart, (nuint)key.Length, valueStart, (nuint)value.Length, out nint error);
            Require(error);
        }
    }

    private nint Pin(ReadOnlySpan<byte> key)
    {
        fixed (byte* keyStart = key)
        {
            nint slice = RocksDb.GetPinned(store, reading, keyStart, (nuint)key.Length, out nint error);
            Require(error);
            return slice;
        }
    }

    private ulong Property(string name) =>
        RocksDb.GetProperty(store, name, out ulong value) == 0
            ? value
            : throw new BenchmarkException($"RocksDB has no property {name}");

    private static void Require(nint error)
    {
        if (error != 0) Throw(error);
    }

    private static void Throw(nint error)
    {
        string? message = Marshal.PtrToStringUTF8(error);
        RocksDb.Free(error);
        throw new BenchmarkException($"RocksDB: {message}");
    }
}
