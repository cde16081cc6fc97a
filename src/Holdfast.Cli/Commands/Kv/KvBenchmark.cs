using System.Buffers.Binary;
using Holdfast.Bitcask;
using Holdfast.Log;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>A step of <see cref="KvBenchmark"/>: what was done how often, and how long it took.</summary>
/// <param name="Name">For programs.</param>
/// <param name="Says">For people.</param>
/// <param name="Records">How many records.</param>
/// <param name="Elapsed">How long, by the clock on the wall.</param>
internal sealed record KvBenchStep(string Name, string Says, long Records, TimeSpan Elapsed);

/// <summary>Puts and gets in a store that is made for it and removed afterwards.</summary>
/// <param name="host">Disk, clock and randomness.</param>
/// <param name="place">Absolute path of a directory that is there; the store is made in it.</param>
/// <param name="records">How many records.</param>
/// <param name="valueBytes">Size of each value.</param>
internal sealed class KvBenchmark(Host host, string place, int records, int valueBytes)
{
    private const int KeyBytes = 16;
    private const int BatchRecords = 128;
    private const int Writers = 32;
    private const int MostSynced = 2000;

    // Weyl sequence and mixer of SplitMix64 (Steele, Lea, Flood 2014): keys that look random and need no table.
    private const ulong KeyStep = 0x9E3779B97F4A7C15;

    // Synced steps end after this long: a slow disk must not take minutes.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private readonly byte[] value = CreateValue(valueBytes);

    /// <summary>Runs the steps one after the other. What was made is removed when the enumeration ends, however it does.</summary>
    public IEnumerable<KvBenchStep> Run(CancellationToken cancellationToken)
    {
        string directory = CreateDirectory();
        BitcaskStore? store = null;
        try
        {
            store = BitcaskStore.Open(host, directory, new BitcaskOptions());
            yield return PutUnsynced(store, cancellationToken);
            yield return Get(store, cancellationToken);
            yield return Scan(store, cancellationToken);
            yield return PutBatches(store, cancellationToken);
            yield return PutSynced(store, cancellationToken);
            yield return PutFromManyThreads(store, cancellationToken);
            yield return AppendRaw(directory, cancellationToken);
            store.Dispose();
            long started = host.Clock.GetTimestamp();
            store = BitcaskStore.Open(host, directory, new BitcaskOptions());
            yield return new KvBenchStep("open", "open the store", store.Count, host.Clock.GetElapsedTime(started));
        }
        finally
        {
            store?.Dispose();
            RemoveDirectory(directory);
        }
    }

    private KvBenchStep PutUnsynced(BitcaskStore store, CancellationToken cancellationToken)
    {
        long started = host.Clock.GetTimestamp();
        Span<byte> key = stackalloc byte[KeyBytes];
        for (int i = 0; i < records; i++)
        {
            if (i % 1024 == 0) cancellationToken.ThrowIfCancellationRequested();
            WriteKey(key, i);
            store.Put(key, value, durability: Durability.None);
        }

        store.Sync();
        return End("put", "put, one sync at the end", records, started);
    }

    private KvBenchStep Get(BitcaskStore store, CancellationToken cancellationToken)
    {
        long started = host.Clock.GetTimestamp();
        Span<byte> key = stackalloc byte[KeyBytes];
        byte[] target = new byte[valueBytes];
        for (int i = 0; i < records; i++)
        {
            if (i % 1024 == 0) cancellationToken.ThrowIfCancellationRequested();
            // Not in the order in which they were put: a stride through all of them.
            WriteKey(key, (int)((long)i * 7919 % records));
            if (!store.TryGet(key, target, out _)) throw new InvalidOperationException("a key that was put is not there");
        }

        return End("get", "get, from memory", records, started);
    }

    private KvBenchStep Scan(BitcaskStore store, CancellationToken cancellationToken)
    {
        long started = host.Clock.GetTimestamp();
        using StoreSnapshot snapshot = store.Snapshot();
        using SnapshotReader reader = snapshot.OpenReader();
        long count = 0;
        while (reader.TryRead())
        {
            if (count++ % 1024 == 0) cancellationToken.ThrowIfCancellationRequested();
        }

        return End("scan", "scan in disk order", count, started);
    }

