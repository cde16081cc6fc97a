using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>A leaf: up to <see cref="MaxKeys"/> keys in order with their locations.</summary>
/// <remarks>
/// All lies in one array: heads (see <see cref="OrderedSearch"/>), slots, the prefix that all keys share, and the
/// items: location (12 bytes), length of the key (2), key, filled up to a multiple of 4. A slot is the offset of an
/// item divided by 4; slots are in the order of the keys, items in that in which they came. An item is never moved nor
/// its room used again: a leaf that is full is replaced.
///
/// One thread changes it at a time, any number read it meanwhile without a lock: the version is odd while heads and
/// slots are moved or a location is written, and a reader that saw it change has read nothing. What such a reader meets
/// on its way are slots of items that are or were there, so it needs no more care than not to believe them.
/// </remarks>
internal sealed class OrderedLeaf : OrderedNode
{
    /// <summary>Most keys.</summary>
    public const int MaxKeys = 64;

    /// <summary>A leaf whose items take more than this, bytes, is split if it has two keys.</summary>
    public const int MaxItemBytes = 8 << 10;

    private const int LocationBytes = 12;
    private const int KeyBytesOffset = LocationBytes;
    private const int KeyOffset = LocationBytes + 2;
    private const int Alignment = 4;
    private const int HeadBytes = sizeof(uint);
    private const int SlotBytes = sizeof(ushort);

    private const int LeastSpareKeys = 8;
    private const byte AppendsThatMakeARow = 8;

    // A longer one would be found to be equal byte by byte more often than it saves a comparison.
    private const int MaxPrefixBytes = 128;

    private readonly byte[] page;
    private readonly int capacity;
    private readonly int prefixBytes;
    private int version;
    private int count;
    private int end;
    private int deadBytes;
    private byte appendsInARow;

    /// <summary>An empty leaf.</summary>
    /// <param name="epoch">The keydir's.</param>
    /// <param name="capacity">For how many keys there is room.</param>
    /// <param name="itemBytes">For how many bytes of items.</param>
    /// <param name="prefix">What all keys begin with.</param>
    private OrderedLeaf(long epoch, int capacity, int itemBytes, ReadOnlySpan<byte> prefix)
        : base(epoch)
    {
        this.capacity = capacity;
        prefixBytes = prefix.Length;
        end = Aligned(PrefixOffset + prefixBytes);
        page = new byte[end + itemBytes];
        prefix.CopyTo(page.AsSpan(PrefixOffset));
    }

    /// <summary>How many keys.</summary>
    public int Count => Volatile.Read(ref count);

    /// <summary>What the items take that are there, bytes.</summary>
    public int ItemBytes => end - Aligned(PrefixOffset + prefixBytes) - deadBytes;

    /// <summary>Whether the last keys came in ascending order, each behind all others.</summary>
    public bool IsAppendedTo => appendsInARow >= AppendsThatMakeARow;

    /// <inheritdoc/>
    public override int Bytes => ObjectBytes + 48 + ObjectBytes + page.Length;

    /// <summary>What all keys begin with.</summary>
    public ReadOnlySpan<byte> Prefix => page.AsSpan(PrefixOffset, prefixBytes);

    private int PrefixOffset => capacity * (HeadBytes + SlotBytes);

    private Span<uint> Heads => MemoryMarshal.Cast<byte, uint>(page.AsSpan(0, capacity * HeadBytes));

    private Span<ushort> Slots =>
        MemoryMarshal.Cast<byte, ushort>(page.AsSpan(capacity * HeadBytes, capacity * SlotBytes));

    /// <summary>An empty leaf with room for exactly this.</summary>
    public static OrderedLeaf Exact(long epoch, int capacity, int itemBytes, ReadOnlySpan<byte> prefix) =>
        new(epoch, capacity, itemBytes, prefix);

    /// <summary>An empty leaf with room for this, and some to spare.</summary>
    public static OrderedLeaf Roomy(long epoch, int keys, int itemBytes, ReadOnlySpan<byte> prefix)
    {
        int capacity = Math.Min(MaxKeys, keys + Math.Max(keys / 2, LeastSpareKeys));
        int spareBytes = (capacity - keys) * (itemBytes / keys);
        int room = Math.Max(itemBytes, Math.Min(itemBytes + spareBytes, MaxItemBytes));
        return new OrderedLeaf(epoch, capacity, room, prefix);
    }

    /// <summary>What the item of a key takes, bytes.</summary>
    public static int ItemBytesOf(int keyBytes) => Aligned(KeyOffset + keyBytes);

