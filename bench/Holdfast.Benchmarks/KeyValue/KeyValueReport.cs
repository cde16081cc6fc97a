using System.Globalization;
using System.Text;

namespace Holdfast.Benchmarks.KeyValue;

/// Writes what was measured as tables for people.
internal sealed class KeyValueReport(KeyValueFigures figures, IReadOnlyList<WorkPlan> plans)
{
    private readonly StringBuilder text = new();
    private readonly string[] engines =
        [.. EngineKind.All.Select(kind => kind.Name).Where(name => figures.Samples.Any(sample => sample.Engine == name))];

    public override string ToString() => text.ToString();

    public void AddLine(string line = "") => text.Append(line).Append('\n');

    /// What was asked for, what was found, and whether that is enough; nothing where our engine was not measured.
    public void AddTargets()
    {
        KeyValueTarget[] targets = [.. KeyValueTarget.All(figures).Where(target => target.Value is not null)];
        if (targets.Length == 0) return;
        AddLine($"| work | figure | {EngineKind.Own} | beside | ratio | must | reach | met |");
        AddLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (KeyValueTarget target in targets)
        {
            string sign = target.Comparison == Comparison.TimesBetter ? "≥" : "≤";
            AddRow(
                target.Text, target.Figure, Number(target.Own), Number(target.Other), Number(target.Value),
                $"{sign} {Number(target.Must)}", $"{sign} {Number(target.Reach)}", Met(target));
        }

        AddLine();
    }

    /// Everything that was measured.
    public void AddDetails()
    {
        AddOperations();
        AddOpens();
        AddStalls();
    }

    private void AddOperations()
    {
        WorkPlan[] shown = Measured(plan => !plan.IsOpen && !plan.IsStall);
        if (shown.Length == 0) return;
        AddLine("CPU / wall per operation in µs, peak memory:");
        AddLine();
        AddLine($"| work | operations | {string.Join(" | ", engines)} |");
        AddLine($"| --- | --- |{string.Concat(Enumerable.Repeat(" --- |", engines.Length))}");
        foreach (WorkPlan plan in shown)
        {
            long operations = figures.Samples.First(sample => sample.Work == plan.Name).Result.Operations;
            AddRow([plan.Text, Count(operations), .. engines.Select(engine => Operation(plan, engine))]);
        }

        AddLine();
    }

    private string Operation(WorkPlan plan, string engine)
    {
        double? cpu = figures.Median(plan.Name, engine, sample => KeyValueFigures.CpuPerOperation(sample) * 1e6);
        double? wall = figures.Median(plan.Name, engine, sample => KeyValueFigures.WallPerOperation(sample) * 1e6);
        double? peak = figures.Median(plan.Name, engine, sample => sample.Result.PeakBytes / 1048576.0);
        return cpu is null ? "" : $"{Number(cpu)} / {Number(wall)}, {Number(peak)} MiB";
    }

    private void AddOpens()
    {
        WorkPlan[] shown = Measured(plan => plan.IsOpen);
        if (shown.Length == 0) return;
        AddLine("| work | engine | open, s | CPU, s | again, s | `cat`, s | memory per key, B | mapped too, B | index, B |");
        AddLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (WorkPlan plan in shown)
        {
            foreach (string engine in Engines(plan))
            {
                double? Of(Func<KeyValueSample, double?> figure) => figures.Median(plan.Name, engine, figure);
                AddRow(
                    plan.Text, engine, Number(Of(sample => sample.Result.WallSeconds)), Number(Of(sample => sample.Result.CpuSeconds)),
                    Number(Of(sample => sample.Result.Open!.AgainSeconds)), Number(Of(sample => sample.CatSeconds)),
                    Number(Of(sample => (double)sample.Result.Open!.AnonymousBytes / sample.Result.Operations)),
                    Number(Of(sample => (double)sample.Result.Open!.ResidentBytes / sample.Result.Operations)),
                    Number(Of(sample => (double?)sample.Result.Open!.IndexBytes / sample.Result.Operations)));
            }
        }

        AddLine();
    }

    private void AddStalls()
    {
        WorkPlan[] shown = Measured(plan => plan.IsStall);
        if (shown.Length == 0) return;
        AddLine("Latency of single puts in µs, paced; a slow one counts for all that were due meanwhile:");
        AddLine();
        AddLine("| puts | engine | count | p50 | p99 | p99.9 | highest | merges or checkpoints | each, s | waited for a processor, s | taken by the host, s |");
        AddLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (WorkPlan plan in shown)
        {
            foreach (string engine in Engines(plan))
            {
                string Of(Func<Latencies, double?> figure) =>
                    Number(figures.Median(plan.Name, engine, sample => figure(sample.Result.Latencies!)));
                AddRow(
                    plan.Text, engine, Of(figure => figure.Count), Of(figure => figure.P50 / 1e3), Of(figure => figure.P99 / 1e3),
                    Of(figure => figure.P999 / 1e3), Of(figure => figure.Highest / 1e3), Of(figure => figure.BackgroundRuns),
                    Of(figure => figure.BackgroundRuns == 0 ? null : figure.BackgroundSeconds / figure.BackgroundRuns),
                    Of(figure => figure.RunDelaySeconds), Of(figure => figure.StolenSeconds));
            }
        }

        AddLine();
    }

    private WorkPlan[] Measured(Predicate<WorkPlan> which) =>
        [.. plans.Where(plan => which(plan) && figures.Samples.Any(sample => sample.Work == plan.Name))];

    private IEnumerable<string> Engines(WorkPlan plan) =>
        engines.Where(engine => figures.Samples.Any(sample => sample.Work == plan.Name && sample.Engine == engine));

    private void AddRow(params ReadOnlySpan<string> cells) => AddLine($"| {string.Join(" | ", cells)} |");

    private static string Met(KeyValueTarget target)
    {
        bool Fits(double limit) => target.Comparison == Comparison.TimesBetter ? target.Value >= limit : target.Value <= limit;
        return Fits(target.Reach) ? "reach" : Fits(target.Must) ? "must" : "**no**";
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// Three digits that count.
    private static string Number(double? value) => value switch
    {
        null => "",
        0 => "0",
        >= 100 or <= -100 => value.Value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 or <= -10 => value.Value.ToString("0.#", CultureInfo.InvariantCulture),
        >= 1 or <= -1 => value.Value.ToString("0.##", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("0.####", CultureInfo.InvariantCulture),
    };
}
