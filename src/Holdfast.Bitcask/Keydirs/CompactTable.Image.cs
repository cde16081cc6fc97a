using System.Runtime.Intrinsics;

namespace Holdfast.Bitcask.Keydirs;

/// <content>Tables whose slots come from a file, or go there.</content>
internal readonly unsafe partial struct CompactTable
{
    /// <summary>The slots as they lie in memory; the last empty one not among them.</summary>
    public Span<byte> Content => new(slots, checked((int)SlotCount * sizeof(CompactSlot)));

    /// <summary>Whether a table can have so many homes, slots and keys; all of them 0: there is none.</summary>
    public static bool IsShape(uint homes, uint slotCount, uint count) => slotCount == 0
        ? homes == 0 && count == 0
        : slotCount <= MaxImageSlots && homes > 0 && homes + (ulong)MinSlack <= slotCount && count <= slotCount;

    /// <summary>What tables of some slots take together in an arena, bytes.</summary>
    /// <param name="slotCount">Of all of them.</param>
    /// <param name="tables">How many they are.</param>
    public static long BytesToLoad(long slotCount, int tables) =>
        (slotCount * sizeof(CompactSlot)) + (tables * (long)(sizeof(Header) + (8 * sizeof(CompactSlot))));

    /// <summary>A table whose slots the caller writes, all of them, before anybody else sees it.</summary>
    /// <param name="homes">Its homes; the shape is possible.</param>
    /// <param name="slotCount">Its slots.</param>
    /// <param name="count">How many of them will have a key.</param>
    /// <param name="arena">Where it is made if there is room; may be none.</param>
    public static CompactTable CreateBlank(uint homes, uint slotCount, uint count, TableArena arena)
    {
        CompactTable table = Allocate(homes, slotCount, arena);
        table.Head->Count = count;
        return table;
    }

    /// <summary>Whether slots that were read from a file name places that can be: known segments, within their bytes.</summary>
    /// <param name="maxSegment">The highest number of a segment.</param>
    /// <param name="maxBytes">Length of the longest one.</param>
    /// <remarks>Their order is believed, as their CRC is right: whatever it is, no search or change leaves the table.</remarks>
    public bool IsWithin(uint maxSegment, uint maxBytes)
    {
        Vector128<uint> max = default, bits = default;
        var slot = (Vector128<uint>*)slots;
        for (Vector128<uint>* end = slot + SlotCount; slot < end; slot++)
        {
            max = Vector128.Max(max, *slot);
            bits |= *slot;
        }

        CompactSlot highest = *(CompactSlot*)&max, all = *(CompactSlot*)&bits;
        return highest.Location.Segment <= maxSegment && highest.Location.Offset <= maxBytes
            && highest.Location.Length <= maxBytes && !all.Location.IsVerified;
    }
}
