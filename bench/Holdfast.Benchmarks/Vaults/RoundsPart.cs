using Holdfast.Benchmarks.Corpora;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Reporting;
using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Vaults;

/// Every step of a corpus with every tool, in new vaults.
internal static class RoundsPart
{
    public static void Run(VaultBench bench, Corpus corpus, int round)
    {
        bench.Disk.Renew();
        corpus.Reset();
        foreach (Step step in corpus.Steps.Where(step => bench.Options.Only.Contains(step)))
        {
            corpus.Change(step, bench.Options.Seed + round);
            foreach (string name in VaultBench.InTurn(bench.Options.Tools, round))
            {
                bench.Measure(corpus.Name, corpus, step, bench.Tool(name), bench.Place(name), round);
            }

            if (step == Step.Init && bench.Options.Tools.Contains(HoldfastTool.ToolName))
            {
                bench.Figures.Password = PasswordCost.Read(BackupTool.Repository(bench.Place(HoldfastTool.ToolName)));
            }

            if (step == Step.Restore) bench.MeasureCopy(corpus.Name, corpus, round);
        }

        corpus.Reset();
        if (round == 1 && bench.Options.Tools.Contains(HoldfastTool.ToolName)) CountCollections(bench, corpus);
    }

    /// A first backup once more, watched from inside: apart, so that watching costs no measured run anything.
    private static void CountCollections(VaultBench bench, Corpus corpus)
    {
        BackupTool tool = HoldfastTool.Watchable();
        string place = bench.Place("watched");
        string answer = Path.Combine(bench.Options.Scratch, "collector.txt");
        Directory.CreateDirectory(Path.Combine(place, "home"));
        bench.Processes.Run(tool.Init(place));
        Command backup = tool.Backup(place, corpus.Source, "first");
        var variables = new Dictionary<string, string>(backup.Variables)
        {
            ["DOTNET_STARTUP_HOOKS"] = typeof(RoundsPart).Assembly.Location,
            [StartupHook.FileVariable] = answer,
        };
        bench.Processes.Run(backup with { Variables = variables });
        string[] words = File.ReadAllText(answer).Split(' ');
        long sourceBytes = new DirectoryInfo(corpus.Source).EnumerateFiles("*", Corpus.AllFiles).Sum(file => file.Length);
        var sample = new CollectorSample(
            corpus.Name, VaultBench.StepName(Step.First), int.Parse(words[0]), long.Parse(words[1]), double.Parse(words[2]), sourceBytes);
        bench.Figures.Add(sample);
        VaultBench.Tell(
            $"{corpus.Name}, first: {sample.Gen0} gen-0 collections, {sample.AllocatedBytes / 1e6:F0} MB allocated, paused {sample.PauseMilliseconds:F0} ms");
    }
}
