using System.Buffers.Binary;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Hints;

/// <summary>Keys with their locations, collected in any order and then sorted by key, as unsigned bytes.</summary>
internal sealed unsafe class KeyRun : IDisposable
{
    private readonly List<NativeBuffer> keys = [];
    private NativeBuffer items = new();
    private byte* end;
    private int count;

    /// <summary>The first key, once they are sorted.</summary>
    public Item* Start => (Item*)items.Start;

    /// <summary>Behind the last key.</summary>
    public Item* End => Start + count;

    /// <summary>Makes room for keys more.</summary>
    /// <param name="maxBytes">What their hint entries take at most.</param>
    /// <param name="maxCount">How many at most.</param>
    public void Extend(long maxBytes, long maxCount)
    {
        if (maxCount == 0) return;
        var own = new NativeBuffer();
        keys.Add(own);
        end = own.Require(maxBytes);
        long wanted = (count + maxCount) * sizeof(Item);
        if (wanted <= items.Capacity) return;
        var larger = new NativeBuffer();
        larger.Require(2 * wanted);
        new ReadOnlySpan<Item>(Start, count).CopyTo(new Span<Item>(larger.Start, count));
        items.Dispose();
        items = larger;
    }

    /// <summary>Adds a key. The entry's key is copied.</summary>
    public void Add(HintEntry entry, uint segment)
    {
        ReadOnlySpan<byte> key = entry.Key;
        key.CopyTo(new Span<byte>(end, key.Length));
        Start[count++] = new Item(end, key.Length, entry.LocationIn(segment));
        end += key.Length;
    }

    /// <summary>Sorts by key.</summary>
    public void Sort() => new Span<Item>(Start, count).Sort();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeBuffer own in keys) own.Dispose();
        items.Dispose();
    }

    /// <summary>A key and where its record lies.</summary>
    internal readonly struct Item : IComparable<Item>
    {
        // The first eight bytes, filled up with zeros, as a number: most comparisons end here.
        private readonly ulong head;
        private readonly byte* start;
        private readonly int keyBytes;

        public Item(byte* start, int keyBytes, Location location)
        {
            this.start = start;
            this.keyBytes = keyBytes;
            Location = location;
            Span<byte> first = stackalloc byte[sizeof(ulong)];
            first.Clear();
            Key[..Math.Min(keyBytes, sizeof(ulong))].CopyTo(first);
            head = BinaryPrimitives.ReadUInt64BigEndian(first);
        }

        public Location Location { get; }

        public ReadOnlySpan<byte> Key => new(start, keyBytes);

        public int CompareTo(Item other) =>
            head != other.head ? head.CompareTo(other.head) : Key.SequenceCompareTo(other.Key);

        public bool IsBefore(in Item other) =>
            head != other.head ? head < other.head : Key.SequenceCompareTo(other.Key) < 0;
    }
}
