using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Restoring;

/// <summary>
/// Chunks that files want, by the packs where they lie: about 90 bytes each. Taken in reads of neighbouring groups, so that
/// each byte of the store is read once.
/// </summary>
internal sealed class RestoreBatch
{
    // Reading on over a gap costs less than another request.
    private const int MaxGapBytes = 128 << 10;

    private readonly List<WantedChunk> wanted = [];
    private readonly List<LocatedChunk> located = [];
    private readonly List<PackId> packs = [];
    private readonly Dictionary<PackId, int> packNumbers = [];
    private readonly Lock taking = new();
    private int next;

    public int Count => located.Count;

    /// <summary>Files that were planned since the batch before: to be read back when it is written.</summary>
    public List<RestoreFile> Planned { get; } = [];

    public void Add(in WantedChunk chunk, in ChunkLocation location)
    {
        PackId pack = location.Footer.Pack;
        if (!packNumbers.TryGetValue(pack, out int number))
        {
            number = packs.Count;
            packs.Add(pack);
            packNumbers.Add(pack, number);
        }

        PackGroup group = location.Group;
        located.Add(new LocatedChunk(number, group.Offset, group.Offset + group.SealedBytes, location.Ordinal, wanted.Count));
        wanted.Add(chunk);
    }

    /// <summary>Before the first read is taken: puts the chunks into the order of the store, within a group into that of the files.</summary>
    public void Sort() => located.Sort(static (a, b) =>
    {
        int byPlace = a.Pack != b.Pack ? a.Pack.CompareTo(b.Pack) : a.GroupStart.CompareTo(b.GroupStart);
        return byPlace != 0 ? byPlace : a.Wanted.CompareTo(b.Wanted);
    });

    /// <summary>The next read, which no other worker gets; null when there is none left.</summary>
    public PackRead? TryTake()
    {
        lock (taking)
        {
            if (next == located.Count) return null;
            LocatedChunk first = located[next];
            int reach = first.GroupEnd, end = next + 1;
            for (; end < located.Count && located[end].Pack == first.Pack; end++)
            {
                LocatedChunk chunk = located[end];
                if (chunk.GroupStart - reach > MaxGapBytes || chunk.GroupEnd - first.GroupStart > PackRead.MaxBytes) break;
                reach = Math.Max(reach, chunk.GroupEnd);
            }

            var read = new PackRead(packs[first.Pack], next, end, first.GroupStart, reach - first.GroupStart);
            next = end;
            return read;
        }
    }

    public LocatedChunk At(int place) => located[place];

    public WantedChunk WantedAt(int place) => wanted[located[place].Wanted];
}

/// <summary>Where a wanted chunk lies.</summary>
/// <param name="Pack">Number of the pack in the batch.</param>
/// <param name="GroupStart">First byte of its group in the pack.</param>
/// <param name="GroupEnd">The byte behind.</param>
/// <param name="Ordinal">Its place in the pack.</param>
/// <param name="Wanted">Its place among what is wanted, in the order of the walk.</param>
internal readonly record struct LocatedChunk(int Pack, int GroupStart, int GroupEnd, int Ordinal, int Wanted);

/// <summary>What one request to the store serves.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="First">The first of the batch's chunks.</param>
/// <param name="End">The place behind the last.</param>
/// <param name="Offset">First byte to read.</param>
/// <param name="Bytes">How many to read.</param>
internal readonly record struct PackRead(PackId Pack, int First, int End, int Offset, int Bytes)
{
    /// <summary>More only where one group is larger.</summary>
    public const int MaxBytes = 4 << 20;
}
