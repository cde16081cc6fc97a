using System.Runtime.CompilerServices;

namespace Holdfast.Bitcask.Hints;

/// <summary>
/// Merges the hints of segments, a stripe at a time: of each key the record in the highest segment counts.
/// </summary>
/// <remarks>For one thread; several merges may share their sources.</remarks>
internal sealed class HintMerge : IDisposable
{
    private readonly IHintSource[] sources;
    private readonly NativeBuffer[] buffers;
    private readonly SegmentUsage[] usage;
    private readonly LoserTree<Cursor> tree;

    /// <summary>Makes a merge of some segments.</summary>
    /// <param name="sources">In any order, each of another segment; one or more. Not owned.</param>
    public HintMerge(IReadOnlyList<IHintSource> sources)
    {
        this.sources = [.. sources];
        Array.Sort(this.sources, (left, right) => left.Segment.CompareTo(right.Segment));
        buffers = new NativeBuffer[sources.Count];
        usage = new SegmentUsage[sources.Count];
        for (int i = 0; i < sources.Count; i++)
        {
            uint segment = this.sources[i].Segment;
            if (i > 0 && segment == usage[i - 1].Segment) throw new ArgumentException($"two of {segment:x8}");
            buffers[i] = new NativeBuffer();
            usage[i].Segment = segment;
        }

        tree = new LoserTree<Cursor>(sources.Count);
    }

    /// <summary>What counts of each segment, by number, in the stripes merged so far.</summary>
    public ReadOnlySpan<SegmentUsage> Usage => usage;

    /// <summary>Reads a stripe of each source.</summary>
    /// <param name="stripe">0 to <see cref="HintStripe.Count"/> − 1.</param>
    /// <returns>What the entries take together, bytes.</returns>
    public long Read(int stripe)
    {
        long bytes = 0;
        for (int i = 0; i < sources.Length; i++)
        {
            HintEntries entries = sources[i].ReadStripe(stripe, buffers[i]);
            tree.Cursors[i] = new Cursor(entries, i);
            bytes += entries.Bytes;
        }

        tree.Build();
        return bytes;
    }

    /// <summary>Merges the stripe that was read.</summary>
    /// <param name="sink">Takes the current records that are puts.</param>
    /// <typeparam name="TSink">A struct, so that no call is virtual.</typeparam>
    public unsafe void WriteTo<TSink>(ref TSink sink)
        where TSink : struct, IHintSink
    {
        var last = new HintEntry(null);
        ulong lastHash = 0;
        while (true)
        {
            ref Cursor first = ref tree.Winner;
            if (first.IsAtEnd) return;
            HintEntry entry = first.Entry;
            ulong hash = first.Hash;
            // Of equal keys the one of the highest segment comes first; the others are superseded.
            if (hash != lastHash || last.Start == null || !entry.Key.SequenceEqual(last.Key))
            {
                ref SegmentUsage own = ref usage[first.Source];
                own.Add(entry);
                if (!entry.IsTombstone) sink.Add(hash, entry, own.Segment);
                last = entry;
                lastHash = hash;
            }

            first.MoveNext();
            tree.Replay();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeBuffer buffer in buffers) buffer.Dispose();
    }

    /// <summary>A place in the stripe of a source. Sources are numbered in the order of their segments.</summary>
    private unsafe struct Cursor : IMergeCursor<Cursor>
    {
        public readonly int Source;
        public ulong Hash;
        private readonly byte* end;
        private byte* at;

        public Cursor(HintEntries entries, int source)
        {
            Source = source;
            at = entries.Start;
            end = entries.End;
            Hash = IsAtEnd ? ulong.MaxValue : Entry.Hash;
        }

        public readonly HintEntry Entry => new(at);

        public readonly bool IsAtEnd => at == end;

        public void MoveNext()
        {
            at = Entry.End;
            Hash = IsAtEnd ? ulong.MaxValue : Entry.Hash;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly bool IsBefore(in Cursor other)
        {
            if (Hash == other.Hash) return IsBeforeAtEqualHash(other);
            return Hash < other.Hash;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private readonly bool IsBeforeAtEqualHash(in Cursor other)
        {
            if (IsAtEnd || other.IsAtEnd) return !IsAtEnd;
            int order = Entry.Key.SequenceCompareTo(other.Entry.Key);
            return order != 0 ? order < 0 : Source > other.Source;
        }
    }
}
