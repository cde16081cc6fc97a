using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>
/// The footers read last, and where the chunks they list lie. What was stored together is asked for together: one look
/// into the index finds a pack, and the pack's footer answers for the neighbours. May be used from any thread.
/// </summary>
/// <remarks>
/// An open-addressed table; a place holds the tag of an id (28 bits), the slot of a footer (20) and an ordinal (16). Places
/// are hints, and not cleared when a footer goes: the slot's footer may be another by then, so the whole id is compared there.
/// </remarks>
internal sealed class FooterCache(long maxBytes)
{
    private const int SlotBits = 20;
    private const int OrdinalBits = 16;
    private const int MaxSlots = (1 << SlotBits) - 1;
    private const int FewestPlaces = 1 << 12;

    /// <summary>
    /// No id of a table that is half full comes near it. A footer can be made whose ids all begin at one place: they are left
    /// out, and found through the index.
    /// </summary>
    private const int MaxProbes = 256;

    // A chunk in a footer, and up to four places of the table.
    private const int BytesPerChunk = 48 + 32;

    private readonly Lock gate = new();
    private readonly Dictionary<PackId, int> slots = [];
    private readonly Stack<int> free = new();

    // Replaced when it grows; readers take one of the two and find, at worst, nothing.
    private volatile Slot[] places = [];
    private volatile ulong[] table = new ulong[FewestPlaces];
    private int filled;
    private int chunks;
    private long bytes;
    private int hand;

    /// <summary>Where a chunk of a kind lies, if a footer at hand lists it.</summary>
    public bool TryFind(in ChunkId id, ObjectKind kind, out ChunkLocation location)
    {
        ulong[] entries = table;
        Slot[] known = places;
        ulong tag = TagOf(id);
        int i = PlaceOf(id, entries);
        for (int probes = 0; probes < MaxProbes; probes++, i = (i + 1) & (entries.Length - 1))
        {
            ulong entry = Volatile.Read(ref entries[i]);
            if (entry == 0) break;
            if (entry >> (SlotBits + OrdinalBits) != tag) continue;
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
            // At most half full, so that a search ends soon.
            if ((filled + footer.Chunks.Length) * 2L > table.Length) Rebuild();
            else Insert(table, slot, footer);
        }
    }

    /// <summary>Lets go of a pack that is no more.</summary>
    public void Remove(PackId pack)
    {
        lock (gate)
        {
            if (slots.TryGetValue(pack, out int slot)) Free(slot);
        }
    }

    private static long BytesOf(PackFooter footer) => 200 + (footer.Chunks.Length * (long)BytesPerChunk) + (footer.Groups.Length * 28L) + (footer.FurtherKeys.Length * 200L);

    private static int PlaceOf(in ChunkId id, ulong[] entries) => (int)id.W2 & (entries.Length - 1);

    private static ulong TagOf(in ChunkId id) => (id.W3 >> (SlotBits + OrdinalBits)) | 1;

    private void Insert(ulong[] entries, int slot, PackFooter footer)
    {
        for (int ordinal = 0; ordinal < footer.Chunks.Length; ordinal++)
        {
            ChunkId id = footer.Chunks[ordinal].Id;
            int place = PlaceOf(id, entries);
            for (int probes = 1; entries[place] != 0 && probes < MaxProbes; probes++) place = (place + 1) & (entries.Length - 1);
            if (entries[place] != 0) continue;
            Volatile.Write(ref entries[place], (TagOf(id) << (SlotBits + OrdinalBits)) | ((ulong)slot << OrdinalBits) | (uint)ordinal);
        }

        filled += footer.Chunks.Length;
    }

    /// <summary>Lets go of the next footer that was not used since the hand passed it last.</summary>
    private void Evict()
    {
        while (true)
        {
            hand = (hand + 1) % places.Length;
            ref Slot slot = ref places[hand];
            if (slot.Footer is null) continue;
            if (slot.Used)
            {
                slot.Used = false;
                continue;
            }

            Free(hand);
            return;
        }
    }

    private void Free(int slot)
    {
        PackFooter footer = places[slot].Footer!;
        places[slot].Footer = null;
        slots.Remove(footer.Pack);
        free.Push(slot);
        bytes -= BytesOf(footer);
        chunks -= footer.Chunks.Length;
    }

    private void Grow()
    {
        var grown = new Slot[Math.Max(16, places.Length * 2)];
        places.CopyTo(grown, 0);
        places = grown;
    }

    /// <summary>A new table of the footers at hand: larger where they are more, and without what has gone.</summary>
    private void Rebuild()
    {
        int length = FewestPlaces;
        while (chunks * 3L > length) length *= 2;
        ulong[] rebuilt = new ulong[length];
        filled = 0;
        for (int slot = 0; slot < places.Length; slot++)
        {
            if (places[slot].Footer is { } footer) Insert(rebuilt, slot, footer);
        }

        table = rebuilt;
    }

    private struct Slot
    {
        public PackFooter? Footer;
        public bool Used;
    }
}
