using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>The whole comparison: every work with every engine, each time in a new process, engine after engine.</summary>
internal sealed class KeyValueBenchmark(KeyValueOptions options)
{
    private const int MaxRetakes = 4;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private readonly KeyValueFigures figures = new();
    private readonly string scratch = Path.Combine(options.Place, $"holdfast-kv-{Environment.ProcessId}");
    private ChildProcess processes = null!;

    private enum OpenStep
    {
        Cat = 1,
        Open,
    }

    public void Run()
    {
        Directory.CreateDirectory(scratch);
        processes = new ChildProcess(Path.Combine(scratch, "output.txt"));
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, processes.StopOn);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, processes.StopOn);
        WorkPlan[] plans = [.. WorkPlan.All(options.Keys).Where(plan => options.Only.Contains(plan.Name))];
        string loadBefore = Machine.Load;
        try
        {
            List<string> facts = [.. Machine.Facts(processes), .. DiskFacts()];
            try
            {
                foreach (WorkPlan[] group in Groups(plans)) Measure(group);
            }
            finally
            {
                facts.Add($"load average {loadBefore} before, {Machine.Load} after");
                // Also what an interrupted run has measured.
                if (figures.Samples.Count > 0) Write(plans, facts);
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// Works that follow each other and share their store.
    private static IEnumerable<WorkPlan[]> Groups(WorkPlan[] plans)
    {
        for (int from = 0, to; from < plans.Length; from = to)
        {
            for (to = from + 1; to < plans.Length && plans[to].Store is not null && plans[to].Store == plans[from].Store;) to++;
            yield return plans[from..to];
        }
    }

    /// Another one comes first in each round.
    private static IEnumerable<EngineKind> InTurn(EngineKind[] kinds, int round) =>
        kinds[(round % kinds.Length)..].Concat(kinds[..(round % kinds.Length)]);

    private void Measure(WorkPlan[] group)
    {
        EngineKind[] kinds = [.. EngineKind.All.Where(kind => group.Any(plan => options.Includes(kind, plan)))];
        string? store = group[0].Store;
        if (store is not null)
        {
            foreach (EngineKind kind in kinds) Load(kind, group[0]);
        }

        foreach (WorkPlan plan in group)
        {
            for (int round = 1; round <= options.Rounds; round++)
            {
                foreach (EngineKind kind in InTurn(kinds, round).Where(kind => options.Includes(kind, plan))) Measure(kind, plan, round);
            }
        }

        if (store is null) return;
        foreach (EngineKind kind in kinds) Directory.Delete(StorePlace(kind, store), recursive: true);
    }

    private void Load(EngineKind kind, WorkPlan plan)
    {
        Tell($"{kind.Name}: fills a store of {plan.Keys:N0} keys with values of {plan.ValueBytes:N0} bytes");
        Directory.CreateDirectory(StorePlace(kind, plan.Store!));
        processes.Run(Own(StoreWorker.LoadWords(kind, plan, options.Keys, StorePlace(kind, plan.Store!))));
        Settle();
    }

    private void Measure(EngineKind kind, WorkPlan plan, int round)
    {
        string place = plan.Store is null ? Path.Combine(scratch, "fresh") : StorePlace(kind, plan.Store);
        Command command = Own(StoreWorker.WorkWords(kind, plan, options.Keys, place));
        // The code of a process that has run for a while, as the peers' is from the start: reads run long enough to get there, what
        // writes does much of its work seldom. What is precompiled is for the first seconds of a process and worse than what the
        // runtime makes later.
        // Not beside a merge or a checkpoint, which is made once in a process here: there all is compiled before.
        if (plan.IsWrite) command = command with { Variables = plan.IsStall ? PrecompiledCode : SettledCode };
        KeyValueSample? sample;
        for (int left = MaxRetakes; ; left--)
        {
            Directory.CreateDirectory(place);
            sample = plan.IsOpen ? Open(kind, plan, round, place, command) : Take(kind, plan, round, command);
            if (plan.Store is null) Directory.Delete(place, recursive: true);
            Settle();
            // A host that rations processors stops all of them to the end of its period, for 8 to 28 ms: what a store does cannot be
            // told from that by the latency of puts.
            if (left == 0 || sample?.Result.Latencies is not { StolenSeconds: > 0 } stalled) break;
            Tell($"{round}: {plan.Name}, {kind.Name}: {Describe(sample)}, but the host took {stalled.StolenSeconds:F2} s: once more");
        }

        if (sample is null) return;
        figures.Add(sample);
        Tell($"{round}: {plan.Name}, {kind.Name}: {Describe(sample)}");
    }

    private KeyValueSample Take(EngineKind kind, WorkPlan plan, int round, Command command) =>
        new(plan.Name, kind.Name, round, StoreWorker.Parse(processes.FirstLine(command)));

    /// <summary>
    /// Opens a store and has <c>cat</c> read the hints or the data, in turns first and second, all of it in memory before.
    /// After a clean close the image of the keydir is there, too; it is compared with the hints all the same.
    /// </summary>
    /// <returns>Null when the engine makes no difference between hints and none and would be measured twice.</returns>
    private KeyValueSample? Open(EngineKind kind, WorkPlan plan, int round, string place, Command command)
    {
        bool isByHints = plan.Work != Work.OpenData;
        string? pattern = isByHints ? kind.HintFiles : kind.DataFiles;
        if (pattern is null) return plan.Work == Work.OpenClosed ? Take(kind, plan, round, command) : null;
        // Closing the store before has written it anew.
        if (plan.Work != Work.OpenClosed && kind.ImageFile is { } image) File.Delete(Path.Combine(place, image));
        if (!isByHints && kind.HintFiles is not null)
        {
            foreach (string hint in Directory.GetFiles(place, kind.HintFiles)) File.Delete(hint);
        }

        string[] files = Directory.GetFiles(place, pattern);
        if (files.Length == 0) throw new BenchmarkException($"{kind.Name}: no {pattern} in the store");
        Command cat = Command.Shell("exec cat \"$@\" >/dev/null", files);
        KeyValueSample? sample = null;
        double catSeconds = 0;
        foreach (OpenStep step in round % 2 == 1 ? (OpenStep[])[OpenStep.Cat, OpenStep.Open] : [OpenStep.Open, OpenStep.Cat])
        {
            if (step == OpenStep.Open)
            {
                processes.Run(cat);
                sample = Take(kind, plan, round, command);
            }
            else
            {
                processes.Run(cat);
                catSeconds = processes.Run(cat).WallSeconds;
            }
        }

        return sample! with { CatSeconds = catSeconds };
    }

    private static string Describe(KeyValueSample sample)
    {
        WorkResult result = sample.Result;
        if (result.Latencies is { } latencies)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"p50 {latencies.P50 / 1e3:F1}, p99.9 {latencies.P999 / 1e3:F1} µs of {latencies.Count:N0}");
        }

        if (result.Open is not null)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{result.WallSeconds:F3} s, cat {sample.CatSeconds:F3} s");
        }

        double cpu = KeyValueFigures.CpuPerOperation(sample) * 1e6, wall = KeyValueFigures.WallPerOperation(sample) * 1e6;
        return string.Create(CultureInfo.InvariantCulture, $"{cpu:F3} µs CPU, {wall:F3} µs wall");
    }

    private static readonly Dictionary<string, string> PrecompiledCode = new() { ["DOTNET_TieredCompilation"] = "0" };

    private static readonly Dictionary<string, string> SettledCode = new() { ["DOTNET_TieredCompilation"] = "0", ["DOTNET_ReadyToRun"] = "0" };

    private static Command Own(string[] words) => new([Environment.ProcessPath!, .. words]);

    private static void Tell(string line) => Console.Error.WriteLine(line);

    private string StorePlace(EngineKind kind, string store) => Path.Combine(scratch, $"{store}-{kind.Name}");

    /// What was written so far is on the disk, so that nobody pays for another's writes.
    private void Settle() => processes.Run(new Command(["sync", "-f", scratch]));

    private IEnumerable<string> DiskFacts() =>
        [processes.FirstLine(new Command(["findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T", scratch]))];

    private void Write(WorkPlan[] plans, List<string> facts)
    {
        EngineKind[] kinds = [.. EngineKind.All.Where(kind => figures.Samples.Any(sample => sample.Engine == kind.Name))];
        var report = new KeyValueReport(figures, plans);
        foreach (string fact in facts) report.AddLine($"- {fact}");
        foreach (EngineKind kind in kinds) report.AddLine($"- {kind.Name}: {kind.Description}");
        report.AddLine($"- random keys of {Dataset.KeyBytes} bytes; medians of {options.Rounds} rounds, each in a new process");
        report.AddLine();
        report.AddTargets();
        report.AddDetails();
        Console.WriteLine($"\n{report}");
        Directory.CreateDirectory(options.Results);
        File.WriteAllText(Path.Combine(options.Results, "kv.md"), report.ToString());
        var document = new { facts, engines = kinds.Select(kind => new { kind.Name, kind.Description }), figures.Samples };
        File.WriteAllText(Path.Combine(options.Results, "kv.json"), JsonSerializer.Serialize(document, Json));
        Tell($"written: {options.Results}/kv.md and kv.json");
    }
}
