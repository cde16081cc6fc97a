using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Care;

/// Forget in a vault with very many points, and in one with few.
internal static class ManyPointsPart
{
    public const int Few = 100;
    public const string PlanStep = "forget --dry-run";
    public const string ForgetStep = "forget";
    public const string PruneStep = "prune";

    public static string Work(int points) => $"{points} points";

    public static void Run(CareBench bench)
    {
        HoldfastTool tool = bench.Holdfast;
        bench.Disk.Renew();
        foreach (int points in (int[])[Few, bench.Options.Points])
        {
            string place = bench.MakeVault($"points-{points}", tool);
            string source = bench.Place($"source-{points}");
            Directory.CreateDirectory(source);
            File.WriteAllText(Path.Combine(source, "file"), "content");
            bench.Processes.Run(tool.Backup(place, source, "first"));
            ManyPoints.Add(BackupTool.Repository(place), points - 1);
            bench.Keep(place);
            for (int round = 1; round <= bench.Options.Rounds; round++)
            {
                bench.Bring(place);
                string[] forget = ["forget", "--keep-last", "10"];
                bench.Measure(Work(points), PlanStep, tool, place, round, tool.Run(place, [.. forget, "--dry-run"]));
                bench.Measure(Work(points), ForgetStep, tool, place, round, tool.Run(place, forget));
                bench.Measure(Work(points), PruneStep, tool, place, round, tool.Run(place, "prune"));
            }
        }
    }
}
