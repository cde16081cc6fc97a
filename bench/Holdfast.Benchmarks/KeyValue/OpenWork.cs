using System.Diagnostics;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>Opens a full store: the first open of this process, as a program that starts meets it, compilation included.</summary>
/// <remarks>The timed part is the open alone; then a get, memory, and a second open.</remarks>
internal static class OpenWork
{
    public static WorkResult Run(EngineKind kind, WorkPlan plan, string directory)
    {
        long anonymous = ProcessMeter.AnonymousBytes(), resident = ProcessMeter.ResidentBytes();
        var meter = ProcessMeter.Start();
        WorkResult result;
        long? index;
        using (IKeyValueEngine store = kind.Open(directory, plan.Durability))
        {
            result = WorkResult.Of(plan.Keys, meter.Stop());
            Find(store, plan);
            GC.Collect(2, GCCollectionMode.Aggressive);
            anonymous = ProcessMeter.AnonymousBytes() - anonymous;
            resident = ProcessMeter.ResidentBytes() - resident;
            index = store.IndexBytes;
            // What an open begins, such as making hints that are missing, is done before the second one.
            store.Settle();
        }

        long started = Stopwatch.GetTimestamp();
        using (kind.Open(directory, plan.Durability))
        {
            double again = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return result with { Open = new OpenFigures(anonymous, resident, index, again) };
        }
    }

    private static void Find(IKeyValueEngine store, WorkPlan plan)
    {
        byte[] key = new byte[Dataset.KeyBytes], value = new byte[plan.ValueBytes];
        foreach (int index in (int[])[0, plan.Keys / 2, plan.Keys - 1])
        {
            Dataset.WriteKey(index, key);
            if (store.Get(key, value) != value.Length) throw new BenchmarkException($"key {index} is not in the opened store");
        }
    }
}
