using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Checking;

/// <summary>
/// All chunks of all packs, numbered in the order of packs. The first of several copies of a chunk stands for all of them. Only
/// read after it was made.
/// </summary>
/// <remarks>
/// In memory 36 bytes a chunk for id and length, and about 8 to find it. Of more chunks than that has room for, ids and lengths
/// are in a temporary file, and so is what finds them: about 50 bytes a chunk there, and some 150 a pack in memory.
/// </remarks>
internal sealed class ChunkTable
{
    /// <summary>What a chunk takes while it is held in memory.</summary>
    public const int BytesPerChunk = 45;

    private readonly CheckedPack[] packs;
    private readonly Dictionary<PackId, CheckedPack> byId;
    private readonly int[] slots = [];
    private readonly SortedChunks? sorted;
    private readonly Dictionary<int, int> firstOfCopy = [];
    private readonly Dictionary<int, List<int>> furtherCopies = [];

    /// <summary>Numbers the chunks of some packs, which are in memory.</summary>
    public ChunkTable(IEnumerable<CheckedPack> usable)
        : this([.. usable])
    {
        slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, Count + (Count / 2)))];
        foreach (CheckedPack pack in packs)
        {
            for (int i = 0; i < pack.Count; i++) Insert(pack, i);
        }
    }

    /// <summary>The same of packs that are too many for it, and in the file.</summary>
    public ChunkTable(IEnumerable<CheckedPack> usable, ChunkSpill spill, long memoryBytes, IEntropy entropy)
        : this([.. usable])
    {
        sorted = new SortedChunks(spill, entropy);
        sorted.Fill(packs, memoryBytes, FindCopies);
    }

    private ChunkTable(CheckedPack[] usable)
    {
        packs = usable;
        Array.Sort(packs, static (a, b) => a.Id.CompareTo(b.Id));
        byId = packs.ToDictionary(pack => pack.Id);
        long count = 0;
        foreach (CheckedPack pack in packs)
        {
            pack.First = checked((int)count);
            count += pack.Count;
        }

        Count = checked((int)count);
    }

    /// <summary>How many chunks there are, copies included.</summary>
    public int Count { get; }

    public IReadOnlyList<CheckedPack> Packs => packs;

    /// <summary>Whether any chunk lies in several places.</summary>
    public bool HasCopies => firstOfCopy.Count > 0;

    public CheckedPack? TryGet(PackId pack) => byId.GetValueOrDefault(pack);

    /// <summary>The number that stands for a chunk; −1 when no pack of the kind holds it.</summary>
    public int Find(in ChunkId id, ObjectKind kind)
    {
        if (sorted is not null)
        {
            ChunkId wanted = id;
            return sorted.Find(id, number => Is(number, wanted, kind));
        }

        for (int slot = SlotOf(id); slots[slot] != 0; slot = (slot + 1) & (slots.Length - 1))
        {
            int number = slots[slot] - 1;
            if (Is(number, id, kind)) return number;
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
        return pack.LengthOf(ordinal);
    }

    private bool Is(int number, in ChunkId id, ObjectKind kind)
    {
        (CheckedPack pack, int ordinal) = Place(number);
        return pack.Id.Kind == kind && pack.IdOf(ordinal) == id;
    }

    private void Insert(CheckedPack pack, int ordinal)
    {
        int number = pack.First + ordinal;
        ChunkId id = pack.IdOf(ordinal);
        int first = Find(id, pack.Id.Kind);
        if (first >= 0)
        {
            AddCopy(first, number);
            return;
        }

        int slot = SlotOf(id);
        while (slots[slot] != 0) slot = (slot + 1) & (slots.Length - 1);
        slots[slot] = number + 1;
    }

    /// <summary>Of chunks that share a hash, those that are the first of their id go to the front.</summary>
    private int FindCopies(int[] numbers)
    {
        int firsts = 0;
        foreach (int number in numbers)
        {
            (CheckedPack pack, int ordinal) = Place(number);
            ChunkId id = pack.IdOf(ordinal);
            int known = 0;
            while (known < firsts && !Is(numbers[known], id, pack.Id.Kind)) known++;
            if (known < firsts) AddCopy(numbers[known], number);
            else numbers[firsts++] = number;
        }

        return firsts;
    }

    private void AddCopy(int first, int number)
    {
        firstOfCopy.Add(number, first);
        if (!furtherCopies.TryGetValue(first, out List<int>? further)) furtherCopies.Add(first, further = []);
        further.Add(number);
    }

    private int SlotOf(in ChunkId id) => (int)id.W3 & (slots.Length - 1);
}
