using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Bitcask.Hints;

/// <summary>Hash and place of each collected entry, and their sorting.</summary>
internal sealed unsafe class HintPlaces : IDisposable
{
    /// <summary>Size of a block of entries.</summary>
    public const int BlockBytes = 1 << BlockBits;

    private const int BlockBits = 20;

    // Two passes leave runs of about 1 of a million entries, and each pass's 2,048 targets stay in the first cache.
    private const int DigitBits = 11;
    private const int DigitCount = 1 << DigitBits;
    private const int FirstShift = 64 - (2 * DigitBits);
    private const int SecondShift = 64 - DigitBits;

    // Keys that are written often lie in one run many times; an insertion sort's cost would be their number squared.
    private const int MaxInsertionRun = 32;
    private const int PrefetchDistance = 12;

    private readonly nint[] blocks;
    private readonly int count;
    private Place* places;
    private Place* spare;

    /// <summary>Finds the entries.</summary>
    public HintPlaces(ReadOnlySpan<nint> blocks, ReadOnlySpan<int> blockEnds, int count)
    {
        this.blocks = blocks.ToArray();
        this.count = count;
        places = Allocate(count);
        spare = Allocate(count);
        Place* next = places;
        for (int i = 0; i < blocks.Length; i++)
        {
            byte* start = (byte*)blocks[i];
            for (byte* at = start; at != start + blockEnds[i]; at = new HintEntry(at).End)
            {
                *next++ = new Place(new HintEntry(at).Hash, ((ulong)i << BlockBits) | (ulong)(at - start));
            }
        }
    }

    /// <summary>Sorts by hash; entries of equal hash stay in the order in which they were added.</summary>
    public void Sort()
    {
        // Least significant digit first: each pass keeps the order of the last.
        Scatter(FirstShift);
        Scatter(SecondShift);
        for (int start = 0; start < count;)
        {
            int end = start + 1;
            while (end < count && places[end].Hash >> FirstShift == places[start].Hash >> FirstShift) end++;
            if (end - start > 1) SortRun(new Span<Place>(places + start, end - start));
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
        NativeMemory.Free(spare);
        places = spare = null;
    }

    private static Place* Allocate(int count) =>
        (Place*)NativeMemory.Alloc((nuint)Math.Max(1, count), (nuint)sizeof(Place));

    private void Scatter(int shift)
    {
        int* next = stackalloc int[DigitCount];
        new Span<int>(next, DigitCount).Clear();
        for (int i = 0; i < count; i++) next[Digit(places[i], shift)]++;
        int total = 0;
        for (int digit = 0; digit < DigitCount; digit++)
        {
            int here = next[digit];
            next[digit] = total;
            total += here;
        }

        for (int i = 0; i < count; i++) spare[next[Digit(places[i], shift)]++] = places[i];
        Place* sorted = spare;
        spare = places;
        places = sorted;
    }

    private static int Digit(Place place, int shift) => (int)(place.Hash >> shift) & (DigitCount - 1);

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
