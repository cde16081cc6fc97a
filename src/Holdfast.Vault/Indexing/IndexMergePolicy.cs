using System.Numerics;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Indexing;

/// <summary>How much of an index object is of use.</summary>
/// <param name="Name">The object.</param>
/// <param name="LiveChunks">Chunks of packs that stay.</param>
/// <param name="DeadChunks">Chunks of packs that are removed.</param>
internal readonly record struct IndexUsage(string Name, int LiveChunks, int DeadChunks);

/// <summary>
/// Which index objects are to be merged: those of which more than a quarter is dead, and small ones once there are many of
/// a size.
/// </summary>
/// <remarks>
/// Sizes fall into tiers, each eight times the one below; eight of a tier are merged, and make one of a higher tier: so an
/// entry is rewritten once in each tier at most, seven times in all, and for what is dead at most three entries for each that
/// died. At most seven of each tier stay, and those that are full: half of what an object may have.
/// </remarks>
internal static class IndexMergePolicy
{
    private const int TierBits = 3;
    private const int MaxOfTier = (1 << TierBits) - 1;
    private const int FullChunks = IndexObject.TargetChunks / 2;

    /// <summary>What there is of use in index objects.</summary>
    /// <remarks>
    /// A pack that two of them list is of use in both: it is listed once only when both are merged into one, and until then
    /// writing either of them anew would change nothing.
    /// </remarks>
    public static List<IndexUsage> Measure(IEnumerable<IndexReader> indexes, IReadOnlySet<PackId> removed)
    {
        var usages = new List<IndexUsage>();
        foreach (IndexReader index in indexes)
        {
            int live = 0, dead = 0;
            foreach (IndexedPack pack in index.Packs)
            {
                if (removed.Contains(pack.Id)) dead += pack.ChunkCount;
                else live += pack.ChunkCount;
            }

            usages.Add(new IndexUsage(index.Name, live, dead));
        }

        return usages;
    }

    /// <summary>Groups of objects, each to be merged into one; what is in no group stays as it is.</summary>
    public static List<List<IndexUsage>> Choose(IReadOnlyList<IndexUsage> indexes)
    {
        int[] inTier = new int[32];
        foreach (IndexUsage index in indexes)
        {
            if (!IsFull(index)) inTier[TierOf(index)]++;
        }

        var chosen = new List<IndexUsage>();
        foreach (IndexUsage index in indexes)
        {
            if (IsWorn(index) || (!IsFull(index) && inTier[TierOf(index)] > MaxOfTier)) chosen.Add(index);
        }

        // Small ones beside small ones, and the order of equal ones does not depend on that of the listing.
        chosen.Sort(static (a, b) => a.LiveChunks != b.LiveChunks ? a.LiveChunks.CompareTo(b.LiveChunks) : string.CompareOrdinal(a.Name, b.Name));
        var groups = new List<List<IndexUsage>>();
        long chunks = 0;
        foreach (IndexUsage index in chosen)
        {
            if (groups.Count == 0 || chunks + index.LiveChunks > IndexObject.TargetChunks)
            {
                groups.Add([]);
                chunks = 0;
            }

            groups[^1].Add(index);
            chunks += index.LiveChunks;
        }

        // One that is alone and sound would only be copied.
        groups.RemoveAll(static group => group.Count == 1 && !IsWorn(group[0]));
        return groups;
    }

    private static bool IsWorn(in IndexUsage index) => index.DeadChunks > (index.LiveChunks + (long)index.DeadChunks) / 4;

    private static bool IsFull(in IndexUsage index) => index.LiveChunks >= FullChunks;

    private static int TierOf(in IndexUsage index) => BitOperations.Log2((uint)index.LiveChunks | 1) / TierBits;
}
