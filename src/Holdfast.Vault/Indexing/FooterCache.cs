using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>
/// The footers read last, and where the chunks they list lie. What was stored together is asked for together: one look
/// into the index finds a pack, and the pack's footer answers for the neighbours. May be used from any thread.
/// </summary>
/// <remarks>
/// A table of sets, each place in it the tag of an id (28 bits), the slot of a footer (20) and an ordinal (16). Places are
/// hints, and never cleared: a slot's footer may be another by now, so the whole id is compared there.
/// </remarks>
internal sealed class FooterCache(long maxBytes)
{
    private const int Ways = 4;
    private const int SlotBits = 20;
    private const int OrdinalBits = 16;
    private const int MaxSlots = (1 << SlotBits) - 1;
    private const int FewestPlaces = 1 << 12;

    // A chunk in a footer, and two to four places of the table.
    private const int BytesPerChunk = 48 + 24;

    private readonly Lock gate = new();
    private readonly Dictionary<PackId, int> slots = [];
    private readonly Stack<int> free = new();

    // Replaced when it grows; readers take one of the two and find, at worst, nothing.
    private volatile Slot[] places = [];
    private volatile ulong[] table = new ulong[FewestPlaces];
    private int chunks;
    private long bytes;
    private int hand;

    /// <summary>Where a chunk of a kind lies, if a footer at hand lists it.</summary>
    public bool TryFind(in ChunkId id, ObjectKind kind, out ChunkLocation location)
    {
        ulong[] entries = table;
        Slot[] known = places;
        int first = SetOf(id, entries);
        ulong tag = TagOf(id);
        for (int i = first; i < first + Ways; i++)
        {
            ulong entry = Volatile.Read(ref entries[i]);
            if (entry == 0 || entry >> (SlotBits + OrdinalBits) != tag) continue;
            int slot = (int)(entry >> OrdinalBits) & MaxSlots;
            int ordinal = (int)entry & ((1 << OrdinalBits) - 1);
            if (slot >= known.Length || known[slot].Footer is not { } footer) continue;
            if (ordinal >= footer.Chunks.Length || footer.Chunks[ordinal].Id != id || footer.Pack.Kind != kind) continue;
            known[slot].Used = true;
            location = new ChunkLocation(footer, ordinal);
            return true;
        }

        location = default;
        return false;
    }

    public PackFooter? TryGet(PackId pack)
    {
        lock (gate)
        {
            if (!slots.TryGetValue(pack, out int slot)) return null;
            places[slot].Used = true;
            return places[slot].Footer;
        }
    }

    public void Add(PackFooter footer)
    {
        lock (gate)
        {
            if (slots.ContainsKey(footer.Pack)) return;
            // The newest stays, however large: its user is about to ask for it.
            while (slots.Count > 0 && bytes + BytesOf(footer) > maxBytes) Evict();
            if (!free.TryPop(out int slot))
            {
                slot = slots.Count;
                if (slot == MaxSlots) return;
                if (slot == places.Length) Grow();
            }

            places[slot].Footer = footer;
            slots.Add(footer.Pack, slot);
            bytes += BytesOf(footer);
            chunks += footer.Chunks.Length;
            if (chunks * 2L > table.Length) Widen();
            else Insert(table, slot, footer);
        }
    }

    private static long BytesOf(PackFooter footer) => 200 + (footer.Chunks.Length * (long)BytesPerChunk) + (footer.Groups.Length * 24L);

    private static int SetOf(in ChunkId id, ulong[] entries) => (int)id.W2 & (entries.Length - 1) & ~(Ways - 1);

    private static ulong TagOf(in ChunkId id) => (id.W3 >> (SlotBits + OrdinalBits)) | 1;

    /// <summary>Puts a footer's chunks where there is room, else in the place of others.</summary>
    private static void Insert(ulong[] entries, int slot, PackFooter footer)
    {
        for (int ordinal = 0; ordinal < footer.Chunks.Length; ordinal++)
        {
            ChunkId id = footer.Chunks[ordinal].Id;
            int first = SetOf(id, entries);
            int at = first + (ordinal & (Ways - 1));
            for (int i = first; i < first + Ways; i++)
            {
                if (entries[i] == 0) at = i;
            }

            Volatile.Write(ref entries[at], (TagOf(id) << (SlotBits + OrdinalBits)) | ((ulong)slot << OrdinalBits) | (uint)ordinal);
        }
    }

    /// <summary>Lets go of the next footer that was not used since the hand passed it last.</summary>
    private void Evict()
    {
        while (true)
        {
            hand = (hand + 1) % places.Length;
            ref Slot slot = ref places[hand];
            if (slot.Footer is not { } footer) continue;
            if (slot.Used)
            {
                slot.Used = false;
                continue;
            }

            slot.Footer = null;
            slots.Remove(footer.Pack);
            free.Push(hand);
            bytes -= BytesOf(footer);
            chunks -= footer.Chunks.Length;
            return;
        }
    }

    private void Grow()
    {
        var grown = new Slot[Math.Max(16, places.Length * 2)];
        places.CopyTo(grown, 0);
        places = grown;
    }

    private void Widen()
    {
        ulong[] wide = new ulong[table.Length * 2];
        while (chunks * 2L > wide.Length) wide = new ulong[wide.Length * 2];
        for (int slot = 0; slot < places.Length; slot++)
        {
            if (places[slot].Footer is { } footer) Insert(wide, slot, footer);
        }

        table = wide;
    }

    private struct Slot
    {
        public PackFooter? Footer;
        public bool Used;
    }
}
