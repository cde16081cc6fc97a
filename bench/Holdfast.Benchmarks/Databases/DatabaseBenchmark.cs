using System.Runtime.InteropServices;
using System.Text.Json;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Databases;

/// Copies of live databases beside the engines' own, way after way.
internal sealed class DatabaseBenchmark(DatabaseOptions options)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly DatabaseFigures figures = new();
    private readonly string scratch = Path.Combine(options.Place, $"holdfast-db-{Environment.ProcessId}");

    public void Run()
    {
        Directory.CreateDirectory(scratch);
        try
        {
            var processes = new ChildProcess(Path.Combine(scratch, "output.txt"));
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, processes.StopOn);
            using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, processes.StopOn);
            List<string> facts =
            [
                .. Machine.Facts(processes),
                processes.FirstLine(new Command(["findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T", scratch])),
            ];
            string loadBefore = Machine.Load;
            var rocks = new RocksPart(options, scratch, figures, processes, Tell);
            if (options.Only.Contains("checkpoint")) rocks.RunCheckpoints();
            if (options.Only.Contains("incremental")) rocks.RunIncrementals();
            if (options.Only.Contains("sqlite")) new SqlitePart(options, scratch, figures, processes, Tell).Run();
            facts.Add($"load average {loadBefore} before, {Machine.Load} after");
            facts.Add($"medians of {options.Rounds} rounds");
            Write(facts);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static void Tell(string line) => Console.Error.WriteLine(line);

    private void Write(List<string> facts)
    {
        string report = $"{string.Concat(facts.Select(fact => $"- {fact}\n"))}\n{figures.ToTables()}";
        Console.WriteLine($"\n{report}");
        Directory.CreateDirectory(options.Results);
        File.WriteAllText(Path.Combine(options.Results, "db.md"), report);
        File.WriteAllText(Path.Combine(options.Results, "db.json"), JsonSerializer.Serialize(new { facts, figures.Copies, figures.Stalls }, Json));
        Tell($"written: {options.Results}/db.md and db.json");
    }
}
