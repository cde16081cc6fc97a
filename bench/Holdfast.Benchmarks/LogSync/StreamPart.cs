using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.LogSync;

/// One thread appends without syncing, until all is with the kernel.
internal static class StreamPart
{
    private const int WarmBytes = 64 << 20;

    public static void Run(LogOptions options, string directory, LogFigures figures, Action<string> tell, Action settle)
    {
        for (int round = 0; round <= options.Rounds; round++)
        {
            // Round 0 warms: what it compiles is compiled, and is not counted.
            long bytes = round == 0 ? WarmBytes : (long)options.StreamMebibytes << 20;
            for (int i = 0; i < StreamedLogKind.All.Count; i++)
            {
                StreamedLogKind kind = StreamedLogKind.All[i];
                string place = Path.Combine(directory, $"stream{round}.{i}");
                Directory.CreateDirectory(place);
                Measurement used = Write(kind, place, bytes);
                // The next one does not share the disk with what this one left in memory.
                settle();
                Directory.Delete(place, recursive: true);
                if (round == 0) continue;
                var sample = new StreamSample(kind.Name, round, bytes / used.WallSeconds / 1e9, bytes / used.CpuSeconds / 1e9);
                figures.Streams.Add(sample);
                tell($"{round}: {kind.Name}: {sample.GigabytesPerWallSecond:F2} GB/s, {sample.GigabytesPerCpuSecond:F2} by CPU");
            }
        }
    }

    private static Measurement Write(StreamedLogKind kind, string place, long bytes)
    {
        byte[] record = LogBenchmark.Record();
        using IStreamedLog log = kind.Open(place);
        var meter = ProcessMeter.Start();
        const int chunk = 256;
        for (long left = bytes / LogBenchmark.RecordBytes; left > 0; left -= chunk) Append(log, record, (int)Math.Min(left, chunk));
        log.Flush();
        return meter.Stop();
    }

    // A method of its own, called often: it is compiled at its best, as a long loop in one call would not be.
    private static void Append(IStreamedLog log, byte[] record, int times)
    {
        for (int i = 0; i < times; i++) log.Append(record);
    }
}
