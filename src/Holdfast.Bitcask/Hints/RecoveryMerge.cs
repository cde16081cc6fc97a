using System.Runtime.ExceptionServices;

namespace Holdfast.Bitcask.Hints;

/// <summary>Finds what is current in all segments, on several threads, and puts it into a keydir.</summary>
internal sealed class RecoveryMerge
{
    private readonly IReadOnlyList<IHintSource> sources;
    private readonly ParallelOptions options;
    private readonly SegmentUsage[] usage;

    /// <summary>Prepares the merge.</summary>
    /// <param name="sources">One for each segment, in any order. Not owned.</param>
    /// <param name="degree">How many threads, 1 or more; each needs memory for one stripe of every source.</param>
    public RecoveryMerge(IReadOnlyList<IHintSource> sources, int degree)
    {
        this.sources = sources;
        options = new ParallelOptions { MaxDegreeOfParallelism = degree };
        usage = new SegmentUsage[sources.Count];
        for (int i = 0; i < usage.Length; i++) usage[i].Segment = sources[i].Segment;
        Array.Sort(usage, (left, right) => left.Segment.CompareTo(right.Segment));
    }

    /// <summary>What counts of each segment, by number; complete after one call of a method below.</summary>
    public IReadOnlyList<SegmentUsage> Usage => usage;

    /// <summary>For the compact keydir: gives away the current records by partitions of their hash.</summary>
    /// <param name="fill">Called once for each partition that has a key, by several threads at the same time.</param>
    public void FillByHash(FillPartition fill) => ForEachStripe(worker =>
    {
        var sink = new PartitionSink(fill, worker.Scratch);
        worker.Merge.Read(worker.Stripe);
        worker.Merge.WriteTo(ref sink);
        sink.Flush();
    });

    /// <summary>For the ordered keydir: gives away the current records in the order of their keys.</summary>
    /// <param name="append">Called by this thread.</param>
    public void FillByKey(AppendKey append)
    {
        var runs = new KeyRun?[HintStripe.Count];
        try
        {
            ForEachStripe(worker =>
            {
                KeyRun run = runs[worker.Stripe] = new KeyRun(worker.Merge.Read(worker.Stripe));
                var sink = new KeyRunSink(run);
                worker.Merge.WriteTo(ref sink);
                run.Sort();
            });
            if (sources.Count > 0) MergeByKey(runs!, append);
        }
        finally
        {
            foreach (KeyRun? run in runs) run?.Dispose();
        }
    }

    private static unsafe void MergeByKey(KeyRun[] runs, AppendKey append)
    {
        var tree = new LoserTree<KeyCursor>(runs.Length);
        for (int i = 0; i < runs.Length; i++) tree.Cursors[i] = new KeyCursor(runs[i]);
        tree.Build();
        while (true)
        {
            ref KeyCursor first = ref tree.Winner;
            if (first.IsAtEnd) return;
            append(first.Item.Key, first.Item.Location);
            first.MoveNext();
            tree.Replay();
        }
    }

    private void ForEachStripe(Action<Worker> work)
    {
        if (sources.Count == 0) return;
        try
        {
            Parallel.For(
                0,
                HintStripe.Count,
                options,
                () => new Worker(sources),
                (stripe, _, worker) =>
                {
                    worker.Stripe = stripe;
                    work(worker);
                    return worker;
                },
                AddUsage);
        }
        catch (AggregateException failures)
        {
            // What failed first stands for all: a disk that fails fails every thread.
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    private void AddUsage(Worker worker)
    {
        lock (usage)
        {
            for (int i = 0; i < usage.Length; i++) usage[i].Add(worker.Merge.Usage[i]);
        }

        worker.Dispose();
    }

    /// <summary>What a thread needs.</summary>
    private sealed class Worker(IReadOnlyList<IHintSource> sources) : IDisposable
    {
        public HintMerge Merge { get; } = new(sources);

        public NativeBuffer Scratch { get; } = new();

        public int Stripe { get; set; }

        public void Dispose()
        {
            Merge.Dispose();
            Scratch.Dispose();
        }
    }

    /// <summary>A place in a run.</summary>
    private unsafe struct KeyCursor(KeyRun run) : IMergeCursor<KeyCursor>
    {
        private readonly KeyRun.Item* end = run.End;
        private KeyRun.Item* at = run.Start;

        public readonly bool IsAtEnd => at == end;

        public readonly ref readonly KeyRun.Item Item => ref *at;

        public void MoveNext() => at++;

        public readonly bool IsBefore(in KeyCursor other)
        {
            if (IsAtEnd || other.IsAtEnd) return !IsAtEnd;
            return at->IsBefore(*other.at);
        }
    }
}
