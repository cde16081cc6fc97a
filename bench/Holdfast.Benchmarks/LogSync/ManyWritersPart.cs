using System.Diagnostics;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.LogSync;

/// Many writers on one log, each waiting for its own record, as threads and as tasks.
internal static class ManyWritersPart
{
    public static void Run(LogOptions options, string directory, LogFigures figures, Action<string> tell)
    {
        SyncedLogKind[] kinds = [.. SyncedLogKind.All.Where(kind => kind.IsOwn || kind.Name == SyncedLogKind.Reference)];
        TimeSpan duration = TimeSpan.FromSeconds(options.Seconds);
        for (int round = 1; round <= options.Rounds; round++)
        {
            for (int i = 0; i < kinds.Length; i++)
            {
                string place = Path.Combine(directory, $"many{round}.{i}");
                Directory.CreateDirectory(place);
                using (ISyncedLog log = kinds[i].Open(place))
                {
                    Take(kinds[i], LogReport.OneThread, round, () => Threads(log, 1, duration));
                    Take(kinds[i], LogReport.ManyThreads, round, () => Threads(log, LogBenchmark.Writers, duration));
                    Take(kinds[i], LogReport.ManyTasks, round, () => Tasks(log, duration));
                }

                Directory.Delete(place, recursive: true);
            }
        }

        void Take(SyncedLogKind kind, string writers, int round, Func<long> append)
        {
            var meter = ProcessMeter.Start();
            long records = append();
            Measurement used = meter.Stop();
            var sample = new RateSample(kind.Name, writers, round, records / used.WallSeconds, used.CpuSeconds / records * 1e6);
            figures.Rates.Add(sample);
            tell($"{round}: {kind.Name}, {writers}: {sample.RecordsPerSecond:F0} records/s");
        }
    }

    private static long Threads(ISyncedLog log, int count, TimeSpan duration)
    {
        long records = 0, started = Stopwatch.GetTimestamp();
        Thread[] threads = new Thread[count];
        for (int i = 0; i < count; i++)
        {
            threads[i] = new Thread(() =>
            {
                byte[] record = LogBenchmark.Record();
                long own = 0;
                for (; Stopwatch.GetElapsedTime(started) < duration; own++) log.Append(record);
                Interlocked.Add(ref records, own);
            });
        }

        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        return records;
    }

    private static long Tasks(ISyncedLog log, TimeSpan duration)
    {
        long records = 0, started = Stopwatch.GetTimestamp();
        var tasks = new Task[LogBenchmark.Writers];
        for (int i = 0; i < tasks.Length; i++)
        {
            tasks[i] = Task.Run(async () =>
            {
                byte[] record = LogBenchmark.Record();
                long own = 0;
                for (; Stopwatch.GetElapsedTime(started) < duration; own++) await log.AppendAsync(record);
                Interlocked.Add(ref records, own);
            });
        }

        Task.WhenAll(tasks).GetAwaiter().GetResult();
        return records;
    }
}
