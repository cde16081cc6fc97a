using Holdfast.Log;
using Holdfast.Vault.Measuring;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault;

/// <summary>Shares out a vault among its restore points: from their references and the footers of packs; never from trees or data.</summary>
public static class VaultSpace
{
    private const int FootersAtOnce = 8;

    // The weights of so many packs are held at a time, 4 bytes a chunk: about 100 MiB at most. For each further such part of a vault
    // the references are read once more.
    private const int PacksAtOnce = 16_384;

    /// <summary>Shares out a vault among groups of its points.</summary>
    /// <param name="vault">Which.</param>
    /// <param name="groupOf">Points that have it in common are measured together. Each point of the vault is in one group, so that what is unique to a group is known.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The groups, in the order of their oldest points.</returns>
    /// <remarks>
    /// Where a list of references, or a footer, is damaged, its group lacks what it names, and what others share with it counts as theirs
    /// alone; <see cref="OpenVault.Damages"/> tells.
    /// </remarks>
    public static async Task<IReadOnlyList<SpaceShare>> ByAsync<TKey>(OpenVault vault, Func<RestorePoint, TKey> groupOf, CancellationToken cancellationToken)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(groupOf);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        SpaceShare[] shares =
        [
            .. points.OrderBy(static point => point.EffectiveTime).GroupBy(groupOf)
                .Select(static group => new SpaceShare([.. group], new ChunkTotals(0, 0, 0), new ChunkTotals(0, 0, 0))),
        ];

        var shared = new SharedChunks();
        foreach (SpaceShare share in shares) shared.Add(await ReadAsync(vault, share, removals, cancellationToken).ConfigureAwait(false));
        foreach (PackId[] part in shared.Packs.Order().Chunk(PacksAtOnce))
        {
            IReadOnlyDictionary<PackId, PackWeight> weights = await WeighAsync(vault, part, cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < shares.Length; i++)
            {
                ReferenceSet own = await ReadAsync(vault, shares[i], removals, cancellationToken).ConfigureAwait(false);
                shares[i] = Add(shares[i], own, shared, weights);
            }
        }

        return shares;
    }

    private static SpaceShare Add(SpaceShare share, ReferenceSet own, SharedChunks shared, IReadOnlyDictionary<PackId, PackWeight> weights)
    {
        ChunkTotals referenced = share.Referenced, unique = share.Unique;
        foreach (PackId pack in own.Packs)
        {
            if (!weights.TryGetValue(pack, out PackWeight? weight)) continue;
            ulong[] bits = own.OrdinalsOf(pack).ToArray();
            referenced += weight.Of(bits);
            ReadOnlySpan<ulong> others = shared.OrdinalsOf(pack);
            for (int i = 0; i < Math.Min(bits.Length, others.Length); i++) bits[i] &= ~others[i];
            unique += weight.Of(bits);
        }

        return share with { Referenced = referenced, Unique = unique };
    }

    /// <summary>All that the points of a group need.</summary>
    private static async Task<ReferenceSet> ReadAsync(OpenVault vault, SpaceShare share, Removals removals, CancellationToken cancellationToken)
    {
        var set = new ReferenceSet();
        foreach (SessionId list in share.Points.Select(static point => point.References).Distinct())
        {
            try
            {
                set.Add(new ReferenceReader(await removals.ReadReferencesAsync(vault, list, cancellationToken).ConfigureAwait(false), ReferenceSet.Name(list)), ReferenceSet.Name(list));
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                vault.TellOfDamage(error);
            }
        }

        return set;
    }

    private static async Task<IReadOnlyDictionary<PackId, PackWeight>> WeighAsync(OpenVault vault, PackId[] packs, CancellationToken cancellationToken)
    {
        var weights = new Dictionary<PackId, PackWeight>(packs.Length);
        var options = new ParallelOptions { MaxDegreeOfParallelism = FootersAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(packs, options, async (pack, cancellation) =>
        {
            if (await vault.Index.TryGetFooterAsync(pack, cancellation).ConfigureAwait(false) is not { } footer) return;
            var weight = new PackWeight(footer);
            lock (weights) weights.Add(pack, weight);
        }).ConfigureAwait(false);
        return weights;
    }
}
