using System.Diagnostics;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Databases;

/// <summary>Changes a database at a steady pace, on a thread of its own, and times each change.</summary>
/// <param name="pace">From one change to the next. A slow one counts also for those that would have come meanwhile.</param>
/// <param name="change">Makes change number n.</param>
internal sealed class PacedWriter(TimeSpan pace, Action<long> change) : IDisposable
{
    private readonly LatencyHistogram latencies = new();
    private Thread? thread;
    private volatile bool isStopping;

    public void Start()
    {
        thread = new Thread(Run) { IsBackground = true };
        thread.Start();
    }

    /// Ends it, and says how long changes took.
    public StallSample Stop(string work, string way)
    {
        Dispose();
        return new StallSample(work, way, latencies.Percentile(0.5), latencies.Percentile(0.99), latencies.Highest);
    }

    public void Dispose()
    {
        isStopping = true;
        thread?.Join();
    }

    private void Run()
    {
        double perTick = 1e9 / Stopwatch.Frequency;
        long step = (long)(pace.TotalSeconds * Stopwatch.Frequency);
        long due = Stopwatch.GetTimestamp();
        for (long n = 0; !isStopping; n++)
        {
            // Without sleeping: waking up takes longer than a change.
            while (Stopwatch.GetTimestamp() < due) Thread.SpinWait(8);
            long started = Stopwatch.GetTimestamp();
            change(n);
            long took = Stopwatch.GetTimestamp() - started;
            for (long waited = took; waited > 0; waited -= step) latencies.Add((long)(waited * perTick));
            due = Math.Max(due + step, started + took);
        }
    }
}
