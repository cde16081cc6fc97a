using System.Runtime.InteropServices;
using System.Text.Json;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Benchmarks.Reporting;
using Holdfast.Benchmarks.Vaults;

namespace Holdfast.Benchmarks.Care;

/// What looks after a vault, beside others' and at the size of very large vaults.
internal sealed class CareBenchmark(CareOptions options)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public void Run()
    {
        if (!File.Exists(options.Holdfast)) throw new BenchmarkException($"{options.Holdfast}: not there; run ./dev build");
        Directory.CreateDirectory(options.Scratch);
        // Each tool's vault twice and what it writes anew, the source, and what is made besides.
        long diskBytes = Math.Max(24L << 30, ((2L * options.Tools.Count) + 2) * options.SourceBytes);
        long free = new DriveInfo(options.Scratch).AvailableFreeSpace;
        if (free < diskBytes) throw new BenchmarkException($"{options.Scratch}: {free >> 30} GiB free, {diskBytes >> 30} needed; name another place with --scratch");
        var processes = new ChildProcess(Path.Combine(options.Scratch, "output.txt"));
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, processes.StopOn);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, processes.StopOn);
        using var disk = new ScratchDisk(options.Scratch, processes, diskBytes);
        var bench = new CareBench(options, processes, disk, new Figures());
        List<string> facts = [.. Machine.Facts(processes), .. options.Tools.Select(tool => processes.FirstLine(bench.Tool(tool).Version))];
        string loadBefore = Machine.Load;
        try
        {
            foreach (string part in options.Only) Measure(bench, part);
        }
        finally
        {
            facts.Add($"load average {loadBefore} before, {Machine.Load} after");
            // Also what an interrupted run has measured.
            if (bench.Figures.Samples.Count > 0) Write(bench, facts);
        }
    }

    private static void Measure(CareBench bench, string part)
    {
        switch (part)
        {
            case CareOptions.PrunePartName:
                HalfFreedPart.Run(bench);
                break;
            case CareOptions.TreePartName:
                TreePart.Run(bench);
                break;
            case CareOptions.PointsPartName:
                ManyPointsPart.Run(bench);
                break;
            default:
                ScalePart.Run(bench);
                break;
        }
    }

    private void Write(CareBench bench, List<string> facts)
    {
        var report = new MarkdownReport(bench.Figures);
        foreach (string line in facts.Concat(bench.Notes)) report.AddLine($"- {line}");
        report.AddLine();
        report.AddTargets(CareTargets.All(options));
        report.AddLine();
        report.AddLine($"Medians of {options.Rounds} rounds: wall / user and system time, peak memory, bytes of new packs.");
        report.AddLine();
        report.AddDetails();
        Console.WriteLine($"\n{report}");
        Directory.CreateDirectory(options.Results);
        File.WriteAllText(Path.Combine(options.Results, "care.md"), report.ToString());
        File.WriteAllText(Path.Combine(options.Results, "care.json"), JsonSerializer.Serialize(new { facts, bench.Notes, bench.Figures.Samples }, Json));
        CareBench.Tell($"written: {options.Results}/care.md and care.json");
    }
}
