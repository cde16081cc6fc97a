using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Databases;

/// What <c>db</c> is asked for.
internal sealed record DatabaseOptions
{
    public const string Help = """
        db: copies of live databases beside RocksDB's and SQLite's own

          --rounds N          how often each copy is made (5)
          --mib N             size of the large database (1024); the small one has a 16th of it
          --only PART,…       checkpoint, incremental, sqlite (all)
          --dir DIR           where the databases lie ($TMPDIR)
          --results DIR       where db.md and db.json are put (artifacts/bench)
        """;

    private static readonly string[] Parts = ["checkpoint", "incremental", "sqlite"];

    public int Rounds { get; init; } = 5;

    public int Mebibytes { get; init; } = 1024;

    public IReadOnlyList<string> Only { get; init; } = Parts;

    public string Place { get; init; } = Path.GetTempPath();

    public string Results { get; init; } = Path.GetFullPath("artifacts/bench");

    public static DatabaseOptions Parse(ReadOnlySpan<string> words)
    {
        var options = new DatabaseOptions();
        for (int i = 0; i < words.Length; i += 2)
        {
            string value = i + 1 < words.Length ? words[i + 1] : throw new BenchmarkException($"{words[i]}: a value is missing\n\n{Help}");
            options = words[i] switch
            {
                "--rounds" => options with { Rounds = OptionText.Number(value) },
                "--mib" => options with { Mebibytes = OptionText.Number(value) },
                "--only" => options with { Only = OptionText.List(value, Parts) },
                "--dir" => options with { Place = Path.GetFullPath(value) },
                "--results" => options with { Results = Path.GetFullPath(value) },
                _ => throw new BenchmarkException($"{words[i]}: no such option\n\n{Help}"),
            };
        }

        return options;
    }
}
