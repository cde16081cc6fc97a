using Holdfast.Benchmarks.Corpora;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Vaults;

/// Backups into a vault whose index lists very many further chunks.
internal static class IndexPart
{
    public static string Work(int chunks) => $"{LinuxCorpus.CorpusName}, {chunks / 1e6:0.#} M chunks indexed";

    public static void Run(VaultBench bench, Corpus corpus)
    {
        int chunks = bench.Options.IndexedChunks;
        BackupTool tool = bench.Tool(HoldfastTool.ToolName);
        bench.Disk.Renew();
        string filled = bench.Place("filled");
        Directory.CreateDirectory(Path.Combine(filled, "home"));
        bench.Processes.Run(tool.Init(filled));
        SyntheticIndex.Fill(BackupTool.Repository(filled), chunks, bench.Options.Seed, VaultBench.Tell);
        for (int round = 1; round <= bench.Options.Rounds; round++)
        {
            string place = bench.Place($"indexed-{round}");
            bench.Processes.Run(new Command(["cp", "-a", filled, place]));
            foreach (Step step in (Step[])[Step.First, Step.Unchanged, Step.Restore])
            {
                bench.Measure(Work(chunks), corpus, step, tool, place, round);
            }

            bench.Processes.Run(new Command(["rm", "-rf", place]));
        }
    }
}
