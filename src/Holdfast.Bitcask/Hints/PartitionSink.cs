using System.Runtime.CompilerServices;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Hints;

/// <summary>Collects the records of one partition after the other for the compact keydir.</summary>
/// <param name="fill">Takes each partition.</param>
/// <param name="buffer">Belongs to the thread; used again for each partition.</param>
internal unsafe struct PartitionSink(FillPartition fill, NativeBuffer buffer) : IHintSink
{
    private const int FirstCapacity = 1 << 12;

    private KeydirEntry* entries;
    private int count;
    private int capacity;
    private int partition;

    /// <inheritdoc/>
    public void Add(ulong hash, HintEntry entry, uint segment)
    {
        int own = CompactKeydir.PartitionOf(hash);
        if (own != partition) Flush();
        partition = own;
        if (count == capacity) Grow();
        entries[count++] = new KeydirEntry(hash, entry.LocationIn(segment));
    }

    /// <summary>Gives away what is left of the last partition.</summary>
    public void Flush()
    {
        if (count > 0) fill(partition, new ReadOnlySpan<KeydirEntry>(entries, count));
        count = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow()
    {
        // What is in the buffer is lost as it grows; that happens to few partitions, since the buffer is kept.
        KeydirEntry[] kept = new ReadOnlySpan<KeydirEntry>(entries, count).ToArray();
        int wanted = Math.Max(FirstCapacity, checked(2 * count));
        entries = (KeydirEntry*)buffer.Require((long)wanted * sizeof(KeydirEntry));
        capacity = (int)Math.Min(int.MaxValue, buffer.Capacity / sizeof(KeydirEntry));
        kept.CopyTo(new Span<KeydirEntry>(entries, capacity));
    }
}
