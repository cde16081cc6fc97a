using Holdfast.Benchmarks.Corpora;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Reporting;
using Holdfast.Benchmarks.Tools;
using Holdfast.Testing;

namespace Holdfast.Benchmarks.Vaults;

/// What the parts of the benchmark share: it runs one step of one tool under equal conditions and keeps the figures.
internal sealed class VaultBench(VaultOptions options, ChildProcess processes, ScratchDisk disk, Figures figures)
{
    public VaultOptions Options => options;

    public ScratchDisk Disk => disk;

    public Figures Figures => figures;

    public ChildProcess Processes => processes;

    /// What went otherwise than it should, without making a figure worthless.
    public List<string> Notes { get; } = [];

    public static string StepName(Step step) => step.ToString().ToLowerInvariant();

    public static void Tell(string line) => Console.WriteLine($"{DateTime.Now:HH:mm:ss} {line}");

    /// A directory for a tool and its vault.
    public string Place(string name) => Path.Combine(disk.Root, name);

    public BackupTool Tool(string name) => name switch
    {
        HoldfastTool.ToolName => new HoldfastTool(options.Holdfast),
        ResticTool.ToolName => new ResticTool(),
        _ => new BorgTool(),
    };

    /// Tool by tool, another one first in each round.
    public static IEnumerable<string> InTurn(IReadOnlyList<string> tools, int round) =>
        Enumerable.Range(0, tools.Count).Select(i => tools[(i + round - 1) % tools.Count]);

    /// Runs a step and keeps what it cost.
    public void Measure(string work, Corpus corpus, Step step, BackupTool tool, string place, int round)
    {
        string target = $"{place}-restored-{round}";
        string repository = BackupTool.Repository(place);
        bool isBackup = step is Step.First or Step.Unchanged or Step.Touched or Step.Edited or Step.Changed;
        // borg drops what it has read from the page cache, and would leave the next tool to the disk.
        if (isBackup) Warm(corpus.Source);
        else if (step is Step.Restore or Step.Check) Warm(repository);
        if (step == Step.Init) Directory.CreateDirectory(Path.Combine(place, "home"));
        if (step == Step.Restore) Directory.CreateDirectory(target);
        disk.Settle();
        long before = BytesIn(repository);
        Measurement cost = processes.Run(CommandOf(tool, place, step, corpus, round, target));
        long? stored = isBackup || step == Step.Init ? BytesIn(repository) - before : null;
        Add(new Sample(work, StepName(step), tool.Name, round, cost.WallSeconds, cost.CpuSeconds, cost.PeakBytes, stored));
        if (step == Step.Restore && round == 1) Compare(work, corpus.Source, tool, tool.RestoredRoot(target, corpus.Source));
    }

    /// The least that writing the tree again costs, beside the restores.
    public void MeasureCopy(string work, Corpus corpus, int round)
    {
        Warm(corpus.Source);
        disk.Settle();
        Measurement cost = processes.Run(new Command(["cp", "-a", corpus.Source, Place("copy")]));
        Add(new Sample(work, StepName(Step.Restore), TargetTable.ReferenceCopy, round, cost.WallSeconds, cost.CpuSeconds, null, null));
    }

    /// Runs a backup without keeping what it cost.
    public void Backup(Corpus corpus, BackupTool tool, string place, string point) =>
        processes.Run(tool.Backup(place, corpus.Source, point));

    private Command CommandOf(BackupTool tool, string place, Step step, Corpus corpus, int round, string target) => step switch
    {
        Step.Init => tool.Init(place),
        Step.Restore => tool.Restore(place, LastPoint(corpus, round), target),
        Step.Check => tool.Check(place),
        _ => tool.Backup(place, corpus.Source, PointName(step, round)),
    };

    private static string PointName(Step step, int round) => $"{StepName(step)}-{round}";

    // What was backed up last before the restore, which borg wants by its name.
    private string LastPoint(Corpus corpus, int round) =>
        PointName(corpus.Steps.Where(options.Only.Contains).TakeWhile(step => step != Step.Restore).Last(), round);

    private void Add(Sample sample)
    {
        figures.Add(sample);
        string cost = MarkdownReport.Describe(sample.WallSeconds, sample.CpuSeconds, sample.PeakBytes, sample.StoredBytes);
        Tell($"round {sample.Round} of {options.Rounds}: {sample.Work}, {sample.Step}: {sample.Tool} {cost}");
    }

    private void Warm(string path) => processes.Run(Command.Shell("find \"$1\" -type f -exec cat {} + >/dev/null", path));

    /// A wrong restore by us ends the benchmark; one by another is told.
    private void Compare(string work, string source, BackupTool tool, string restored)
    {
        // How sparse a file is, is no matter of what it holds.
        var everythingElse = new TreeCompareOptions { IgnoreSparseness = true };
        IReadOnlyList<string> differences = TreeCompare.FindDifferences(TreeSnapshot.Take(source), TreeSnapshot.Take(restored), everythingElse);
        if (differences.Count == 0) return;
        string note = $"{work}: {tool.Name} restored {differences.Count} things differently, such as {differences[0]}";
        if (tool.Name == HoldfastTool.ToolName) throw new BenchmarkException(note);
        Tell(note);
        Notes.Add(note);
    }

    private static long BytesIn(string directory)
    {
        if (!Directory.Exists(directory)) return 0;
        return new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
    }
}
