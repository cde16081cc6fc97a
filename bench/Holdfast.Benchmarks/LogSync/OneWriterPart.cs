using System.Diagnostics;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.LogSync;

/// <summary>One writer that waits for each record to be durable.</summary>
/// <remarks>The ways take turns after a few appends, so that what else the machine does meets all alike.</remarks>
internal static class OneWriterPart
{
    private const int WarmAppends = 100;
    private const int Turn = 20;

    public static void Run(LogOptions options, string directory, LogFigures figures, Action<string> tell)
    {
        byte[] record = LogBenchmark.Record();
        var logs = new List<(SyncedLogKind Kind, ISyncedLog Log)>();
        try
        {
            foreach (SyncedLogKind kind in SyncedLogKind.All)
            {
                string place = Path.Combine(directory, $"one{logs.Count}");
                Directory.CreateDirectory(place);
                logs.Add((kind, kind.Open(place)));
            }

            foreach ((_, ISyncedLog log) in logs) Append(log, record, WarmAppends, new LatencyHistogram());
            for (int round = 1; round <= options.Rounds; round++) Take(logs, record, round, options.Appends, figures, tell);
        }
        finally
        {
            foreach ((_, ISyncedLog log) in logs) log.Dispose();
        }
    }

    private static void Take(
        List<(SyncedLogKind Kind, ISyncedLog Log)> logs, byte[] record, int round, int appends, LogFigures figures, Action<string> tell)
    {
        LatencyHistogram[] latencies = [.. logs.Select(_ => new LatencyHistogram())];
        for (int done = 0; done < appends; done += Turn)
        {
            for (int i = 0; i < logs.Count; i++) Append(logs[i].Log, record, Math.Min(Turn, appends - done), latencies[i]);
        }

        for (int i = 0; i < logs.Count; i++)
        {
            long p50 = latencies[i].Percentile(0.5), p99 = latencies[i].Percentile(0.99);
            figures.Latencies.Add(new LatencySample(logs[i].Kind.Name, round, p50, p99));
            tell($"{round}: {logs[i].Kind.Name}: p50 {p50 / 1000} µs, p99 {p99 / 1000} µs");
        }
    }

    private static void Append(ISyncedLog log, byte[] record, int times, LatencyHistogram latencies)
    {
        for (int i = 0; i < times; i++)
        {
            long started = Stopwatch.GetTimestamp();
            log.Append(record);
            latencies.Add((long)((Stopwatch.GetTimestamp() - started) * (1e9 / Stopwatch.Frequency)));
        }
    }
}
