using System.Globalization;
using System.Text;

namespace Holdfast.Benchmarks.LogSync;

/// Writes what was measured as tables for people.
internal sealed class LogReport(LogFigures figures)
{
    public const string OneThread = "1 thread";
    public static readonly string ManyThreads = $"{LogBenchmark.Writers} threads";
    public static readonly string ManyTasks = $"{LogBenchmark.Writers} tasks";

    private readonly StringBuilder text = new();

    public override string ToString() => text.ToString();

    public void AddLine(string line = "") => text.Append(line).Append('\n');

    public void AddAll()
    {
        AddLatencies();
        AddRates();
        AddStreams();
    }

    private void AddLatencies()
    {
        string[] logs = [.. figures.Latencies.Select(sample => sample.Log).Distinct()];
        if (logs.Length == 0) return;
        double? Of(string log, Func<LatencySample, double> figure) =>
            LogFigures.Median(figures.Latencies.Where(sample => sample.Log == log).Select(figure));
        double? reference = Of(SyncedLogKind.Reference, sample => sample.P50);
        AddLine("One writer, 4 KiB, each append synced (must: p50 ≤ 1.3 of the first line, reach: ≤ 1.1):");
        AddLine();
        AddLine("| how | p50, µs | p99, µs | p50 beside the first |");
        AddLine("| --- | --- | --- | --- |");
        foreach (string log in logs)
        {
            double? p50 = Of(log, sample => sample.P50);
            AddRow(log, Number(p50 / 1e3, 1), Number(Of(log, sample => sample.P99) / 1e3, 1), Number(p50 / reference, 2));
        }

        AddLine();
    }

    private void AddRates()
    {
        string[] logs = [.. figures.Rates.Select(sample => sample.Log).Distinct()];
        if (logs.Length == 0) return;
        AddLine("Many writers, 4 KiB, each append synced (must: 32 of one log ≥ 5 times its one, reach: ≥ 12):");
        AddLine();
        AddLine("| how | writers | records/s | beside one | CPU per record, µs |");
        AddLine("| --- | --- | --- | --- | --- |");
        foreach (string log in logs)
        {
            double? Of(string writers, Func<RateSample, double> figure) =>
                LogFigures.Median(figures.Rates.Where(sample => sample.Log == log && sample.Writers == writers).Select(figure));
            double? one = Of(OneThread, sample => sample.RecordsPerSecond);
            foreach (string writers in (string[])[OneThread, ManyThreads, ManyTasks])
            {
                double? rate = Of(writers, sample => sample.RecordsPerSecond);
                double? cpu = Of(writers, sample => sample.CpuMicrosecondsPerRecord);
                AddRow(log, writers, Number(rate, 0), Number(rate / one, 2), Number(cpu, 1));
            }
        }

        AddLine();
    }

    private void AddStreams()
    {
        string[] logs = [.. figures.Streams.Select(sample => sample.Log).Distinct()];
        if (logs.Length == 0) return;
        double? Of(string log, Func<StreamSample, double> figure) =>
            LogFigures.Median(figures.Streams.Where(sample => sample.Log == log).Select(figure));
        double? reference = Of(StreamedLogKind.Reference, sample => sample.GigabytesPerCpuSecond);
        AddLine("Stream of 4 KiB appends, nothing synced (must: ≥ 0.7 of the first line by CPU, reach: ≥ 0.9):");
        AddLine();
        AddLine("| how | GB per second of CPU | GB/s, wall | CPU beside the first |");
        AddLine("| --- | --- | --- | --- |");
        foreach (string log in logs)
        {
            double? rate = Of(log, sample => sample.GigabytesPerCpuSecond);
            AddRow(log, Number(rate, 2), Number(Of(log, sample => sample.GigabytesPerWallSecond), 2), Number(rate / reference, 2));
        }

        AddLine();
    }

    private void AddRow(params ReadOnlySpan<string> cells) => AddLine($"| {string.Join(" | ", cells)} |");

    private static string Number(double? value, int digits) => value?.ToString($"N{digits}", CultureInfo.InvariantCulture) ?? "";
}
