using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>Puts random keys into an empty store, singly or in synced batches.</summary>
/// <remarks>
/// The timed part ends when the store is closed, after <see cref="IKeyValueEngine.Settle"/>: flushes, compactions and
/// hints that became due are in it; what would become due only by a further put is not forced.
/// </remarks>
internal static class PutWork
{
    private const int ChunkKeys = WorkPlan.BatchCount * 8;

    // More than a store keeps unsealed when it is closed.
    private const int WarmKeys = 64 * ChunkKeys;

    public static WorkResult Run(EngineKind kind, WorkPlan plan, string directory)
    {
        var data = new Dataset(plan.ValueBytes);
        bool isBatched = plan.Durability == Durability.Synced;

        // So that what is compiled once in the life of a process is not in the figures: twice, since the runtime compiles
        // better a moment after it has seen what is called often.
        for (int i = 0; i < 2; i++)
        {
            string warm = Path.Combine(directory, $"warm{i}");
            Directory.CreateDirectory(warm);
            using (IKeyValueEngine store = kind.Open(warm, plan.Durability))
            {
                Put(store, data, Math.Min(plan.Keys, WarmKeys), isBatched);
                store.Settle();
            }

            Thread.Sleep(300);
            Directory.Delete(warm, recursive: true);
        }

        string place = Path.Combine(directory, "store");
        Directory.CreateDirectory(place);
        ProcessMeter meter;
        using (IKeyValueEngine store = kind.Open(place, plan.Durability))
        {
            meter = ProcessMeter.Start();
            Put(store, data, plan.Keys, isBatched);
            store.Settle();
        }

        return WorkResult.Of(plan.Keys, meter.Stop());
    }

    private static void Put(IKeyValueEngine store, Dataset data, int keys, bool isBatched)
    {
        for (int from = 0; from < keys; from += ChunkKeys)
        {
            int to = Math.Min(keys, from + ChunkKeys);
            if (isBatched) PutBatches(store, data, from, to);
            else PutSingly(store, data, from, to);
        }
    }

    private static void PutSingly(IKeyValueEngine store, Dataset data, int from, int to)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        for (int i = from; i < to; i++)
        {
            Dataset.WriteKey(i, key);
            store.Put(key, data.Value(i));
        }
    }

    private static void PutBatches(IKeyValueEngine store, Dataset data, int from, int to)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        for (int i = from; i < to; i++)
        {
            Dataset.WriteKey(i, key);
            store.Add(key, data.Value(i));
            if ((i + 1) % WorkPlan.BatchCount == 0) store.Commit(isSynced: true);
        }
    }
}
