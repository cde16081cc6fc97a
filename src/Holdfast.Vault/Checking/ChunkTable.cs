using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Checking;

/// <summary>A pack whose footer is whole.</summary>
internal sealed class CheckedPack(PackFooter footer)
{
    public PackId Id { get; } = footer.Pack;

    public int PackBytes { get; } = footer.PackBytes;

    public ChunkId[] Ids { get; } = [.. footer.Chunks.Select(chunk => chunk.Id)];

    public int[] Lengths { get; } = [.. footer.Chunks.Select(chunk => chunk.Length)];

    /// <summary>Ordinals of the first chunks of its groups.</summary>
    public int[] GroupStarts { get; } = [.. footer.Groups.Select(group => group.FirstChunk)];

    /// <summary>Number of its first chunk.</summary>
    public int First { get; set; }

    /// <summary>The group that holds a chunk.</summary>
    public int GroupOf(int ordinal)
    {
        int found = Array.BinarySearch(GroupStarts, ordinal);
        if (found < 0) return ~found - 1;
        // Of groups without chunks, which begin at the same ordinal, the last one.
        while (found < GroupStarts.Length - 1 && GroupStarts[found + 1] == ordinal) found++;
        return found;
    }

    /// <summary>Numbers of the chunks of a group; none where there is no such group.</summary>
    public IEnumerable<int> NumbersOf(int group)
    {
        if (group >= GroupStarts.Length) return [];
        int end = group + 1 < GroupStarts.Length ? GroupStarts[group + 1] : Ids.Length;
        return Enumerable.Range(First + GroupStarts[group], end - GroupStarts[group]);
    }
}

/// <summary>
/// All chunks of all packs, numbered in the order of packs: 36 bytes a chunk for id and length, and about 8 to find it.
/// The first of several copies of a chunk stands for all of them. Only read after it was made.
/// </summary>
internal sealed class ChunkTable
{
    private readonly CheckedPack[] packs;
    private readonly Dictionary<PackId, CheckedPack> byId;
    private readonly int[] slots;
    private readonly Dictionary<int, int> firstOfCopy = [];
    private readonly Dictionary<int, List<int>> furtherCopies = [];

    public ChunkTable(IEnumerable<CheckedPack> usable)
    {
        packs = [.. usable.OrderBy(pack => pack.Id)];
        byId = packs.ToDictionary(pack => pack.Id);
        long count = 0;
        foreach (CheckedPack pack in packs)
        {
            pack.First = checked((int)count);
            count += pack.Ids.Length;
        }

        Count = checked((int)count);
        slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, count + (count / 2)))];
        foreach (CheckedPack pack in packs)
        {
            for (int i = 0; i < pack.Ids.Length; i++) Insert(pack, i);
        }
    }

    /// <summary>How many chunks there are, copies included.</summary>
    public int Count { get; }

    public IReadOnlyList<CheckedPack> Packs => packs;

    public CheckedPack? TryGet(PackId pack) => byId.GetValueOrDefault(pack);

    /// <summary>The number that stands for a chunk; −1 when no pack of the kind holds it.</summary>
    public int Find(in ChunkId id, ObjectKind kind)
    {
        for (int slot = SlotOf(id); slots[slot] != 0; slot = (slot + 1) & (slots.Length - 1))
        {
            int number = slots[slot] - 1;
            (CheckedPack pack, int ordinal) = Place(number);
            if (pack.Id.Kind == kind && pack.Ids[ordinal] == id) return number;
        }

        return -1;
    }

    /// <summary>The number that stands for all copies of the same chunk.</summary>
    public int FirstOf(int number) => firstOfCopy.GetValueOrDefault(number, number);

    /// <summary>All copies of a chunk, given the number that stands for them.</summary>
    public IEnumerable<int> CopiesOf(int first) => furtherCopies.TryGetValue(first, out List<int>? further) ? further.Prepend(first) : [first];

    public (CheckedPack Pack, int Ordinal) Place(int number)
    {
        int low = 0, high = packs.Length - 1;
        while (low < high)
        {
            // The last pack that begins at or before the number; an empty pack never holds one.
            int middle = (low + high + 1) / 2;
            if (packs[middle].First <= number) low = middle;
            else high = middle - 1;
        }

        return (packs[low], number - packs[low].First);
    }

    public int LengthOf(int number)
    {
        (CheckedPack pack, int ordinal) = Place(number);
        return pack.Lengths[ordinal];
    }

    private void Insert(CheckedPack pack, int ordinal)
    {
        int number = pack.First + ordinal;
        int first = Find(pack.Ids[ordinal], pack.Id.Kind);
        if (first >= 0)
        {
            firstOfCopy.Add(number, first);
            if (!furtherCopies.TryGetValue(first, out List<int>? further)) furtherCopies.Add(first, further = []);
            further.Add(number);
            return;
        }

        int slot = SlotOf(pack.Ids[ordinal]);
        while (slots[slot] != 0) slot = (slot + 1) & (slots.Length - 1);
        slots[slot] = number + 1;
    }

    private int SlotOf(in ChunkId id) => (int)id.W3 & (slots.Length - 1);
}
