using System.Runtime.CompilerServices;
namespace Holdfast.Bitcask.Hints;

/// <summary>
/// Merges the hints of segments, a stripe at a time: of each key the record in the highest segment counts.
/// </summary>
/// <remarks>For one thread; several merges may share their sources.</remarks>
internal sealed unsafe class HintMerge : IDisposable
{
    private readonly IHintSource[] sources;
    private readonly NativeBuffer[] buffers;
    private readonly SegmentUsage[] usage;
    private readonly SegmentUsage[] before;
    private readonly nint[] starts;
    private readonly HintEntries[] read;
    private readonly StripeItems items = new();

    /// <summary>Makes a merge of some segments.</summary>
    /// <param name="sources">In any order, each of another segment; one or more. Not owned.</param>
    public HintMerge(IReadOnlyList<IHintSource> sources)
    {
        this.sources = [.. sources];
        Array.Sort(this.sources, static (left, right) => left.Segment.CompareTo(right.Segment));
        buffers = new NativeBuffer[sources.Count];
        usage = new SegmentUsage[sources.Count];
        before = new SegmentUsage[sources.Count];
        starts = new nint[sources.Count];
        read = new HintEntries[sources.Count];
        for (int i = 0; i < sources.Count; i++)
        {
            uint segment = this.sources[i].Segment;
            if (i > 0 && segment == usage[i - 1].Segment) throw new ArgumentException($"two of {segment:x8}");
            buffers[i] = new NativeBuffer();
            usage[i].Segment = segment;
        }
    }

    /// <summary>What counts of each segment, by number, in the stripes merged so far.</summary>
    public ReadOnlySpan<SegmentUsage> Usage => usage;

    /// <summary>Entries of the stripe that was read; as many keys at most.</summary>
    public long Entries => items.Count;

    /// <summary>Reads a stripe of each source.</summary>
    /// <param name="stripe">0 to <see cref="HintStripe.Count"/> − 1.</param>
    /// <returns>What the entries take together, bytes.</returns>
    public long Read(int stripe)
    {
        long bytes;
        usage.CopyTo(before, 0);
        while (!TryRead(stripe, out bytes)) before.CopyTo(usage, 0);
        items.Sort();
        return bytes;
    }

    /// <summary>Merges the stripe that was read; once.</summary>
    /// <param name="sink">Takes the current records.</param>
    /// <typeparam name="TSink">A struct, so that no call is virtual.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteTo<TSink>(ref TSink sink)
        where TSink : struct, IHintSink
    {
        StripeItem* end = items.Sorted + items.Count;
        fixed (nint* start = starts)
        fixed (SegmentUsage* own = usage)
        {
            for (StripeItem* item = items.Sorted; item != end;)
            {
                if (item[1].Hash == item->Hash)
                {
                    item = WriteEqualHashes(item, end, ref sink);
                    continue;
                }

                var entry = new HintEntry((byte*)start[item->Source] + item->Offset);
                if (!entry.IsTombstone) sink.Add(item->Hash, entry, own[item->Source].Segment);
                else sink.AddTombstone(item->Hash, entry);
                item++;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeBuffer buffer in buffers) buffer.Dispose();
        items.Dispose();
    }

    private bool TryRead(int stripe, out long bytes)
    {
        bytes = 0;
        long entries = 0;
        for (int i = 0; i < sources.Length; i++)
        {
            read[i] = sources[i].ReadStripe(stripe, buffers[i]);
            starts[i] = (nint)read[i].Start;
            bytes += read[i].Bytes;
            entries += read[i].Count;
        }

        items.Begin(entries);
        for (int i = 0; i < sources.Length; i++)
        {
            IHintSource source = sources[i];
            if (items.TryCollect(read[i], stripe, i, source.SegmentBytes, source.IsSorted, ref usage[i])) continue;
            source.Reject();
            return false;
        }

        return true;
    }

    // In the order of their records; nearly always of one key. The last of each key counts.
    private StripeItem* WriteEqualHashes<TSink>(StripeItem* first, StripeItem* end, ref TSink sink)
        where TSink : struct, IHintSink
    {
        StripeItem* next = first + 1;
        bool isOneKey = true;
        for (; next != end && next->Hash == first->Hash; next++)
        {
            isOneKey = isOneKey && EntryOf(*next).Key.SequenceEqual(EntryOf(*first).Key);
        }

        var group = new Span<StripeItem>(first, (int)(next - first));
        if (!isOneKey) group.Sort(CompareByKey);
        for (int i = 0; i < group.Length; i++)
        {
            HintEntry entry = EntryOf(group[i]);
            ref SegmentUsage own = ref usage[group[i].Source];
            bool isLast = i + 1 == group.Length || (!isOneKey && !EntryOf(group[i + 1]).Key.SequenceEqual(entry.Key));
            if (!isLast) own.Remove(entry);
            else if (!entry.IsTombstone) sink.Add(group[i].Hash, entry, own.Segment);
            else sink.AddTombstone(group[i].Hash, entry);
        }

        return next;
    }

    private int CompareByKey(StripeItem left, StripeItem right)
    {
        int order = EntryOf(left).Key.SequenceCompareTo(EntryOf(right).Key);
        return order != 0 ? order : left.CompareTo(right);
    }

    private HintEntry EntryOf(StripeItem item) => new((byte*)starts[item.Source] + item.Offset);
}
