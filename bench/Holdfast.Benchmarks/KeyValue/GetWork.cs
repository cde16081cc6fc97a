using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>Reads all keys of a full store in random order: once to warm caches, with all values compared; then timed.</summary>
internal static class GetWork
{
    private const int ChunkKeys = 1000;

    /// Added to an index, makes one whose key is not there.
    private const long AbsentIndex = 1L << 40;

    private delegate void Pass(ReadOnlySpan<int> indexes);

    public static WorkResult Run(EngineKind kind, WorkPlan plan, string directory)
    {
        using IKeyValueEngine store = kind.Open(directory, plan.Durability);
        var data = new Dataset(plan.ValueBytes);
        int[] order = Dataset.Shuffled(plan.Keys);
        byte[] target = new byte[plan.ValueBytes];
        if (plan.Work != Work.Absent) Compare(store, data, order, target);
        Pass pass = plan.Work switch
        {
            Work.Touch64K => indexes => Touch(store, data, indexes),
            Work.Absent => indexes => Miss(store, indexes, target),
            _ => indexes => Get(store, indexes, target),
        };
        // With values touched in place this pass does what the first one does for those that are copied.
        Repeat(pass, order, plan.Work is Work.Touch64K or Work.Absent ? 1 : 0);
        Repeat(pass, order.AsSpan(0, Math.Min(order.Length, 50 * ChunkKeys)), 2);
        Thread.Sleep(300);
        store.Settle();
        var meter = ProcessMeter.Start();
        Repeat(pass, order, plan.Passes);
        return WorkResult.Of((long)plan.Keys * plan.Passes, meter.Stop());
    }

    private static void Repeat(Pass pass, ReadOnlySpan<int> order, int times)
    {
        for (int i = 0; i < times; i++)
        {
            for (int from = 0; from < order.Length; from += ChunkKeys)
            {
                pass(order.Slice(from, Math.Min(ChunkKeys, order.Length - from)));
            }
        }
    }

    private static void Get(IKeyValueEngine store, ReadOnlySpan<int> indexes, byte[] target)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        foreach (int index in indexes)
        {
            Dataset.WriteKey(index, key);
            if (store.Get(key, target) != target.Length) Complain(index);
        }
    }

    private static void Touch(IKeyValueEngine store, Dataset data, ReadOnlySpan<int> indexes)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        foreach (int index in indexes)
        {
            Dataset.WriteKey(index, key);
            ReadOnlySpan<byte> expected = data.Value(index);
            if (store.Touch(key, out int sum) != expected.Length || sum != expected[0] + expected[^1]) Complain(index);
        }
    }

    private static void Miss(IKeyValueEngine store, ReadOnlySpan<int> indexes, byte[] target)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        foreach (int index in indexes)
        {
            Dataset.WriteKey(index + AbsentIndex, key);
            if (store.Get(key, target) != -1) Complain(index);
        }
    }

    private static void Compare(IKeyValueEngine store, Dataset data, int[] order, byte[] target)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        foreach (int index in order)
        {
            Dataset.WriteKey(index, key);
            if (store.Get(key, target) != target.Length || !data.Value(index).SequenceEqual(target)) Complain(index);
        }
    }

    private static void Complain(int index) => throw new BenchmarkException($"key {index}: not the value that was put");
}
