using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Bitcask.Hints;

/// <summary>Hash and place of each collected entry, and their sorting.</summary>
internal sealed unsafe class HintPlaces : IDisposable
{
    /// <summary>Size of a block of entries.</summary>
    public const int BlockBytes = 1 << BlockBits;

    private const int BlockBits = 20;

    // 2,048 buckets are as many as can be written to side by side; one of a million entries then fits the first cache,
    // and a second digit leaves runs of about one.
    private const int BucketBits = 11;
    private const int BucketCount = 1 << BucketBits;
    private const int BucketShift = 64 - BucketBits;
    private const int DigitBits = 9;
    private const int DigitCount = 1 << DigitBits;
    private const int DigitShift = BucketShift - DigitBits;

    // Keys that are written often lie in one run many times; an insertion sort's cost would be their number squared.
    private const int MaxInsertionRun = 32;
    private const int PrefetchDistance = 12;

    private readonly nint[] blocks;
    private readonly int[] bucketEnds = new int[BucketCount];
    private readonly NativeBuffer scratch = new();
    private readonly int count;
    private Place* places;

    /// <summary>Finds the entries, and puts them into buckets by the upper bits of their hash.</summary>
    public HintPlaces(ReadOnlySpan<nint> blocks, ReadOnlySpan<int> blockEnds, int count)
    {
        this.blocks = blocks.ToArray();
        this.count = count;
        places = (Place*)NativeMemory.Alloc((nuint)Math.Max(1, count), (nuint)sizeof(Place));
        int* next = stackalloc int[BucketCount];
        new Span<int>(next, BucketCount).Clear();
        for (int i = 0; i < blocks.Length; i++)
        {
            byte* start = (byte*)blocks[i];
            for (byte* at = start; at != start + blockEnds[i]; at = new HintEntry(at).End)
            {
                next[new HintEntry(at).Hash >> BucketShift]++;
            }
        }

        TurnCountsIntoStarts(next, BucketCount);
        for (int i = 0; i < blocks.Length; i++)
        {
            byte* start = (byte*)blocks[i];
            for (byte* at = start; at != start + blockEnds[i]; at = new HintEntry(at).End)
            {
                ulong hash = new HintEntry(at).Hash;
                places[next[hash >> BucketShift]++] = new Place(hash, ((ulong)i << BlockBits) | (ulong)(at - start));
            }
        }

        new ReadOnlySpan<int>(next, BucketCount).CopyTo(bucketEnds);
    }

    /// <summary>Sorts by hash; entries of equal hash stay in the order in which they were added.</summary>
    public void Sort()
    {
        int start = 0;
        foreach (int end in bucketEnds)
        {
            if (end - start > 1) SortBucket(places + start, end - start);
            start = end;
        }
    }

    /// <summary>Writes what <see cref="Sort"/> has brought into order.</summary>
    public void WriteLastOfEachKey(HintWriter writer)
    {
        for (int start = 0; start < count;)
        {
            if (start + PrefetchDistance < count) Prefetch(places[start + PrefetchDistance]);
            int end = start + 1;
            while (end < count && places[end].Hash == places[start].Hash) end++;
            if (end - start == 1) writer.Add(EntryAt(places[start]));
            else WriteEqualHashes(new Span<Place>(places + start, end - start), writer);
            start = end;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(places);
        places = null;
        scratch.Dispose();
    }

    private static void TurnCountsIntoStarts(int* counts, int length)
    {
        int total = 0;
        for (int i = 0; i < length; i++)
        {
            int here = counts[i];
            counts[i] = total;
            total += here;
        }
    }

    private static int Digit(Place place) => (int)(place.Hash >> DigitShift) & (DigitCount - 1);

    private void SortBucket(Place* bucket, int length)
    {
        if (length <= MaxInsertionRun)
        {
            SortRun(new Span<Place>(bucket, length));
            return;
        }

        SortByDigit(bucket, length);
        for (int start = 0; start < length;)
        {
            int end = start + 1;
            while (end < length && bucket[end].Hash >> DigitShift == bucket[start].Hash >> DigitShift) end++;
            if (end - start > 1) SortRun(new Span<Place>(bucket + start, end - start));
            start = end;
        }
    }

    private void SortByDigit(Place* bucket, int length)
    {
        int* next = stackalloc int[DigitCount];
        new Span<int>(next, DigitCount).Clear();
        for (int i = 0; i < length; i++) next[Digit(bucket[i])]++;
        TurnCountsIntoStarts(next, DigitCount);
        var sorted = (Place*)scratch.Require((long)length * sizeof(Place));
        for (int i = 0; i < length; i++) sorted[next[Digit(bucket[i])]++] = bucket[i];
        new ReadOnlySpan<Place>(sorted, length).CopyTo(new Span<Place>(bucket, length));
    }

    private static void SortRun(Span<Place> run)
    {
        if (run.Length > MaxInsertionRun)
        {
            run.Sort();
            return;
        }

        for (int i = 1; i < run.Length; i++)
        {
            Place moving = run[i];
            int to = i;
            for (; to > 0 && run[to - 1].Hash > moving.Hash; to--) run[to] = run[to - 1];
            run[to] = moving;
        }
    }

    private void WriteEqualHashes(Span<Place> group, HintWriter writer)
    {
        ReadOnlySpan<byte> last = EntryAt(group[^1]).Key;
        bool isOneKey = true;
        for (int i = 0; i < group.Length - 1 && isOneKey; i++) isOneKey = EntryAt(group[i]).Key.SequenceEqual(last);
        if (!isOneKey) group.Sort(CompareKeys);
        for (int i = 0; i < group.Length; i++)
        {
            HintEntry entry = EntryAt(group[i]);
            bool isLast = i + 1 == group.Length || (!isOneKey && !EntryAt(group[i + 1]).Key.SequenceEqual(entry.Key));
            if (isLast) writer.Add(entry);
            else writer.AddSuperseded(entry);
        }
    }

    private int CompareKeys(Place left, Place right)
    {
        int order = EntryAt(left).Key.SequenceCompareTo(EntryAt(right).Key);
        return order != 0 ? order : left.Where.CompareTo(right.Where);
    }

    private HintEntry EntryAt(Place place) =>
        new((byte*)blocks[(int)(place.Where >> BlockBits)] + (place.Where & (BlockBytes - 1)));

    private void Prefetch(Place place)
    {
        if (!Sse.IsSupported) return;
        byte* start = EntryAt(place).Start;
        Sse.Prefetch0(start);
        Sse.Prefetch0(start + 63);
    }

    /// <summary>Where an entry lies: number of its block, and offset in it. Grows with each entry added.</summary>
    private readonly struct Place(ulong hash, ulong where) : IComparable<Place>
    {
        public readonly ulong Hash = hash;
        public readonly ulong Where = where;

        public int CompareTo(Place other) =>
            Hash != other.Hash ? Hash.CompareTo(other.Hash) : Where.CompareTo(other.Where);
    }
}
