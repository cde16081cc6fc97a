using System.Text.Json;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>The child's side: does one work with one engine and prints the result as one line.</summary>
/// <remarks>Words: load or work, the engine, the name of the work, the keys of the run, the directory of the store.</remarks>
internal static class StoreWorker
{
    public const string Verb = "kv-worker";
    private const string LoadWord = "load";
    private const int PutsPerCommit = 1000;

    public static string[] LoadWords(EngineKind kind, WorkPlan plan, int keys, string directory) =>
        [Verb, LoadWord, kind.Name, plan.Name, Invariant(keys), directory];

    public static string[] WorkWords(EngineKind kind, WorkPlan plan, int keys, string directory) =>
        [Verb, "work", kind.Name, plan.Name, Invariant(keys), directory];

    public static WorkResult Parse(string line) =>
        JsonSerializer.Deserialize<WorkResult>(line) ?? throw new BenchmarkException($"no result: {line}");

    public static void Run(ReadOnlySpan<string> words)
    {
        string engine = words[1], name = words[2], directory = words[4];
        int keys = int.Parse(words[3], System.Globalization.CultureInfo.InvariantCulture);
        EngineKind kind = EngineKind.All.First(kind => kind.Name == engine);
        WorkPlan plan = WorkPlan.All(keys).First(plan => plan.Name == name);
        if (words[0] == LoadWord)
        {
            using IKeyValueEngine store = kind.Open(directory, plan.Durability);
            var data = new Dataset(plan.ValueBytes);
            Load(store, data, 0, plan.Keys);
            store.Settle();
            store.Compact();
            store.Settle();
            return;
        }

        Console.WriteLine(JsonSerializer.Serialize(Work(kind, plan, directory)));
    }

    /// Puts the keys of some indexes, unsynced, as fast as the engine takes them.
    public static void Load(IKeyValueEngine store, Dataset data, int from, int to)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        for (int i = from; i < to; i++)
        {
            Dataset.WriteKey(i, key);
            store.Add(key, data.Value(i));
            if ((i + 1) % PutsPerCommit == 0 || i + 1 == to) store.Commit(isSynced: false);
        }
    }

    private static WorkResult Work(EngineKind kind, WorkPlan plan, string directory) => plan.Work switch
    {
        KeyValue.Work.Put128 or KeyValue.Work.Put1K or KeyValue.Work.Batch128 or KeyValue.Work.Batch1K =>
            PutWork.Run(kind, plan, directory),
        KeyValue.Work.Get128 or KeyValue.Work.Get1K or KeyValue.Work.Touch64K or KeyValue.Work.Absent =>
            GetWork.Run(kind, plan, directory),
        KeyValue.Work.OpenClosed or KeyValue.Work.OpenHints or KeyValue.Work.OpenData => OpenWork.Run(kind, plan, directory),
        _ => StallWork.Run(kind, plan, directory),
    };

    private static string Invariant(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
