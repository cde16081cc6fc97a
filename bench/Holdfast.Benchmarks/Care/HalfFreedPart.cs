using System.Text.Json;
using Holdfast.Benchmarks.Tools;
using Holdfast.Benchmarks.Vaults;

namespace Holdfast.Benchmarks.Care;

/// A prune that frees half of a vault whose packs are all needed in part, with as much left unused by each tool.
internal static class HalfFreedPart
{
    public const string Step = "prune";
    private const int FirstPoints = 4;

    public static string Work(long bytes) => $"{bytes / (double)(1 << 30):0.##} GiB, half of it free";

    public static void Run(CareBench bench)
    {
        bench.Disk.Renew();
        foreach (string name in bench.Options.Tools) bench.MakeVault(name, bench.Tool(name));
        var source = new MixedFiles(bench.Place("source"), bench.Options.Seed);
        for (int point = 1; point <= FirstPoints + 1; point++)
        {
            if (point <= FirstPoints) source.Add(bench.Options.SourceBytes / FirstPoints);
            else source.DeleteHalf();
            foreach (string name in bench.Options.Tools) bench.Processes.Run(bench.Tool(name).Backup(bench.Place(name), source.Root, $"point-{point}"));
            CareBench.Tell($"{Work(bench.Options.SourceBytes)}: point {point} of {FirstPoints + 1}");
        }

        Directory.Delete(source.Root, recursive: true);
        foreach (string name in bench.Options.Tools)
        {
            bench.Processes.Run(bench.Tool(name).Forget(bench.Place(name)));
            bench.Keep(bench.Place(name));
        }

        Unused? unused = null;
        for (int round = 1; round <= bench.Options.Rounds; round++)
        {
            // Ours comes first of all: the others are to leave as much.
            foreach (string name in VaultBench.InTurn(bench.Options.Tools, round))
            {
                string place = bench.Place(name);
                bench.Bring(place);
                bool isOurs = name == HoldfastTool.ToolName;
                bench.Measure(Work(bench.Options.SourceBytes), Step, bench.Tool(name), place, round, bench.Tool(name).Prune(place, isOurs ? null : unused));
                if (isOurs) unused = Left(bench.Processes.LastLine());
            }
        }

        if (unused is { } left) bench.Notes.Add($"{Work(bench.Options.SourceBytes)}: {left.Bytes / 1e6:F0} MB of {left.KeptBytes / 1e6:F0} MB are left unused");
    }

    private static Unused Left(string summary)
    {
        using JsonDocument document = JsonDocument.Parse(summary);
        return new Unused(document.RootElement.GetProperty("bytesUnused").GetInt64(), document.RootElement.GetProperty("bytesKept").GetInt64());
    }
}
