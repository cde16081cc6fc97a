using System.Collections.Concurrent;
using System.Collections.Frozen;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Indexing;

/// <summary>
/// What changes while the vault is open: a prune moves chunks to new packs, lists these in new index objects, says so in a
/// removal, and only then deletes. So who finds an object gone looks again before it is damage.
/// </summary>
internal sealed partial class VaultIndex
{
    /// <summary>So often in a row the listing may change while it is read.</summary>
    private const int MaxListings = 16;

    // Names of index objects that are no more: a store may go on listing them for a while. No name is used twice.
    private readonly ConcurrentDictionary<string, bool> gone = new(StringComparer.Ordinal);
    private volatile FrozenSet<PackId>? removed;

    // How often it was listed. Only changed while `changing` is held.
    private volatile int refreshes;

    /// <summary>
    /// Tells which packs are removed, or will be; asked before the index objects are listed, each time. It may not use the index: that
    /// waits for it. Null, as at first: nobody is asked.
    /// </summary>
    public Func<CancellationToken, Task<IReadOnlySet<PackId>>>? RemovalSource { get; set; }

    /// <summary>
    /// Whether filters of index objects that are opened stay in memory, 1.3 bytes a chunk. Without them each look for a chunk reads a page
    /// of every object: for who looks for none.
    /// </summary>
    public bool KeepsFilters { get; set; } = true;

    /// <summary>
    /// From now on no new point relies on these packs, and who reads turns to them last. Replaces what was set before.
    /// </summary>
    public void SetRemoved(IReadOnlySet<PackId> packs) => removed = packs.Count == 0 ? null : packs.ToFrozenSet();

    /// <summary>Whether a pack is among those that were set last.</summary>
    public bool IsRemoved(PackId pack) => removed is { } set && set.Contains(pack);

    /// <summary>A pack was there when it was looked up, and is not any more. Looks where its chunks are now; damage is told of.</summary>
    public Task SetMissingAsync(PackId pack, CancellationToken cancellationToken) => SetMissingAsync(pack, refreshes, cancellationToken);

    /// <param name="pack">Which.</param>
    /// <param name="before">Value of <see cref="refreshes"/> before it was looked for.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    private async Task SetMissingAsync(PackId pack, int before, CancellationToken cancellationToken)
    {
        footers.Remove(pack);
        Unindexed.Remove(new HashSet<PackId> { pack });
        if (unusable.ContainsKey(pack)) return;
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // One listing serves all who waited for it; and what was known to be removed was listed elsewhere already.
            if (refreshes == before && !IsRemoved(pack)) await ListAsync(cancellationToken).ConfigureAwait(false);
            // Last of all: who sees it finds the new places already.
            if (unusable.TryAdd(pack, true) && IsNeeded(pack)) onDamage(DamageException.Missing(pack.ObjectName));
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Lists the index objects and opens those that are new. The caller holds <see cref="changing"/>.</summary>
    private async Task ListAsync(CancellationToken cancellationToken)
    {
        if (RemovalSource is { } source) SetRemoved(await source(cancellationToken).ConfigureAwait(false));
        for (int listings = 1; ; listings++)
        {
            // What an index object is replaced by was there before it went: but a listing need not show both.
            bool isWhole = await TryListAsync(cancellationToken).ConfigureAwait(false);
            if (isWhole || listings == MaxListings) break;
        }

        refreshes++;
        // After the readers are in place: at every moment a chunk is found here or there.
        if (Unindexed.IsEmpty) return;
        Unindexed.Remove(ListedPacks());
        if (removed is { } set) Unindexed.Remove(set);
    }

    /// <summary>False when an object went meanwhile: then what replaced it may not have been listed.</summary>
    private async Task<bool> TryListAsync(CancellationToken cancellationToken)
    {
        var known = readers.ToDictionary(reader => reader.Name, StringComparer.Ordinal);
        var current = new List<IndexReader>();
        int before = gone.Count;
        await foreach (ObjectEntry entry in store.ListAsync(IndexObject.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (broken.ContainsKey(entry.Name) || gone.ContainsKey(entry.Name)) continue;
            if (known.Remove(entry.Name, out IndexReader? reader))
            {
                current.Add(reader);
                continue;
            }

            try
            {
                reader = await IndexReader.TryOpenAsync(store, sealer, entry, cancellationToken).ConfigureAwait(false);
                if (reader is null)
                {
                    gone.TryAdd(entry.Name, true);
                    continue;
                }

                if (!KeepsFilters) reader.DropFilter();
                current.Add(reader);
                opened.Add(reader);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                broken.TryAdd(entry.Name, true);
                onDamage(error);
            }
        }

        readers = [.. current];
        // Those that are left were listed before, and are not any more.
        return gone.Count == before && known.Count == 0;
    }

    /// <summary>An index object is no more: loads what took its place. What nothing lists any more is found by its footers, and told of.</summary>
    private async Task ReplaceAsync(IndexReader reader, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Whoever was first has done it.
            if (Array.IndexOf(readers, reader) < 0) return;
            gone.TryAdd(reader.Name, true);
            await ListAsync(cancellationToken).ConfigureAwait(false);
            HashSet<PackId> listed = ListedPacks();
            int before = Unindexed.Packs.Count;
            await AddByFootersAsync(
                reader.Packs.Select(pack => pack.Id).Where(pack => !listed.Contains(pack) && !IsRemoved(pack)), tellsOfMissing: false, cancellationToken).ConfigureAwait(false);
            if (Unindexed.Packs.Count > before) onDamage(DamageException.Missing(reader.Name));
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Whether anything says that a pack should be there.</summary>
    private bool IsNeeded(PackId pack) =>
        !IsRemoved(pack) && Array.Exists(readers, reader => reader.Packs.Any(listed => listed.Id == pack));

    private bool IsRemoved(in ChunkLocation location) => removed is { } set && set.Contains(location.Footer.Pack);
}
