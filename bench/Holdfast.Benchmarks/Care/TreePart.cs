using Holdfast.Benchmarks.Corpora;
using Holdfast.Benchmarks.Tools;
using Holdfast.Benchmarks.Vaults;

namespace Holdfast.Benchmarks.Care;

/// The kernel's source with some changed files at each point: a check of what leads to data, then all points but one go.
internal static class TreePart
{
    public const string Work = "linux, 6 points";
    public const string CheckStep = "check";
    public const string ForgetStep = "forget and prune";
    private const int Points = 6;

    public static void Run(CareBench bench)
    {
        TreeCorpus corpus = new LinuxCorpus(Path.Combine(bench.Options.Scratch, "corpora", LinuxCorpus.CorpusName));
        corpus.Prepare(bench.Processes, CareBench.Tell);
        bench.Disk.Renew();
        foreach (string name in bench.Options.Tools) bench.MakeVault(name, bench.Tool(name));
        for (int point = 1; point <= Points; point++)
        {
            // Another 1 % of the files each time; as it was at first.
            if (point > 1) corpus.Change(Step.Changed, bench.Options.Seed + point);
            foreach (string name in bench.Options.Tools) bench.Processes.Run(bench.Tool(name).Backup(bench.Place(name), corpus.Source, $"point-{point}"));
        }

        corpus.Reset();
        foreach (string name in bench.Options.Tools) bench.Keep(bench.Place(name));
        for (int round = 1; round <= bench.Options.Rounds; round++)
        {
            foreach (string name in VaultBench.InTurn(bench.Options.Tools, round))
            {
                BackupTool tool = bench.Tool(name);
                string place = bench.Place(name);
                bench.Bring(place);
                bench.Measure(Work, CheckStep, tool, place, round, tool.CheckStructure(place));
                bench.Measure(Work, ForgetStep, tool, place, round, tool.ForgetAndPrune(place));
            }
        }
    }
}
