using System.Collections.Concurrent;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Indexing;

/// <summary>
/// Packs that no index object lists, in memory: what a cut-off session uploaded, and what lost its index object. About
/// 140 bytes a chunk, until a backup lists them anew. May be used from any thread.
/// </summary>
internal sealed class UnindexedPacks
{
    private readonly ConcurrentDictionary<PackId, PackFooter> packs = new();
    private readonly ConcurrentDictionary<ChunkId, (PackFooter Pack, int Ordinal)> places = new();
    private readonly List<(ChunkId Id, PackFooter Pack, int Ordinal)> furtherCopies = [];

    /// <summary>The packs, in no particular order.</summary>
    public ICollection<PackFooter> Packs => packs.Values;

    public bool IsEmpty => packs.IsEmpty;

    public bool Contains(PackId pack) => packs.ContainsKey(pack);

    public PackFooter? TryGet(PackId pack) => packs.GetValueOrDefault(pack);

    public void Add(PackFooter footer)
    {
        if (!packs.TryAdd(footer.Pack, footer)) return;
        for (int i = 0; i < footer.Chunks.Length; i++)
        {
            if (places.TryAdd(footer.Chunks[i].Id, (footer, i))) continue;
            lock (furtherCopies) furtherCopies.Add((footer.Chunks[i].Id, footer, i));
        }
    }

    /// <summary>Where a chunk lies, as far as the first place found says.</summary>
    public bool TryFind(in ChunkId id, out (PackId Pack, int Ordinal) place)
    {
        bool found = places.TryGetValue(id, out (PackFooter Pack, int Ordinal) known);
        place = found ? (known.Pack.Pack, known.Ordinal) : default;
        return found;
    }

    /// <summary>Adds the places of a chunk beside the one that <see cref="TryFind"/> tells.</summary>
    public void FindFurther(in ChunkId id, List<(PackId Pack, int Ordinal)> found)
    {
        lock (furtherCopies)
        {
            foreach ((ChunkId other, PackFooter pack, int ordinal) in furtherCopies)
            {
                if (other == id) found.Add((pack.Pack, ordinal));
            }
        }
    }

    /// <summary>Lets go of packs that are found through an index object from now on.</summary>
    public void Remove(IReadOnlySet<PackId> indexed)
    {
        foreach (PackFooter footer in Packs)
        {
            if (!indexed.Contains(footer.Pack)) continue;
            for (int i = 0; i < footer.Chunks.Length; i++) places.TryRemove(KeyValuePair.Create(footer.Chunks[i].Id, (footer, i)));
            lock (furtherCopies) furtherCopies.RemoveAll(copy => copy.Pack == footer);
            packs.TryRemove(footer.Pack, out _);
        }
    }
}
