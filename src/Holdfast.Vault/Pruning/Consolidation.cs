using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Pruning;

/// <summary>Moves needed chunks together, and replaces index objects that list what is gone.</summary>
/// <remarks>Moved packs are condemned batch by batch, so that of a prune that is cut off one batch at most was for nothing.</remarks>
internal sealed class Consolidation(
    OpenVault vault, PruneState state, SessionId session, Condemnation condemnation, PruneBudget budget, WorkProgress progress)
{
    /// <summary>Their footers are in memory together.</summary>
    private const int PacksPerBatch = 256;

    /// <summary>A read and a put.</summary>
    private const int RequestsOfPack = 2;

    private uint nextIndex;

    /// <summary>Packs whose chunks were moved.</summary>
    public int MovedPacks { get; private set; }

    /// <summary>Bytes of the new packs.</summary>
    public long MovedBytes { get; private set; }

    /// <summary>Moves what is needed of packs to new ones, and condemns the old ones. One that cannot be read stays.</summary>
    public async Task MoveAsync(IReadOnlyList<PackId> packs, CancellationToken cancellationToken)
    {
        if (packs.Count == 0) return;
        using var mover = new PackMover(vault, session);
        progress.Expect(packs.Count, packs.Sum(pack => state.Packs[pack]));
        foreach (PackId[] batch in packs.Chunk(PacksPerBatch))
        {
            // The index object, and the removal; each pack by itself, when it is its turn.
            if (!budget.TryTake(6)) return;
            await MoveAsync(mover, batch, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Replaces index objects of which too much is gone, or of which there are too many small ones. Last of all, and once.</summary>
    public async Task MergeIndexesAsync(CancellationToken cancellationToken)
    {
        // A prune goes by packs, and asks for no chunk by its id.
        vault.Index.KeepsFilters = false;
        await vault.Index.RefreshAsync(cancellationToken).ConfigureAwait(false);
        HashSet<PackId> gone = [.. state.Removals.Packs.Values.Where(static pack => pack.Verdict == RemovalVerdict.Gone).Select(static pack => pack.Pack)];
        Dictionary<string, IndexReader> readers = vault.Index.Readers.ToDictionary(static reader => reader.Name, StringComparer.Ordinal);
        var merger = new IndexMerger(vault, session, nextIndex);
        foreach (List<IndexUsage> group in IndexMergePolicy.Choose(IndexMergePolicy.Measure(readers.Values, gone)))
        {
            if (!budget.TryTake((2 * group.Count) + 1)) return;
            try
            {
                await merger.MergeAsync([.. group.Select(usage => readers[usage.Name])], gone, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException damage)
            {
                // A damaged one stays as it is, and is got round; one that is gone another prune has replaced.
                if (!damage.IsMissing) vault.TellOfDamage(damage);
                continue;
            }

            // Who lists index objects sees the new one before the old ones go.
            await StoreWait.ForStalenessAsync(vault, 2, cancellationToken).ConfigureAwait(false);
            foreach (IndexUsage usage in group) await vault.Store.DeleteAsync(usage.Name, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task MoveAsync(PackMover mover, PackId[] batch, CancellationToken cancellationToken)
    {
        ReferenceSet needed = state.Removals.Map(state.Live.Needed);
        var sources = new List<(PackFooter Source, ulong[] Live)>();
        foreach (PackId pack in batch)
        {
            // Another prune was there first.
            if (state.Removals.IsRemoved(pack) || !needed.Holds(pack)) continue;
            // One whose footer is lost is told of, and stays.
            PackFooter? footer = await vault.Index.TryGetFooterAsync(pack, cancellationToken).ConfigureAwait(false);
            if (footer is not null && footer.Chunks.Length == needed.ChunkCountOf(pack)) sources.Add((footer, [.. needed.OrdinalsOf(pack)]));
        }

        MovedChunks moved = await mover.MoveAsync(sources, progress, () => budget.TryTake(RequestsOfPack), cancellationToken).ConfigureAwait(false);
        foreach (UnmovedPack unmoved in moved.Unmoved) vault.TellOfDamage(unmoved.Damage);
        if (moved.NewPacks.Count > 0) await PutIndexAsync(moved.NewPacks, cancellationToken).ConfigureAwait(false);
        Dictionary<PackId, int> counts = moved.NewPacks.ToDictionary(static footer => footer.Pack, static footer => footer.Chunks.Length);
        PackRemoval[] removals =
        [
            .. moved.Moved.Select(pack => new PackRemoval(
                pack.Source, RemovalVerdict.Condemned, 0, pack.ChunkCount, pack.Moved,
                [.. pack.Runs.Select(run => new ChunkRun(run.Pack, counts[run.Pack], run.First, run.Count))])),
        ];
        await condemnation.PutAsync([], removals, [], cancellationToken).ConfigureAwait(false);
        MovedPacks += removals.Length;
        MovedBytes += moved.BytesWritten;
    }

    private async Task PutIndexAsync(IReadOnlyList<PackFooter> packs, CancellationToken cancellationToken)
    {
        string name = IndexObject.Name(session, nextIndex++);
        PutOutcome outcome = await vault.Store.PutIfAbsentAsync(name, IndexObject.Build(vault.Sealer, name, packs), cancellationToken).ConfigureAwait(false);
        if (outcome == PutOutcome.Taken) throw new HoldfastException(ErrorKind.Failed, $"{vault.Address}: {name}: the name is taken by another object", "run it again");
    }
}
