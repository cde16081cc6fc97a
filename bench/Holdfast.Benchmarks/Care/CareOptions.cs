using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Tools;
using static Holdfast.Benchmarks.OptionText;

namespace Holdfast.Benchmarks.Care;

/// What <c>care</c> is asked for.
internal sealed record CareOptions
{
    public const string PrunePartName = "prune";
    public const string TreePartName = "tree";
    public const string PointsPartName = "points";
    public const string ScalePartName = "scale";

    public const string Help = """
        care: prune, forget and check side by side with restic and borg, and in very large vaults

          --rounds N          how often everything is measured (3)
          --only PART,…       prune: half of a vault comes free; tree: the points of the
                              kernel's source; points: very many; scale: very many chunks
                              and files (all)
          --tools NAME,…      holdfast, restic, borg (all)
          --size SIZE         of the vault that is pruned (5G)
          --points N          how many very many points are (10000)
          --chunks N          how many very many chunks are (50000000)
          --files N           how many very many files are (1000000)
          --seed N            makes and chooses files (1)
          --scratch DIR       where everything lies ($TMPDIR/holdfast-bench)
          --results DIR       where care.md and care.json are put (artifacts/bench)
          --holdfast FILE     the program (HOLDFAST_BINARY, else out/holdfast)
        """;

    public int Rounds { get; init; } = 3;

    public IReadOnlyList<string> Only { get; init; } = [PrunePartName, TreePartName, PointsPartName, ScalePartName];

    public IReadOnlyList<string> Tools { get; init; } = [HoldfastTool.ToolName, ResticTool.ToolName, BorgTool.ToolName];

    public long SourceBytes { get; init; } = 5L << 30;

    public int Points { get; init; } = 10_000;

    public int Chunks { get; init; } = 50_000_000;

    public int Files { get; init; } = 1_000_000;

    public int Seed { get; init; } = 1;

    public string Scratch { get; init; } = Path.Combine(Path.GetTempPath(), "holdfast-bench");

    public string Results { get; init; } = Path.GetFullPath("artifacts/bench");

    public string Holdfast { get; init; } =
        Path.GetFullPath(Environment.GetEnvironmentVariable("HOLDFAST_BINARY") is { Length: > 0 } binary ? binary : "out/holdfast");

    public static CareOptions Parse(ReadOnlySpan<string> words)
    {
        var options = new CareOptions();
        for (int i = 0; i < words.Length; i += 2)
        {
            string value = i + 1 < words.Length ? words[i + 1] : throw new BenchmarkException($"{words[i]}: a value is missing\n\n{Help}");
            options = words[i] switch
            {
                "--rounds" => options with { Rounds = Number(value) },
                "--only" => options with { Only = List(value, options.Only) },
                "--tools" => options with { Tools = List(value, options.Tools) },
                "--size" => options with { SourceBytes = Bytes(value) },
                "--points" => options with { Points = Number(value) },
                "--chunks" => options with { Chunks = Number(value) },
                "--files" => options with { Files = Number(value) },
                "--seed" => options with { Seed = Number(value) },
                "--scratch" => options with { Scratch = Path.GetFullPath(value) },
                "--results" => options with { Results = Path.GetFullPath(value) },
                "--holdfast" => options with { Holdfast = Path.GetFullPath(value) },
                _ => throw new BenchmarkException($"{words[i]}: no such flag\n\n{Help}"),
            };
        }

        return options;
    }
}
