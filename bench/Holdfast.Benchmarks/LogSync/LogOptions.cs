using System.Globalization;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.LogSync;

/// What <c>log</c> is asked for.
internal sealed record LogOptions
{
    public const string Help = """
        log: appends of 4 KiB beside bare writes to the same disk

          --rounds N          how often everything is measured (5)
          --appends N         synced appends of one writer in a round (1000)
          --seconds N         how long many writers append in a round (2)
          --stream-mib N      length of an unsynced stream (1024)
          --only PART,…       one, many, stream (all)
          --dir DIR           where the files lie while they are measured ($TMPDIR)
          --results DIR       where log.md and log.json are put (artifacts/bench)
        """;

    private static readonly string[] Parts = ["one", "many", "stream"];

    public int Rounds { get; init; } = 5;

    public int Appends { get; init; } = 1000;

    public int Seconds { get; init; } = 2;

    public int StreamMebibytes { get; init; } = 1024;

    public IReadOnlyList<string> Only { get; init; } = Parts;

    public string Place { get; init; } = Path.GetTempPath();

    public string Results { get; init; } = Path.GetFullPath("artifacts/bench");

    public static LogOptions Parse(ReadOnlySpan<string> words)
    {
        var options = new LogOptions();
        for (int i = 0; i < words.Length; i += 2)
        {
            string value = i + 1 < words.Length ? words[i + 1] : throw new BenchmarkException($"{words[i]}: a value is missing\n\n{Help}");
            options = words[i] switch
            {
                "--rounds" => options with { Rounds = Number(value) },
                "--appends" => options with { Appends = Number(value) },
                "--seconds" => options with { Seconds = Number(value) },
                "--stream-mib" => options with { StreamMebibytes = Number(value) },
                "--only" => options with { Only = List(value) },
                "--dir" => options with { Place = Path.GetFullPath(value) },
                "--results" => options with { Results = Path.GetFullPath(value) },
                _ => throw new BenchmarkException($"{words[i]}: no such option\n\n{Help}"),
            };
        }

        return options;
    }

    private static int Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw new BenchmarkException($"{value}: not a number above 0");

    private static string[] List(string value)
    {
        string[] names = value.Split(',');
        string? unknown = Array.Find(names, name => !Parts.Contains(name));
        return unknown is null ? names : throw new BenchmarkException($"{unknown}: not one of {string.Join(", ", Parts)}");
    }
}
