using System.Globalization;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// What <c>kv</c> is asked for.
internal sealed record KeyValueOptions
{
    public const string Help = """
        kv: the key-value engine side by side with RocksDB and LMDB, each work in a new process

          --keys N            keys of the works with small values; the others grow with it (2000000)
          --rounds N          how often everything is measured (3)
          --only WORK,…       put-128, put-1k, batch-128, batch-1k, get-128, absent, get-1k,
                              touch-64k, open-closed, open-hints, open-data, stall-idle,
                              stall-merge, stall-checkpoint, and synced- before those of stall (all)
          --engines NAME,…    holdfast, rocksdb, rocksdb-buffered, lmdb (all that are there, each
                              where it makes sense; open: holdfast alone)
          --dir DIR           where the stores lie while they are measured ($TMPDIR)
          --results DIR       where kv.md and kv.json are put (artifacts/bench)
        """;

    public int Keys { get; init; } = WorkPlan.DefaultKeys;

    public int Rounds { get; init; } = 3;

    public IReadOnlyList<string> Only { get; init; } = [.. WorkPlan.All(WorkPlan.DefaultKeys).Select(plan => plan.Name)];

    /// Null: all, where they are meant to be compared.
    public IReadOnlyList<string>? Engines { get; init; }

    public string Place { get; init; } = Path.GetTempPath();

    public string Results { get; init; } = Path.GetFullPath("artifacts/bench");

    public static KeyValueOptions Parse(ReadOnlySpan<string> words)
    {
        var options = new KeyValueOptions();
        for (int i = 0; i < words.Length; i += 2)
        {
            string value = i + 1 < words.Length ? words[i + 1] : throw new BenchmarkException($"{words[i]}: a value is missing\n\n{Help}");
            options = words[i] switch
            {
                "--keys" => options with { Keys = Number(value) },
                "--rounds" => options with { Rounds = Number(value) },
                "--only" => options with { Only = List(value, options.Only) },
                "--engines" => options with { Engines = List(value, [.. EngineKind.All.Select(kind => kind.Name)]) },
                "--dir" => options with { Place = Path.GetFullPath(value) },
                "--results" => options with { Results = Path.GetFullPath(value) },
                _ => throw new BenchmarkException($"{words[i]}: no such option\n\n{Help}"),
            };
        }

        return options;
    }

    /// Whether an engine takes part in a work.
    public bool Includes(EngineKind kind, WorkPlan plan) => Engines?.Contains(kind.Name) ?? kind.Works(plan.Work);

    private static int Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new BenchmarkException($"{value}: not a number above 0");

    private static string[] List(string value, IReadOnlyList<string> known)
    {
        string[] names = value.Split(',');
        string? unknown = Array.Find(names, name => !known.Contains(name));
        return unknown is null ? names : throw new BenchmarkException($"{unknown}: not one of {string.Join(", ", known)}");
    }
}
