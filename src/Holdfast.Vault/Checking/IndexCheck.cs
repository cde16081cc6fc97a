using System.Collections.Concurrent;
using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Checking;

/// <summary>Compares the entries of index objects with the footers of packs.</summary>
/// <remarks>
/// One object at a time for each worker: what it says is brought into the order of packs, 12 bytes an entry, since the
/// footers may lie in a file.
/// </remarks>
internal sealed class IndexCheck(OpenVault vault, CheckRequest request, ChunkTable table, PackInventory packs, Findings findings)
{
    /// <summary>Why damage of an index affects nothing.</summary>
    public const string Reassurance = "nothing is lost: the packs say the same, and the next backup lists them anew";

    private readonly Dictionary<(ulong IdHigh, uint IdLow), List<Finding>> lost = [];
    private readonly HashSet<PackId> namedByIndex = [];
    private readonly ConcurrentBag<Room> rooms = [];

    /// <summary>What made a chunk unreadable that no usable pack holds: the findings about the packs that held it, as far as any index tells.</summary>
    public IReadOnlyList<Finding> FindingsOf(in ChunkId id) => lost.GetValueOrDefault((id.W0, (uint)(id.W1 >> 32))) ?? [];

    /// <summary>Whether the chunks of an unusable pack are known from an index.</summary>
    public bool IsNamed(PackId pack) => namedByIndex.Contains(pack);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, request.Workers), CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(packs.Indexes, options, CheckAsync).ConfigureAwait(false);
        rooms.Clear();
    }

    private async ValueTask CheckAsync(IndexReader opened, CancellationToken cancellationToken)
    {
        if (!rooms.TryTake(out Room? room)) room = new Room();
        string? wrong = null;
        try
        {
            // With its filter, which it did not keep.
            using IndexReader index = await opened.TryReopenAsync(vault.Sealer, cancellationToken).ConfigureAwait(false)
                ?? throw DamageException.Missing(opened.Name);
            room.Begin(index.EntryCount);
            int[] starts = StartsOf(index);
            (ulong High, uint Low) previous = default;
            await foreach (IndexEntry entry in index.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                if ((entry.IdHigh, entry.IdLow).CompareTo(previous) < 0) wrong ??= "its entries are out of order";
                previous = (entry.IdHigh, entry.IdLow);
                room.Set(starts[(int)entry.Pack] + entry.Ordinal, entry);
                PackId pack = index.Packs[(int)entry.Pack].Id;
                if (packs.Unusable.TryGetValue(pack, out Finding? finding)) NoteLost(pack, previous, finding);
            }

            for (int i = 0; i < starts.Length; i++) wrong ??= Compare(index, index.Packs[i], starts[i], room);
        }
        catch (DamageException error) when (error.IsMissing)
        {
            // What it listed, others list now; if not, the next check tells.
            findings.Tell(opened.Name, "was replaced by another while the check was at work");
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            findings.Add(opened.Name, error).Reassurance = Reassurance;
        }

        rooms.Add(room);
        if (wrong is not null) findings.Add(opened.Name, wrong).Reassurance = Reassurance;
    }

    /// <summary>Where the entries of each pack begin, when they are sorted by packs.</summary>
    private static int[] StartsOf(IndexReader index)
    {
        int[] starts = new int[index.Packs.Count];
        for (int i = 1; i < starts.Length; i++) starts[i] = starts[i - 1] + index.Packs[i - 1].ChunkCount;
        return starts;
    }

    /// <summary>What is wrong with what an index object says of a pack; null when nothing is.</summary>
    private string? Compare(IndexReader index, in IndexedPack listed, int start, Room room)
    {
        if (packs.Unusable.ContainsKey(listed.Id) || table.TryGet(listed.Id) is not { } known) return null;
        ReadOnlySpan<ChunkId> ids = known.ReadIds(ref room.Ids);
        for (int i = 0; i < Math.Min(ids.Length, listed.ChunkCount); i++)
        {
            if (!room.Says(start + i, ids[i])) return $"chunk {i} of {listed.Id} is another than its footer says";
            if (!index.MayContain(ids[i])) return $"its filter denies chunk {i} of {listed.Id}";
        }

        return null;
    }

    private void NoteLost(PackId pack, (ulong High, uint Low) id, Finding finding)
    {
        lock (lost)
        {
            namedByIndex.Add(pack);
            if (!lost.TryGetValue(id, out List<Finding>? findingsOfId)) lost.Add(id, findingsOfId = []);
            if (!findingsOfId.Contains(finding)) findingsOfId.Add(finding);
        }
    }

    /// <summary>Truncated ids of one object in the order of its packs; used again for the next.</summary>
    private sealed class Room
    {
        private ulong[] highs = [];
        private uint[] lows = [];

        public ChunkId[] Ids = [];

        public void Begin(int entries)
        {
            if (highs.Length < entries) (highs, lows) = (new ulong[entries], new uint[entries]);
            // What no entry tells of is another chunk than its footer says.
            highs.AsSpan(0, entries).Clear();
        }

        public void Set(int place, in IndexEntry entry) => (highs[place], lows[place]) = (entry.IdHigh, entry.IdLow);

        public bool Says(int place, in ChunkId id) => highs[place] == id.W0 && lows[place] == (uint)(id.W1 >> 32);
    }
}
