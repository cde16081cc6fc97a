using System.Runtime.InteropServices;
using System.Text.Json;
using Holdfast.Benchmarks.Corpora;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Reporting;
using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Vaults;

/// The whole comparison: every tool, every corpus, every step; the same again in old and in large vaults.
internal sealed class VaultBenchmark(VaultOptions options)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public void Run()
    {
        RequirePrograms();
        Directory.CreateDirectory(options.Scratch);
        RequireSpace();
        var processes = new ChildProcess(Path.Combine(options.Scratch, "output.txt"));
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, processes.StopOn);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, processes.StopOn);
        using var disk = new ScratchDisk(options.Scratch, processes);
        var bench = new VaultBench(options, processes, disk, new Figures());
        List<string> facts = [.. Machine.Facts(processes), .. options.Tools.Select(tool => processes.FirstLine(bench.Tool(tool).Version))];
        string loadBefore = Machine.Load;
        Corpus[] corpora = [.. Corpora()];
        foreach (Corpus corpus in corpora) corpus.Prepare(processes, VaultBench.Tell);
        try
        {
            Measure(bench, corpora);
        }
        finally
        {
            foreach (Corpus corpus in corpora) corpus.Reset();
            facts.Add($"load average {loadBefore} before, {Machine.Load} after");
            // Also what an interrupted run has measured.
            if (bench.Figures.Samples.Count > 0) Write(bench, corpora, facts);
        }
    }

    private void Measure(VaultBench bench, Corpus[] corpora)
    {
        for (int round = 1; round <= options.Rounds; round++)
        {
            foreach (Corpus corpus in corpora) RoundsPart.Run(bench, corpus, round);
        }

        LinuxCorpus? tree = corpora.OfType<LinuxCorpus>().FirstOrDefault();
        if (tree is null) return;
        if (options.Points > 0) PointsPart.Run(bench, tree);
        if (options.IndexedChunks > 0 && options.Tools.Contains(HoldfastTool.ToolName)) IndexPart.Run(bench, tree);
    }

    private IEnumerable<Corpus> Corpora()
    {
        string folder = Path.Combine(options.Scratch, "corpora");
        foreach (string name in options.Corpora)
        {
            string directory = Path.Combine(folder, name);
            yield return name switch
            {
                LinuxCorpus.CorpusName => new LinuxCorpus(directory),
                "usr" => new UsrCorpus(directory, options.UsrBytes),
                _ => new ImageCorpus(directory, options.Seed),
            };
        }
    }

    private void RequirePrograms()
    {
        bool IsMissing(string program) => !Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
        var packages = new List<string>();
        if (options.Tools.Contains(ResticTool.ToolName) && IsMissing("restic")) packages.Add("restic");
        if (options.Tools.Contains(BorgTool.ToolName) && IsMissing("borg")) packages.Add("borgbackup");
        if (options.Corpora.Contains(LinuxCorpus.CorpusName) && !File.Exists(LinuxCorpus.Archive)) packages.Add("linux-source-6.1");
        if (packages.Count > 0) throw new BenchmarkException($"missing packages: {string.Join(' ', packages)}; run ./dev bench setup");
        if (!File.Exists(options.Holdfast)) throw new BenchmarkException($"{options.Holdfast}: not there; run ./dev build");
    }

    private void RequireSpace()
    {
        const long needed = ScratchDisk.DiskBytes + (8L << 30);
        long free = new DriveInfo(options.Scratch).AvailableFreeSpace;
        if (free < needed) throw new BenchmarkException($"{options.Scratch}: {free >> 30} GiB free, {needed >> 30} needed; name another place with --scratch");
    }

    private void Write(VaultBench bench, Corpus[] corpora, List<string> facts)
    {
        var report = new MarkdownReport(bench.Figures);
        foreach (string fact in facts) report.AddLine($"- {fact}");
        report.AddLine(ScratchDisk.IsFileSystem ? "- vaults and restores on a new ext4 for each round and corpus" : "- vaults and restores in a directory");
        foreach (Corpus corpus in corpora) report.AddLine($"- {corpus.Name}: {corpus.Description}");
        foreach (string note in bench.Notes) report.AddLine($"- {note}");
        report.AddLine();
        report.AddTargets(TargetTable.All(PointsPart.Work(options.Points), IndexPart.Work(options.IndexedChunks)));
        report.AddLine();
        report.AddLine($"Medians of {options.Rounds} rounds: wall / user and system time, peak memory, bytes stored.");
        report.AddLine();
        report.AddDetails();
        Console.WriteLine($"\n{report}");
        Directory.CreateDirectory(options.Results);
        File.WriteAllText(Path.Combine(options.Results, "vault.md"), report.ToString());
        var document = new { facts, bench.Notes, bench.Figures.Samples, bench.Figures.Collections, bench.Figures.Password };
        File.WriteAllText(Path.Combine(options.Results, "vault.json"), JsonSerializer.Serialize(document, Json));
        VaultBench.Tell($"written: {options.Results}/vault.md and vault.json");
    }
}
