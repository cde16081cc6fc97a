using Holdfast.Storage;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Pruning;

/// <summary>Deletes what is gone by verdict, and keeps index objects and removals few. Can be cut off anywhere, and done by several at once.</summary>
internal sealed class Sweep(OpenVault vault, PruneState state, PruneBudget budget, WorkProgress progress)
{
    private const int DeletesAtOnce = 8;

    /// <summary>More removals than this are put together into one.</summary>
    private const int MaxRemovals = 8;

    private int packs;
    private long packBytes;

    /// <summary>Packs that were deleted.</summary>
    public int Packs => packs;

    public long PackBytes => Interlocked.Read(ref packBytes);

    /// <summary>Deletes packs and references objects.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        PackId[] gone = [.. state.Packs.Keys.Where(pack => IsGone(pack)).Order()];
        progress.Expect(gone.Length, gone.Sum(pack => state.Packs[pack]));
        var options = new ParallelOptions { MaxDegreeOfParallelism = DeletesAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(gone, options, async (pack, cancellation) =>
        {
            if (!budget.TryTake(1)) return;
            if (!await vault.Store.DeleteAsync(pack.ObjectName, cancellation).ConfigureAwait(false)) return;
            Interlocked.Increment(ref packs);
            Interlocked.Add(ref packBytes, state.Packs[pack]);
            progress.AddDone(1, state.Packs[pack]);
        }).ConfigureAwait(false);
        IEnumerable<SessionId> lists = state.References.Where(
            list => state.Removals.References.TryGetValue(list, out ReferencesRemoval removal) && removal.Verdict == RemovalVerdict.Gone);
        await Parallel.ForEachAsync(lists, options, async (list, cancellation) =>
        {
            if (budget.TryTake(1)) await vault.Store.DeleteAsync(ReferenceSet.Name(list), cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Puts removals together, without what nobody asks for any more; not while a session is at work.</summary>
    /// <param name="watch">Sees the sessions.</param>
    /// <param name="readMarks">Tells which points are condemned.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <remarks>
    /// First the removals are read, then leases and points are listed: who is at work later has read them too, and who was before has
    /// put its point. So what no point, index object or pack is a reason to ask for, nobody asks for.
    /// </remarks>
    public async Task ConsolidateAsync(
        SessionWatch watch, Func<CancellationToken, Task<Func<SessionId, bool>>> readMarks, CancellationToken cancellationToken)
    {
        await state.RefreshRemovalsAsync(vault, cancellationToken).ConfigureAwait(false);
        await DeleteReplacedAsync(cancellationToken).ConfigureAwait(false);
        if (state.Removals.RecordCount <= MaxRemovals || state.Removals.HasPending || !budget.TryTake(4)) return;
        await StoreWait.ForStalenessAsync(vault, 2, cancellationToken).ConfigureAwait(false);
        if ((await watch.ListAsync(cancellationToken).ConfigureAwait(false)).Count > 0) return;
        await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        await state.Live.RefreshAsync(await readMarks(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        var record = new RemovalRecord(
            vault.Host.Clock.GetUtcNow(), ReplacesAll: true, await AskedForPacksAsync(cancellationToken).ConfigureAwait(false),
            await AskedForReferencesAsync(cancellationToken).ConfigureAwait(false));
        if (!RemovalRecord.Fits(record) || !await Removals.TryPutAsync(vault, state.Removals.Next, record, cancellationToken).ConfigureAwait(false)) return;
        // Who lists removals sees the new one before the old ones go.
        await StoreWait.ForStalenessAsync(vault, 2, cancellationToken).ConfigureAwait(false);
        await state.RefreshRemovalsAsync(vault, cancellationToken).ConfigureAwait(false);
        await DeleteReplacedAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task DeleteReplacedAsync(CancellationToken cancellationToken)
    {
        foreach (uint number in state.Removals.Replaced) await vault.Store.DeleteAsync(RemovalRecord.Name(number), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is said of packs that are there, that an index object lists, or that references of a point name.</summary>
    private async Task<PackRemoval[]> AskedForPacksAsync(CancellationToken cancellationToken)
    {
        var asked = new HashSet<PackId>();
        foreach (PackId pack in state.Live.Needed.Packs) AddChain(pack, asked);
        await vault.Index.RefreshAsync(cancellationToken).ConfigureAwait(false);
        foreach (IndexReader reader in vault.Index.Readers) asked.UnionWith(reader.Packs.Select(static pack => pack.Id));
        foreach (string prefix in (string[])[PackId.DataPrefix, PackId.TreesPrefix])
        {
            await foreach (ObjectEntry entry in vault.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            {
                if (PackId.TryParse(entry.Name, out PackId pack)) asked.Add(pack);
            }
        }

        return [.. state.Removals.Packs.Values.Where(pack => asked.Contains(pack.Pack)).OrderBy(static pack => pack.Pack)];
    }

    private async Task<ReferencesRemoval[]> AskedForReferencesAsync(CancellationToken cancellationToken)
    {
        var lists = new HashSet<SessionId>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(ReferenceSet.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (SessionId.TryParse(entry.Name.AsSpan(ReferenceSet.Prefix.Length), out SessionId list)) lists.Add(list);
        }

        return [.. state.Removals.References.Values.Where(list => lists.Contains(list.Id)).OrderBy(static list => list.Id)];
    }

    /// <summary>What a pack's chunks were moved to may have been moved on.</summary>
    private void AddChain(PackId pack, HashSet<PackId> asked)
    {
        if (!asked.Add(pack) || !state.Removals.Packs.TryGetValue(pack, out PackRemoval? removal)) return;
        foreach (ChunkRun run in removal.Runs) AddChain(run.Pack, asked);
    }

    private bool IsGone(PackId pack) => state.Removals.Packs.TryGetValue(pack, out PackRemoval? removal) && removal.Verdict == RemovalVerdict.Gone;
}
