using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// The slots of a partition of the compact keydir, in native memory: sorted by fingerprint, with gaps.
/// </summary>
/// <remarks>
/// <para>A slot's home is the share of the homes that its fingerprint is of all fingerprints; it lies there, or behind
/// the slot before it where that is further. So slots lie the same for the same keys, growing is one pass over memory
/// in order, and a search ends at an empty slot or a greater fingerprint. Behind the homes lie some slots more, since
/// there is no wrapping around, and an empty one that is never written, at which each search ends.</para>
/// <para>Held by the keydir and by snapshots, each with a reference; whoever gives back the last frees it. It is
/// changed only by one who has the partition and knows that it is not shared.</para>
/// </remarks>
internal readonly unsafe partial struct CompactTable
{
    /// <summary>The smallest table.</summary>
    public const uint MinSlots = 12;

    // So that the slots of a table can be looked at as one span: 2 GiB less some.
    private const uint MaxImageSlots = 1 << 26;

    private const uint MinSlack = 4;
    private const uint MaxSlack = 16;

    // Growing by a quarter keeps the load between 68 and 85 %: 23.5 to 18.8 bytes a key. Denser, searches become long.
    private const uint MaxLoadPercent = 85;
    private const uint FilledLoadPercent = 75;
    private const uint CrowdedLoadPercent = 60;
    private const uint ShrunkLoadPercent = 60;
    private const uint MinLoadPercent = 40;

    private readonly CompactSlot* slots;

    private CompactTable(CompactSlot* slots)
    {
        this.slots = slots;
    }

    /// <summary>Whether there is a table; the default value is none.</summary>
    public bool Exists => slots != null;

    /// <summary>The first slot.</summary>
    public CompactSlot* Slots => slots;

    /// <summary>How many homes there are.</summary>
    public uint Homes => Head->Homes;

    /// <summary>How many slots there are, the last empty one not counted.</summary>
    public uint SlotCount => Head->SlotCount;

    /// <summary>How many of them have a key.</summary>
    public uint Count => Head->Count;

    /// <summary>Memory held, bytes.</summary>
    public long Bytes => BytesOf(SlotCount);

    /// <summary>
    /// Whether a snapshot has it, too. Can become false at any time, true only by one who has the partition.
    /// </summary>
    public bool IsShared => Volatile.Read(ref Head->References) > 1;

    private Header* Head => (Header*)slots - 1;

    /// <summary>Whether one key more would be too many for searches to be short.</summary>
    public bool IsFull => ((ulong)Count + 1) * 100 > (ulong)SlotCount * MaxLoadPercent;

    /// <summary>Whether so few slots are used that a smaller table should be made.</summary>
    public bool IsSparse => (ulong)Count * 100 < (ulong)SlotCount * MinLoadPercent && SlotCount > MinSlots;

    /// <summary>A table without keys.</summary>
    public static CompactTable Create(uint slotCount)
    {
        CompactTable table = Allocate(HomesOf(slotCount), slotCount);
        table.EndAppending(0);
        return table;
    }

    /// <summary>A table with some keys.</summary>
    /// <param name="sortedByHash">The keys.</param>
    /// <param name="arena">Where it is made if there is room; may be none.</param>
    public static CompactTable CreateFilled(ReadOnlySpan<KeydirEntry> sortedByHash, TableArena arena)
    {
        uint wantedSlots = SlotsFor((uint)sortedByHash.Length, FilledLoadPercent);
        CompactTable table = Allocate(HomesOf(wantedSlots), wantedSlots, arena);
        if (!table.TryFill(sortedByHash))
        {
            // Keys crowd at the end: only counting tells how many slots it takes.
            table.Release();
            uint homes = HomesOf(wantedSlots);
            table = Allocate(homes, Math.Max(wantedSlots, ExtentOf(sortedByHash, homes) + MinSlack), arena);
            if (!table.TryFill(sortedByHash)) throw new InvalidOperationException("the extent was counted wrong");
        }

        return table;
    }

    /// <summary>How many homes a table of some slots has, if its keys are spread evenly.</summary>
    public static uint HomesOf(uint slotCount) => slotCount - Math.Min(MinSlack + (slotCount / 32), MaxSlack);

    /// <summary>Where a fingerprint belongs.</summary>
    public static uint HomeOf(uint fingerprint, uint homes) => (uint)(((ulong)fingerprint * homes) >> 32);

    /// <summary>The first slot that is empty or has no lesser fingerprint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CompactSlot* Seek(CompactSlot* slots, uint homes, uint fingerprint)
    {
        CompactSlot* slot = slots + HomeOf(fingerprint, homes);

        // Without branches for the first ones: they could not be foreseen, and after a wrong guess nothing that comes
        // next is done while memory is waited for. There are as many behind each home (MinSlack), and those less come
        // first: what lies behind an empty slot is at home behind it.
        slot += Less(slot[0].Fingerprint, fingerprint) + Less(slot[1].Fingerprint, fingerprint)
            + Less(slot[2].Fingerprint, fingerprint) + Less(slot[3].Fingerprint, fingerprint);
        while (slot->Fingerprint < fingerprint)
        {
            slot++;
        }

        return slot;
    }

    /// <inheritdoc cref="Seek(CompactSlot*, uint, uint)"/>
    public CompactSlot* Seek(uint fingerprint) => Seek(slots, Homes, fingerprint);

    /// <summary>The slot of a fingerprint whose record lies at a place; null when there is none.</summary>
    public CompactSlot* Find(uint fingerprint, Location location)
    {
        if (!Exists)
        {
            return null;
        }

        for (CompactSlot* slot = Seek(fingerprint); slot->Has(fingerprint); slot++)
        {
            if (slot->Location.IsSameAs(location))
            {
                return slot;
            }
        }

        return null;
    }

    /// <summary>
    /// The empty slot that an insertion before <paramref name="slot"/> would fill; null when there is none.
    /// </summary>
    public CompactSlot* FindFree(CompactSlot* slot)
    {
        while (!slot->IsEmpty)
        {
            slot++;
        }

        return slot == slots + SlotCount ? null : slot;
    }

    /// <summary>
    /// Puts a key in, in front of those from <paramref name="at"/> to the empty slot <paramref name="free"/>.
    /// </summary>
    public void Insert(CompactSlot* at, CompactSlot* free, CompactSlot inserted)
    {
        for (CompactSlot* slot = free; slot > at; slot--)
        {
            *slot = slot[-1];
        }

        *at = inserted;
        Head->Count++;
    }

    /// <summary>Takes a key out; those behind it that are not at home move up.</summary>
    public void RemoveAt(CompactSlot* slot)
    {
        CompactSlot* next = slot + 1;
        while (!next->IsEmpty && slots + HomeOf(next->Fingerprint, Homes) < next)
        {
            next[-1] = *next;
            next++;
        }

        next[-1] = CompactSlot.Empty;
        Head->Count--;
    }

    /// <summary>The same again, with one reference.</summary>
    public CompactTable Clone()
    {
        CompactTable clone = Allocate(Homes, SlotCount);
        clone.Head->Count = Count;
        NativeMemory.Copy(slots, clone.slots, (nuint)SlotCount * (nuint)sizeof(CompactSlot));
        return clone;
    }

    /// <summary>A larger table with the same keys.</summary>
    public CompactTable Grown()
    {
        uint wantedSlots = SlotCount + Math.Max(SlotCount / 4, MinSlack);

        // Of keys that crowd at the end, all of one hash perhaps, more homes would hold no more: only more slots behind
        // them.
        bool isCrowded = (ulong)Count * 100 < (ulong)SlotCount * CrowdedLoadPercent;
        return Resized(isCrowded ? Homes : HomesOf(wantedSlots), wantedSlots);
    }

    /// <summary>A smaller table with the same keys; none if it would not be smaller by much.</summary>
    public CompactTable Shrunk()
    {
        uint wantedSlots = SlotsFor(Count, ShrunkLoadPercent);
        uint homes = HomesOf(wantedSlots);
        ulong slotCount = Math.Max(wantedSlots, ExtentWith(homes) + MinSlack);
        return slotCount * 100 <= (ulong)SlotCount * 80 ? Resized(homes, wantedSlots) : default;
    }

    /// <summary>Writes a key behind all others of a table that is being made.</summary>
    /// <param name="end">Slots written so far: 0 first, then the last result.</param>
    /// <param name="slot">The key; its fingerprint is not less than the one before.</param>
    public uint Append(uint end, CompactSlot slot)
    {
        uint home = HomeOf(slot.Fingerprint, Homes);
        while (end < home)
        {
            slots[end++] = CompactSlot.Empty;
        }

        Debug.Assert(end < SlotCount, "the extent was counted wrong");
        slots[end++] = slot;
        Head->Count++;
        return end;
    }

    /// <summary>What tables for some keys take together if they are filled at once, bytes.</summary>
    public static long BytesToFill(long count, int tables) =>
        (count * 100 / FilledLoadPercent * sizeof(CompactSlot)) + (tables * (long)(sizeof(Header) + ((MaxSlack + 8) * sizeof(CompactSlot))));

    /// <summary>Makes the rest of a table empty, when all keys are in it.</summary>
    /// <param name="end">The last result of <see cref="Append"/>.</param>
    public void EndAppending(uint end)
    {
        CompactSlot* last = slots + SlotCount;
        for (CompactSlot* slot = slots + end; slot < last; slot++) *slot = CompactSlot.Empty;
    }

    /// <summary>One holder more. Called by one who has the partition.</summary>
    public void AddReference() => Interlocked.Increment(ref Head->References);

    /// <summary>One holder less; the last frees the memory.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref Head->References) == 0)
        {
            TableArena arena = Head->Arena;
            long bytes = Bytes;
            Poison();
            if (arena.Exists) arena.Return(Head, bytes);
            else NativeMemory.AlignedFree(Head);
        }
    }

    /// <summary>A table with the same keys and another number of slots.</summary>
    /// <param name="homes">Its homes.</param>
    /// <param name="wantedSlots">There are at least that many.</param>
    private CompactTable Resized(uint homes, uint wantedSlots)
    {
        // As many as are wanted are nearly always enough; else they are counted.
        CompactTable resized = Allocate(homes, Math.Max(wantedSlots, homes + MinSlack));
        if (resized.TryTakeAll(this)) return resized;
        NativeMemory.AlignedFree(resized.Head);
        resized = Allocate(homes, Math.Max(wantedSlots, ExtentWith(homes) + MinSlack));
        return resized.TryTakeAll(this) ? resized : throw new UnreachableException("the extent was counted wrong");
    }

    /// <summary>Copies all keys of another table into this one, which was only just allocated.</summary>
    /// <returns>False when there is not enough room behind the homes.</returns>
    private bool TryTakeAll(CompactTable other)
    {
        CompactSlot* to = slots;
        uint homes = Homes;
        uint last = SlotCount - MinSlack;
        EndAppending(0);

        // Which slots are empty cannot be foreseen, so there is no branch on it: an empty one is written where the next
        // key goes, or will not go.
        uint end = 0;
        CompactSlot* stop = other.slots + other.SlotCount;
        for (CompactSlot* slot = other.slots; slot < stop; slot++)
        {
            uint isKey = slot->IsEmpty ? 0u : 1u;
            uint home = HomeOf(slot->Fingerprint & (0 - isKey), homes);
            uint at = Math.Max(home, end);
            to[at] = *slot;
            end = at + isKey;
            if (end > last) return false;
        }

        Head->Count = other.Count;
        return true;
    }

    /// <summary>Writes all slots of a table that was just made; false when there are too few.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryFill(ReadOnlySpan<KeydirEntry> sortedByHash)
    {
        CompactSlot* to = slots;
        uint homes = Homes, limit = SlotCount - MinSlack;
        uint end = 0;
        foreach (ref readonly KeydirEntry entry in sortedByHash)
        {
            uint fingerprint = CompactKeydir.FingerprintOf(entry.Hash);
            uint home = Math.Max(end, HomeOf(fingerprint, homes));
            if (home >= limit) return false;

            // A few are made empty whether there is a gap or not: its length cannot be foreseen, and nearly all are
            // shorter.
            to[end] = to[end + 1] = to[end + 2] = to[end + 3] = CompactSlot.Empty;
            for (uint gap = end + 4; gap < home; gap++) to[gap] = CompactSlot.Empty;
            to[home] = new CompactSlot(fingerprint, entry.Location);
            end = home + 1;
        }

        Head->Count = (uint)sortedByHash.Length;
        EndAppending(end);
        return true;
    }

    private static uint ExtentOf(ReadOnlySpan<KeydirEntry> sortedByHash, uint homes)
    {
        uint extent = 0;
        foreach (ref readonly KeydirEntry entry in sortedByHash)
        {
            extent = Math.Max(extent, HomeOf(CompactKeydir.FingerprintOf(entry.Hash), homes)) + 1;
        }

        return extent;
    }

    /// <summary>Slots up to the last key in a table of other homes.</summary>
    private uint ExtentWith(uint homes)
    {
        uint end = 0;
        CompactSlot* last = slots + SlotCount;
        for (CompactSlot* slot = slots; slot < last; slot++)
        {
            if (!slot->IsEmpty)
            {
                end = Math.Max(end, HomeOf(slot->Fingerprint, homes)) + 1;
            }
        }

        return end;
    }

    private static CompactTable Allocate(uint homes, uint slotCount, TableArena arena = default)
    {
        var head = (Header*)(arena.Exists ? arena.TryTake(BytesOf(slotCount)) : null);
        if (head == null)
        {
            arena = default;
            head = (Header*)NativeMemory.AlignedAlloc((nuint)BytesOf(slotCount), (nuint)sizeof(CompactSlot));
        }

        *head = new Header { References = 1, Homes = homes, SlotCount = slotCount, Arena = arena };
        var table = new CompactTable((CompactSlot*)(head + 1));
        table.slots[slotCount] = CompactSlot.Empty;
        return table;
    }

    /// <summary>So that a test notices who still reads it.</summary>
    [Conditional("DEBUG")]
    private void Poison() => NativeMemory.Fill(Head, (nuint)Bytes, 0xDB);

    /// <summary>1 if it is, 0 if not.</summary>
    private static long Less(uint left, uint right) => (long)((ulong)((long)left - right) >> 63);

    private static uint SlotsFor(uint count, uint loadPercent) =>
        Math.Max((uint)((((ulong)count * 100) + loadPercent - 1) / loadPercent), MinSlots);

    private static long BytesOf(uint slotCount) => sizeof(Header) + (((long)slotCount + 1) * sizeof(CompactSlot));

    /// <summary>Lies in front of the slots, and is as large as two.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 32)]
    private struct Header
    {
        public int References;
        public uint Homes;
        public uint SlotCount;
        public uint Count;
        public TableArena Arena;
    }
}
