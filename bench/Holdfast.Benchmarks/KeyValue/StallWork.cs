using System.Diagnostics;
using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>How long single puts take while the store is idle otherwise, merges, or makes checkpoints.</summary>
/// <remarks>
/// Puts are paced, and one that takes longer than the pace counts also for those that would have come meanwhile, each
/// with what it would have waited: in a plain loop a stall would be one slow put, and no percentile would show it.
/// Timing against a fixed schedule instead would let the backlog of a store slower than the pace grow without end,
/// and the figure with the length of the run. The writer waits for the due time without sleeping, since waking up
/// takes longer than a put. What counts is what was due or done while the merge or a checkpoint was made.
/// </remarks>
internal static class StallWork
{
    private const int WrittenValueBytes = 128;

    /// Keys that the writer puts begin here: new ones.
    private const long WrittenIndex = 1L << 41;

    private static readonly TimeSpan Pace = TimeSpan.FromMicroseconds(20);
    private static readonly TimeSpan SyncedPace = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    private const int Checkpoints = 200;
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMilliseconds(20);

    public static WorkResult Run(EngineKind kind, WorkPlan plan, string directory)
    {
        bool isSynced = plan.IsSyncedStall;
        string place = Path.Combine(directory, "store");
        Directory.CreateDirectory(place);
        using IKeyValueEngine store = kind.Open(place, plan.Durability);
        Fill(store, plan);

        var data = new Dataset(WrittenValueBytes);
        TimeSpan pace = isSynced ? SyncedPace : Pace;
        var warm = new LatencyHistogram();
        var latencies = new LatencyHistogram();
        long warmUntil = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 2);
        Write(store, data, pace, isSynced, warm, () => Stopwatch.GetTimestamp() < warmUntil, () => true);

        var background = new Background(plan.Work, store, directory);
        var meter = ProcessMeter.Start();
        double delay = ProcessMeter.RunDelaySeconds(), stolen = ProcessMeter.StolenSeconds();
        background.Start();
        Write(store, data, pace, isSynced, latencies, () => background.IsRunning, () => background.IsAtIt);
        delay = ProcessMeter.RunDelaySeconds() - delay;
        stolen = ProcessMeter.StolenSeconds() - stolen;
        background.Join();
        WorkResult result = WorkResult.Of(latencies.Count, meter.Stop());
        return result with
        {
            Latencies = new Latencies(
                latencies.Count, latencies.Percentile(0.5), latencies.Percentile(0.99), latencies.Percentile(0.999),
                latencies.Highest, background.Runs, background.Seconds, delay, stolen),
        };
    }

    /// As much data as the plan says, a third of it superseded.
    private static void Fill(IKeyValueEngine store, WorkPlan plan)
    {
        var data = new Dataset(plan.ValueBytes);
        int third = Math.Max(1, plan.Keys / 3);
        StoreWorker.Load(store, data, 0, 2 * third);
        StoreWorker.Load(store, data, 0, third);
        store.Settle();
        // What was written so far is on the disk, so that only the work itself meets the disk.
        using var sync = Process.Start("sync");
        sync.WaitForExit();
    }

    private static void Write(
        IKeyValueEngine store, Dataset data, TimeSpan pace, bool isSynced, LatencyHistogram latencies, Func<bool> goesOn,
        Func<bool> counts)
    {
        Span<byte> key = stackalloc byte[Dataset.KeyBytes];
        long ticksPerPut = (long)(pace.TotalSeconds * Stopwatch.Frequency), due = Stopwatch.GetTimestamp();
        while (goesOn())
        {
            while (Stopwatch.GetTimestamp() < due) Thread.SpinWait(1);
            bool isCounted = counts();
            Dataset.WriteKey(WrittenIndex + due, key);
            if (isSynced) store.PutSynced(key, data.Value(due));
            else store.Put(key, data.Value(due));
            long now = Stopwatch.GetTimestamp();
            isCounted |= counts();
            for (long waited = isCounted ? now - due : 0; waited > 0; waited -= ticksPerPut)
            {
                latencies.Add((long)(waited * (1e9 / Stopwatch.Frequency)));
            }

            due = Math.Max(due + ticksPerPut, now);
        }
    }

    /// What goes on beside the writer.
    private sealed class Background
    {
        private readonly Work work;
        private readonly IKeyValueEngine store;
        private readonly string directory;
        private readonly Thread thread;
        private Exception? failure;
        private volatile bool isRunning = true;
        private volatile bool isAtIt;

        public Background(Work work, IKeyValueEngine store, string directory)
        {
            this.work = work;
            this.store = store;
            this.directory = directory;
            thread = new Thread(Run);
        }

        public bool IsRunning => isRunning;

        public bool IsAtIt => isAtIt;

        public int Runs { get; private set; }

        public double Seconds { get; private set; }

        public void Start() => thread.Start();

        public void Join()
        {
            thread.Join();
            if (failure is not null) throw new BenchmarkException($"{work}: {failure.Message}");
        }

        private void Run()
        {
            long taken = 0;
            try
            {
                switch (work)
                {
                    case Work.StallMerge or Work.SyncedStallMerge:
                        taken += Do(store.Compact);
                        Runs = 1;
                        break;
                    case Work.StallCheckpoint or Work.SyncedStallCheckpoint:
                        for (; Runs < Checkpoints; Runs++)
                        {
                            string target = Path.Combine(directory, $"checkpoint{Runs}");
                            taken += Do(() => store.Checkpoint(target));
                            Thread.Sleep(BetweenCheckpoints);
                        }

                        break;
                    default:
                        _ = Do(() => Thread.Sleep(Idle));
                        break;
                }
            }
#pragma warning disable CA1031 // Rethrown by Join: a failure of this thread must not end the process without a word.
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure = error;
            }

            Seconds = (double)taken / Stopwatch.Frequency;
            isRunning = false;
        }

        private long Do(Action action)
        {
            long started = Stopwatch.GetTimestamp();
            isAtIt = true;
            action();
            isAtIt = false;
            return Stopwatch.GetTimestamp() - started;
        }
    }
}
