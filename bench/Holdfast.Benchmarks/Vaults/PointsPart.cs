using Holdfast.Benchmarks.Corpora;
using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Vaults;

/// Backups into a vault that holds many points already: of the same tree, each with another file changed.
internal static class PointsPart
{
    public static string Work(int points) => $"{LinuxCorpus.CorpusName}, {points} earlier points";

    public static void Run(VaultBench bench, TreeCorpus corpus)
    {
        string work = Work(bench.Options.Points);
        bench.Disk.Renew();
        foreach (string name in bench.Options.PointsTools) Fill(bench, corpus, bench.Tool(name));
        for (int round = 1; round <= bench.Options.Rounds; round++)
        {
            foreach (Step step in (Step[])[Step.Unchanged, Step.Changed])
            {
                corpus.Change(step, bench.Options.Seed + round);
                foreach (string name in VaultBench.InTurn(bench.Options.PointsTools, round))
                {
                    bench.Measure(work, corpus, step, bench.Tool(name), bench.Place(name), round);
                }
            }
        }

        corpus.Reset();
    }

    private static void Fill(VaultBench bench, TreeCorpus corpus, BackupTool tool)
    {
        string place = bench.Place(tool.Name);
        Directory.CreateDirectory(Path.Combine(place, "home"));
        bench.Processes.Run(tool.Init(place));
        for (int point = 1; point <= bench.Options.Points; point++)
        {
            corpus.Grow(1, bench.Options.Seed + point);
            bench.Backup(corpus, tool, place, $"earlier-{point}");
            if (point % 10 == 0) VaultBench.Tell($"{tool.Name}: {point} of {bench.Options.Points} earlier points");
        }
    }
}
