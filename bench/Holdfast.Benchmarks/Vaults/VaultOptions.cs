using Holdfast.Benchmarks.Corpora;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Tools;
using static Holdfast.Benchmarks.OptionText;

namespace Holdfast.Benchmarks.Vaults;

/// What <c>vault</c> is asked for.
internal sealed record VaultOptions
{
    public const string Help = """
        vault: backup, restore and check side by side with restic and borg

          --rounds N          how often everything is measured (3)
          --corpora NAME,…    linux, usr, image (all)
          --tools NAME,…      holdfast, restic, borg (all)
          --only STEP,…       init, first, unchanged, touched, edited, changed, restore,
                              check (all; init and first are always run)
          --usr-size SIZE     how much of /usr is copied (2G)
          --points N          measure again in a vault with N earlier points (100; 0: not)
          --points-tools …    with which tools (holdfast: hundreds of backups take the others long)
          --index N           measure again in a vault whose index lists N further chunks
                              (50000000; 0: not)
          --seed N            chooses edits and changed files (1)
          --scratch DIR       where everything lies; corpora stay there for the next run
                              ($TMPDIR/holdfast-bench)
          --results DIR       where vault.md and vault.json are put (artifacts/bench)
          --holdfast FILE     the program (HOLDFAST_BINARY, else out/holdfast)
        """;

    public int Rounds { get; init; } = 3;

    public IReadOnlyList<string> Corpora { get; init; } = ["linux", "usr", "image"];

    public IReadOnlyList<string> Tools { get; init; } = [HoldfastTool.ToolName, ResticTool.ToolName, BorgTool.ToolName];

    public IReadOnlyList<Step> Only { get; init; } = Enum.GetValues<Step>();

    public long UsrBytes { get; init; } = 2L << 30;

    public int Points { get; init; } = 100;

    public IReadOnlyList<string> PointsTools { get; init; } = [HoldfastTool.ToolName];

    public int IndexedChunks { get; init; } = 50_000_000;

    public int Seed { get; init; } = 1;

    public string Scratch { get; init; } = Path.Combine(Path.GetTempPath(), "holdfast-bench");

    public string Results { get; init; } = Path.GetFullPath("artifacts/bench");

    public string Holdfast { get; init; } =
        Path.GetFullPath(Environment.GetEnvironmentVariable("HOLDFAST_BINARY") is { Length: > 0 } binary ? binary : "out/holdfast");

    private static string[] StepNames => [.. Enum.GetNames<Step>().Select(name => name.ToLowerInvariant())];

    public static VaultOptions Parse(ReadOnlySpan<string> words)
    {
        var options = new VaultOptions();
        for (int i = 0; i < words.Length; i += 2)
        {
            string value = i + 1 < words.Length ? words[i + 1] : throw new BenchmarkException($"{words[i]}: a value is missing\n\n{Help}");
            options = words[i] switch
            {
                "--rounds" => options with { Rounds = Number(value) },
                "--corpora" => options with { Corpora = List(value, options.Corpora) },
                "--tools" => options with { Tools = List(value, options.Tools) },
                "--only" => options with { Only = [Step.Init, Step.First, .. List(value, StepNames).Select(Named)] },
                "--usr-size" => options with { UsrBytes = Bytes(value) },
                "--points" => options with { Points = Number(value) },
                "--points-tools" => options with { PointsTools = List(value, options.Tools) },
                "--index" => options with { IndexedChunks = Number(value) },
                "--seed" => options with { Seed = Number(value) },
                "--scratch" => options with { Scratch = Path.GetFullPath(value) },
                "--results" => options with { Results = Path.GetFullPath(value) },
                "--holdfast" => options with { Holdfast = Path.GetFullPath(value) },
                _ => throw new BenchmarkException($"{words[i]}: no such option\n\n{Help}"),
            };
        }

        return options;
    }

    private static Step Named(string name) => Enum.Parse<Step>(name, ignoreCase: true);
}