    private KvBenchStep PutBatches(BitcaskStore store, CancellationToken cancellationToken)
    {
        long started = host.Clock.GetTimestamp();
        Span<byte> key = stackalloc byte[KeyBytes];
        var batch = new WriteBatch();
        int count = 0;
        while (count < records && GoesOn(started, cancellationToken))
        {
            batch.Clear();
            for (int i = 0; i < BatchRecords; i++)
            {
                WriteKey(key, count++);
                batch.Put(key, value);
            }

            store.Write(batch, Durability.Group);
        }

        return End("putBatches", $"put, synced batches of {BatchRecords}", count, started);
    }

    private KvBenchStep PutSynced(BitcaskStore store, CancellationToken cancellationToken)
    {
        long started = host.Clock.GetTimestamp();
        Span<byte> key = stackalloc byte[KeyBytes];
        int count = 0;
        while (count < Math.Min(records, MostSynced) && GoesOn(started, cancellationToken))
        {
            WriteKey(key, count++);
            store.Put(key, value, durability: Durability.Group);
        }

        return End("putSynced", "put, each synced", count, started);
    }

    private KvBenchStep PutFromManyThreads(BitcaskStore store, CancellationToken cancellationToken)
    {
        long started = host.Clock.GetTimestamp();
        int next = 0;
        int done = 0;
        int most = Math.Min(records, MostSynced * Writers);
        Exception? failure = null;
        var threads = new Thread[Writers];
        for (int i = 0; i < Writers; i++)
        {
            threads[i] = new Thread(Write);
            threads[i].Start();
        }

        foreach (Thread thread in threads) thread.Join();
        if (failure is not null) throw failure;
        return End("putSyncedByMany", $"put, each synced, {Writers} threads", done, started);

        void Write()
        {
            Span<byte> key = stackalloc byte[KeyBytes];
            try
            {
                int index;
                while ((index = Interlocked.Increment(ref next) - 1) < most && GoesOn(started, cancellationToken))
                {
                    WriteKey(key, index);
                    store.Put(key, value, durability: Durability.Group);
                    Interlocked.Increment(ref done);
                }
            }
            catch (Exception reason) when (reason is HoldfastException or OperationCanceledException)
            {
                Interlocked.CompareExchange(ref failure, reason, null);
            }
        }
    }

    // What the disk gives to anybody: the step beside which the synced puts are to be seen.
    private KvBenchStep AppendRaw(string directory, CancellationToken cancellationToken)
    {
        using IDiskFile file = host.Disk.CreateUnnamed(directory);
        byte[] record = new byte[KeyBytes + valueBytes];
        long started = host.Clock.GetTimestamp();
        int count = 0;
        while (count < Math.Min(records, MostSynced) && GoesOn(started, cancellationToken))
        {
            file.Write((long)count++ * record.Length, record);
            file.Sync();
        }

        return End("rawSynced", "append to a plain file, each synced", count, started);
    }

    private KvBenchStep End(string name, string says, long count, long started) =>
        new(name, says, count, host.Clock.GetElapsedTime(started));

    private bool GoesOn(long started, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return host.Clock.GetElapsedTime(started) < Longest;
    }

    private string CreateDirectory()
    {
        if (host.Disk.TryStat(place) is not { IsDirectory: true })
        {
            throw new HoldfastException(ErrorKind.Failed, $"{place}: there is no such directory", "make it first");
        }

        Span<byte> random = stackalloc byte[8];
        host.Entropy.Fill(random);
        string directory = $"{place}/holdfast-bench-{Convert.ToHexStringLower(random)}";
        return host.Disk.TryCreateDirectory(directory) ? directory : throw new InvalidOperationException($"{directory} exists");
    }

    private void RemoveDirectory(string directory)
    {
        foreach (DiskEntry entry in host.Disk.TryList(directory) ?? []) _ = host.Disk.TryDelete($"{directory}/{entry.Name}");
        _ = host.Disk.TryDeleteDirectory(directory);
    }

    private static void WriteKey(Span<byte> key, int index)
    {
        ulong mixed = KeyStep * (ulong)(index + 1);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        BinaryPrimitives.WriteUInt64LittleEndian(key, mixed ^ (mixed >> 31));
        BinaryPrimitives.WriteUInt64LittleEndian(key[8..], (ulong)index);
    }

    private static byte[] CreateValue(int bytes)
    {
        byte[] value = new byte[bytes];
        new Random(1).NextBytes(value);
        return value;
    }
}
