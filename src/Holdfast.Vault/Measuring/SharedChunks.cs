using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Measuring;

/// <summary>Which chunks more than one of some sets have. The sets go in one after the other.</summary>
/// <remarks>One or two bits a chunk, whatever the number of sets.</remarks>
internal sealed class SharedChunks
{
    private readonly Dictionary<PackId, (ulong[] Seen, ulong[]? Shared)> packs = [];

    /// <summary>The packs of all sets.</summary>
    public IReadOnlyCollection<PackId> Packs => packs.Keys;

    /// <summary>Adds a set.</summary>
    public void Add(ReferenceSet set)
    {
        foreach (PackId pack in set.Packs)
        {
            ReadOnlySpan<ulong> added = set.OrdinalsOf(pack);
            if (!packs.TryGetValue(pack, out (ulong[] Seen, ulong[]? Shared) known))
            {
                packs.Add(pack, (added.ToArray(), null));
                continue;
            }

            // Lists do not differ in how many chunks a pack has, unless one is forged.
            if (known.Seen.Length < added.Length) Array.Resize(ref known.Seen, added.Length);
            for (int i = 0; i < added.Length; i++)
            {
                ulong both = known.Seen[i] & added[i];
                if (both != 0)
                {
                    if (known.Shared is null || known.Shared.Length < known.Seen.Length) Array.Resize(ref known.Shared, known.Seen.Length);
                    known.Shared[i] |= both;
                }

                known.Seen[i] |= added[i];
            }

            packs[pack] = known;
        }
    }

    /// <summary>Bits of those chunks of a pack that more than one set has: bit i % 64 of word i / 64 for ordinal i; as many words as are needed.</summary>
    public ReadOnlySpan<ulong> OrdinalsOf(PackId pack) => packs.TryGetValue(pack, out (ulong[] Seen, ulong[]? Shared) known) ? known.Shared : [];
}
