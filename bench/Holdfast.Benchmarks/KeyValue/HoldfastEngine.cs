using Holdfast.Bitcask;

namespace Holdfast.Benchmarks.KeyValue;

/// Our own engine, through its public library.
internal sealed class HoldfastEngine : IKeyValueEngine
{
    public const string Settings =
        "compact keydir, segments of 256 MiB, hints and merges in the background, CRC at the first read since open";

    private readonly BitcaskStore store;
    private readonly WriteBatch batch = new();

    public HoldfastEngine(string directory) => store = BitcaskStore.Open(
        directory,
        new BitcaskOptions
        {
            Durability = Log.Durability.None,
            // Merges run when the work asks for them, not when they would be due.
            Merge = new MergeOptions { DeadRatioTrigger = 2, DeadBytesTrigger = long.MaxValue, SmallCountTrigger = int.MaxValue },
        });

    public long? IndexBytes => store.GetStatistics().KeydirBytes;

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => store.Put(key, value);

    public void PutSynced(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        store.Put(key, value, durability: Log.Durability.Group);

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => batch.Put(key, value);

    public void Commit(bool isSynced)
    {
        store.Write(batch, isSynced ? Log.Durability.Group : Log.Durability.None);
        batch.Clear();
    }

    public int Get(ReadOnlySpan<byte> key, Span<byte> target) => store.TryGet(key, target, out int length) ? length : -1;

    public int Touch(ReadOnlySpan<byte> key, out int sumOfBytes)
    {
        sumOfBytes = 0;
        using ValueLease? lease = store.Lease(key);
        if (lease is null) return -1;
        ReadOnlySpan<byte> value = lease.Value;
        sumOfBytes = value[0] + value[^1];
        return value.Length;
    }

    public void Settle()
    {
        store.Flush();
        store.Maintain();
    }

    public void Compact() => store.Merge(MergeScope.All);

    public void Checkpoint(string directory) => store.Checkpoint(directory);

    public void Dispose() => store.Dispose();
}
