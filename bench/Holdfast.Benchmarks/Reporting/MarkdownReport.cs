using System.Globalization;
using System.Text;
using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Reporting;

/// Writes what was measured as tables for people.
internal sealed class MarkdownReport(Figures figures)
{
    private readonly StringBuilder text = new();

    public override string ToString() => text.ToString();

    public void AddLine(string line = "") => text.Append(line).Append('\n');

    /// What was asked for, what was found, and whether that is enough.
    public void AddTargets(IEnumerable<Target> targets)
    {
        AddLine("| work | figure | holdfast | peer | ratio | must | reach | met |");
        AddLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (Target target in targets) AddTarget(target);
        AddPeak();
        AddPassword();
        foreach (CollectorSample sample in figures.Collections)
        {
            double found = sample.Gen0PerGibibyte;
            AddRow(
                $"{sample.Work}, {sample.Step}", "gen-0 collections per GiB", Number(found, 1), "", "", Number(TargetTable.MustGen0PerGibibyte, 0),
                Number(TargetTable.ReachGen0PerGibibyte, 0), Met(found, TargetTable.MustGen0PerGibibyte, TargetTable.ReachGen0PerGibibyte));
        }
    }

    /// Everything that was measured.
    public void AddDetails()
    {
        string[] tools = [.. figures.Samples.Select(sample => sample.Tool).Distinct()];
        AddLine($"| work | step | {string.Join(" | ", tools)} |");
        AddLine($"| --- | --- |{string.Concat(Enumerable.Repeat(" --- |", tools.Length))}");
        foreach ((string work, string step) in figures.Samples.Select(sample => (sample.Work, sample.Step)).Distinct())
        {
            AddLine($"| {work} | {step} | {string.Join(" | ", tools.Select(tool => Cell(work, step, tool)))} |");
        }
    }

    /// Median wall and CPU seconds, peak memory, bytes stored of one sample.
    public static string Describe(double wall, double cpu, double? peak, double? stored)
    {
        string result = $"{Number(wall, 2)} / {Number(cpu, 2)} s";
        if (peak is not null) result += $", {Mebibytes(peak.Value)}";
        return stored is null ? result : $"{result}, {Megabytes(stored.Value)}";
    }

    private void AddTarget(Target target)
    {
        double? own = figures.Median(target.Work, target.Step, HoldfastTool.ToolName, target.Metric);
        (string Name, double Value)[] peers = [.. target.Peers
            .Select(peer => (peer, figures.Median(target.PeerWork, target.Step, peer, target.Metric)))
            .Where(peer => peer.Item2 is not null)
            .Select(peer => (peer.peer, peer.Item2!.Value))
            .OrderBy(peer => peer.Value)];
        if (own is null || peers.Length == 0) return;
        double ratio = own.Value / peers[0].Value;
        AddRow(
            target.Text, Name(target.Metric), Value(own.Value, target.Metric), $"{peers[0].Name} {Value(peers[0].Value, target.Metric)}",
            Ratio(ratio), Limit(target.Must), Limit(target.Reach), Met(ratio, target.Must, target.Reach));
    }

    private void AddPeak()
    {
        var peaks = figures.Samples.Where(sample => sample.Tool == HoldfastTool.ToolName && sample.PeakBytes is not null).ToArray();
        if (peaks.Length == 0) return;
        Sample highest = peaks.MaxBy(sample => sample.PeakBytes)!;
        AddRow(
            $"highest of all: {highest.Work}, {highest.Step}", "peak memory", Mebibytes(highest.PeakBytes!.Value), "", "",
            Mebibytes(TargetTable.MustPeakBytes), Mebibytes(TargetTable.ReachPeakBytes),
            Met(highest.PeakBytes.Value, TargetTable.MustPeakBytes, TargetTable.ReachPeakBytes));
    }

    private void AddPassword()
    {
        if (figures.Password is not { } cost) return;
        AddRow(
            "each command", "password", $"Argon2id, {cost.Passes} passes, {Mebibytes(cost.MemoryBytes)}", "", "",
            $"{PasswordCost.LeastPasses} passes, {Mebibytes(PasswordCost.LeastMemoryBytes)}", "", cost.IsEnough ? "must" : "**no**");
    }

    private string Cell(string work, string step, string tool)
    {
        double? wall = figures.Median(work, step, tool, Metric.Wall);
        if (wall is null) return "";
        double cpu = figures.Median(work, step, tool, Metric.Cpu)!.Value;
        return Describe(wall.Value, cpu, figures.MedianPeak(work, step, tool), figures.Median(work, step, tool, Metric.Stored));
    }

    private void AddRow(params ReadOnlySpan<string> cells) => AddLine($"| {string.Join(" | ", cells)} |");

    private static string Met(double value, double? must, double? reach) =>
        value <= reach ? "reach" : value <= must ? "must" : must is not null ? "**no**" : reach is not null ? "not reach" : "";

    private static string Name(Metric metric) => metric switch
    {
        Metric.Wall => "wall",
        Metric.Cpu => "CPU",
        Metric.Written => "written",
        _ => "stored",
    };

    private static string Value(double value, Metric metric) => metric is Metric.Stored or Metric.Written ? Megabytes(value) : $"{Number(value, 2)} s";

    private static string Limit(double? ratio) => ratio is null ? "" : $"≤ {Ratio(ratio.Value)}";

    private static string Ratio(double ratio) => ratio > 0.8 ? Number(ratio, 2) : $"1/{(1 / ratio).ToString("0.##", CultureInfo.InvariantCulture)}";

    private static string Mebibytes(double bytes) => $"{Number(bytes / (1 << 20), 0)} MiB";

    private static string Megabytes(double bytes) => $"{Number(bytes / 1e6, 1)} MB";

    private static string Number(double value, int digits) => value.ToString($"F{digits}", CultureInfo.InvariantCulture);
}
