using System.Diagnostics;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.LogSync;

/// One writer that waits for each record to be durable; the ways take turns.
internal static class OneWriterPart
{
    private const int WarmAppends = 100;

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

            for (int round = 1; round <= options.Rounds; round++)
            {
                foreach ((SyncedLogKind kind, ISyncedLog log) in logs)
                {
                    Append(log, record, WarmAppends, new LatencyHistogram());
                    var latencies = new LatencyHistogram();
                    Append(log, record, options.Appends, latencies);
                    var sample = new LatencySample(kind.Name, round, latencies.Percentile(0.5), latencies.Percentile(0.99));
                    figures.Latencies.Add(sample);
                    tell($"{round}: {kind.Name}: p50 {sample.P50 / 1000} µs, p99 {sample.P99 / 1000} µs");
                }
            }
        }
        finally
        {
            foreach ((_, ISyncedLog log) in logs) log.Dispose();
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
