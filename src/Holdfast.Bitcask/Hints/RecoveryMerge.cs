using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Opening;

namespace Holdfast.Bitcask.Hints;

/// <summary>Finds what is current in all segments, on several threads, and puts it into a keydir.</summary>
internal sealed class RecoveryMerge
{
    // For the ordered keydir so many stripes are sorted together: fewer runs to merge.
    private const int StripesPerRun = 16;
    private const int RunCount = HintStripe.Count / StripesPerRun;

    private readonly IReadOnlyList<IHintSource> sources;
    private readonly int degree;
    private readonly SegmentUsage[] usage;

    /// <summary>Prepares the merge.</summary>
    /// <param name="sources">One for each segment, in any order. Not owned.</param>
    /// <param name="degree">How many threads, 1 or more; each needs memory for one stripe of every source.</param>
    public RecoveryMerge(IReadOnlyList<IHintSource> sources, int degree)
    {
        this.sources = sources;
        this.degree = degree;
        usage = new SegmentUsage[sources.Count];
        for (int i = 0; i < usage.Length; i++) usage[i].Segment = sources[i].Segment;
        Array.Sort(usage, static (left, right) => left.Segment.CompareTo(right.Segment));
    }

    /// <summary>How many keys there are, or a few more.</summary>
    public long MaxKeys
    {
        get
        {
            long entries = 0;
            foreach (IHintSource source in sources) entries += source.Entries;
            return entries;
        }
    }

    /// <summary>What counts of each segment, by number; complete after one call of a method below.</summary>
    public IReadOnlyList<SegmentUsage> Usage => usage;

    /// <summary>For the compact keydir: gives away the current records by partitions of their hash.</summary>
    /// <param name="fill">Called once for each partition that has a key, by several threads at the same time.</param>
    public void FillByHash(FillPartition fill) => ForEach(HintStripe.Count, (merge, stripe, scratch) =>
    {
        merge.Read(stripe);
        FillPartition(merge, stripe, scratch, fill);
    });

    /// <summary>For the ordered keydir: gives away the current records in the order of their keys.</summary>
    /// <param name="append">Called by this thread.</param>
    public void FillByKey(AppendKey append)
    {
        var runs = new KeyRun?[RunCount];
        try
        {
            ForEach(RunCount, (merge, number, _) =>
            {
                KeyRun run = runs[number] = new KeyRun();
                var sink = new KeyRunSink(run);
                for (int i = 0; i < StripesPerRun; i++)
                {
                    run.Extend(merge.Read((number * StripesPerRun) + i), merge.Entries);
                    merge.WriteTo(ref sink);
                }

                run.Sort();
            });
            if (sources.Count > 0) MergeByKey(runs!, append);
        }
        finally
        {
            foreach (KeyRun? run in runs) run?.Dispose();
        }
    }

    private static unsafe void FillPartition(HintMerge merge, int partition, NativeBuffer scratch, FillPartition fill)
    {
        var entries = (KeydirEntry*)scratch.Require(merge.Entries * sizeof(KeydirEntry));
        var sink = new PartitionSink(entries);
        merge.WriteTo(ref sink);
        if (sink.Count > 0) fill(partition, new ReadOnlySpan<KeydirEntry>(entries, sink.Count));
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

    // One after the other, each by the thread that comes first: so files are read nearly in order.
    private void ForEach(int count, Action<HintMerge, int, NativeBuffer> work)
    {
        if (sources.Count == 0) return;
        int next = -1;
        OnThreads.Run(degree, _ =>
        {
            using var merge = new HintMerge(sources);
            using var scratch = new NativeBuffer();
            try
            {
                for (int i; (i = Interlocked.Increment(ref next)) < count;) work(merge, i, scratch);
            }
            catch
            {
                // Nothing that the others do is of use now.
                Volatile.Write(ref next, count);
                throw;
            }

            lock (usage)
            {
                for (int i = 0; i < usage.Length; i++) usage[i].Add(merge.Usage[i]);
            }
        });
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