    /// <summary>How much of two keys may serve as a prefix.</summary>
    public static int SharedPrefix(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        Math.Min(MaxPrefixBytes, one.CommonPrefixLength(other));

    /// <summary>Finds a key's location, while another thread may change the leaf.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, out Location location)
    {
        var spinner = default(SpinWait);
        while (true)
        {
            int before = Volatile.Read(ref version);
            if ((before & 1) == 0)
            {
                bool isFound = Search(key, out int index);
                location = isFound && TryItemAt(index, out int item) ? LocationOf(item) : default;
                Volatile.ReadBarrier();
                if (Volatile.Read(ref version) == before) return isFound;
            }

            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Finds a key's index, or where it would be inserted.</summary>
    public bool Search(ReadOnlySpan<byte> key, out int index)
    {
        int keys = Math.Min(Count, capacity);
        int order = prefixBytes == 0 ? 0 : key[..Math.Min(key.Length, prefixBytes)].SequenceCompareTo(Prefix);
        if (order != 0)
        {
            index = order < 0 ? 0 : keys;
            return false;
        }

        uint head = OrderedSearch.HeadOf(key, prefixBytes);
        ReadOnlySpan<uint> heads = Heads[..keys];
        int low = OrderedSearch.CountBelow(heads, head), high = low;
        while (high < keys && heads[high] == head) high++;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            order = key.SequenceCompareTo(KeyAt(middle));
            if (order == 0)
            {
                index = middle;
                return true;
            }

            if (order > 0) low = middle + 1;
            else high = middle;
        }

        index = low;
        return false;
    }

    /// <summary>A key; valid as long as the leaf. Empty for an index that a reader should not have believed.</summary>
    public ReadOnlySpan<byte> KeyAt(int index)
    {
        if (!TryItemAt(index, out int item)) return default;
        int bytes = BinaryPrimitives.ReadUInt16LittleEndian(page.AsSpan(item + KeyBytesOffset));
        return item + KeyOffset + bytes <= page.Length ? page.AsSpan(item + KeyOffset, bytes) : default;
    }

    /// <summary>The location of a key; for the thread that changes the leaf, or when nobody does.</summary>
    public Location LocationAt(int index) => LocationOf(Slots[index] * Alignment);

    /// <summary>Whether a key can be inserted in place.</summary>
    public bool HasRoomFor(ReadOnlySpan<byte> key) =>
        count < capacity && page.Length - end >= ItemBytesOf(key.Length) && key.StartsWith(Prefix);

    /// <summary>Inserts a key for which there is room.</summary>
    public void Insert(int index, ReadOnlySpan<byte> key, Location location)
    {
        // The item first: a reader that finds its slot finds it whole.
        int item = end;
        MemoryMarshal.Write(page.AsSpan(item), location);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(item + KeyBytesOffset), (ushort)key.Length);
        key.CopyTo(page.AsSpan(item + KeyOffset));
        end += ItemBytesOf(key.Length);
        appendsInARow = index != count ? (byte)0 : (byte)Math.Min(appendsInARow + 1, byte.MaxValue);

        BeginChange();
        Span<uint> heads = Heads;
        Span<ushort> slots = Slots;
        heads[index..count].CopyTo(heads[(index + 1)..]);
        slots[index..count].CopyTo(slots[(index + 1)..]);
        heads[index] = OrderedSearch.HeadOf(key, prefixBytes);
        slots[index] = (ushort)(item / Alignment);
        count++;
        EndChange();
    }

    /// <summary>Gives a key another location.</summary>
    public void SetLocation(int index, Location location)
    {
        BeginChange();
        MemoryMarshal.Write(page.AsSpan(Slots[index] * Alignment), location);
        EndChange();
    }

    /// <summary>Takes a key out.</summary>
    public void Remove(int index)
    {
        deadBytes += ItemBytesOf(KeyAt(index).Length);
        appendsInARow = 0;
        BeginChange();
        Heads[(index + 1)..count].CopyTo(Heads[index..]);
        Slots[(index + 1)..count].CopyTo(Slots[index..]);
        count--;
        EndChange();
    }

    /// <summary>The same keys in another epoch.</summary>
    public OrderedLeaf Copy(long epoch)
    {
        OrderedLeaf copy = Exact(epoch, count, ItemBytes, Prefix);
        copy.Append(this, 0, count);
        copy.appendsInARow = appendsInARow;
        return copy;
    }

    /// <summary>The same keys with room for one more, and some to spare.</summary>
    public OrderedLeaf WithRoomFor(long epoch, ReadOnlySpan<byte> key)
    {
        int prefix = key.StartsWith(Prefix) ? prefixBytes : SharedPrefix(Prefix, key);
        OrderedLeaf larger = Roomy(epoch, count + 1, ItemBytes + ItemBytesOf(key.Length), Prefix[..prefix]);
        larger.Append(this, 0, count);
        larger.appendsInARow = appendsInARow;
        return larger;
    }

    /// <summary>Notes that the keys of this leaf go on an ascending row.</summary>
    public void ContinueAppends() => appendsInARow = AppendsThatMakeARow;

    /// <summary>Appends keys of another leaf, which go behind all here. There is room; nobody reads yet.</summary>
    public void Append(OrderedLeaf from, int start, int stop)
    {
        Span<uint> heads = Heads;
        Span<ushort> slots = Slots, fromSlots = from.Slots;
        ReadOnlySpan<byte> fromPage = from.page;
        bool areHeadsSame = prefixBytes == from.prefixBytes;
        if (areHeadsSame) from.Heads[start..stop].CopyTo(heads[count..]);
        for (int i = start; i < stop; i++, count++)
        {
            int item = fromSlots[i] * Alignment;
            int keyBytes = BinaryPrimitives.ReadUInt16LittleEndian(fromPage[(item + KeyBytesOffset)..]);
            int itemBytes = ItemBytesOf(keyBytes);
            fromPage.Slice(item, itemBytes).CopyTo(page.AsSpan(end));
            ReadOnlySpan<byte> key = fromPage.Slice(item + KeyOffset, keyBytes);
            if (!areHeadsSame) heads[count] = OrderedSearch.HeadOf(key, prefixBytes);
            slots[count] = (ushort)(end / Alignment);
            end += itemBytes;
        }
    }

    private static int Aligned(int bytes) => (bytes + Alignment - 1) & -Alignment;

    private bool TryItemAt(int index, out int item)
    {
        ReadOnlySpan<ushort> slots = Slots;
        item = (uint)index < (uint)slots.Length ? slots[index] * Alignment : 0;
        return item >= PrefixOffset && item + KeyOffset <= page.Length;
    }

    private Location LocationOf(int item) => MemoryMarshal.Read<Location>(page.AsSpan(item));

    private void BeginChange()
    {
        Volatile.Write(ref version, version + 1);
        Volatile.WriteBarrier();
    }

    private void EndChange() => Volatile.Write(ref version, version + 1);
}
