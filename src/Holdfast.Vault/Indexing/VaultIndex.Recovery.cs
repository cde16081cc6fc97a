using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>What is done without index objects: the footers of packs say the same, at the cost of reading each.</summary>
internal sealed partial class VaultIndex
{
    /// <summary>Footers read at once: enough to hide a distant store's delay.</summary>
    private const int FootersAtOnce = 8;

    private readonly SemaphoreSlim recovering = new(1);
    private volatile bool recovered;

    /// <summary>Makes all packs of the vault findable that no usable index object lists, by their footers.</summary>
    public async Task LoadUnindexedAsync(CancellationToken cancellationToken)
    {
        await LoadUnindexedAsync([PackId.DataPrefix, PackId.TreesPrefix], cancellationToken).ConfigureAwait(false);
        recovered = true;
    }

    /// <summary>The same for the packs of some sessions.</summary>
    public Task LoadUnindexedAsync(IEnumerable<SessionId> sessions, CancellationToken cancellationToken) =>
        LoadUnindexedAsync([.. sessions.SelectMany(session => (string[])[$"{PackId.DataPrefix}{session}/", $"{PackId.TreesPrefix}{session}/"])], cancellationToken);

    /// <summary>
    /// As <see cref="FindAsync"/>; the first miss looks whether packs lost their index object, once in this vault's life.
    /// For who needs a chunk that must be there.
    /// </summary>
    public async ValueTask<ChunkLocation?> FindOrRecoverAsync(ChunkId id, ObjectKind kind, CancellationToken cancellationToken)
    {
        bool wasRecovered = recovered;
        ChunkLocation? found = await FindAsync(id, kind, cancellationToken).ConfigureAwait(false);
        if (found is not null || wasRecovered) return found;
        await recovering.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!recovered) await LoadUnindexedAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            recovering.Release();
        }

        return await FindAsync(id, kind, cancellationToken).ConfigureAwait(false);
    }

    private async Task LoadUnindexedAsync(string[] prefixes, CancellationToken cancellationToken)
    {
        var stored = new List<PackId>();
        foreach (string prefix in prefixes)
        {
            await foreach (ObjectEntry entry in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            {
                if (PackId.TryParse(entry.Name, out PackId pack)) stored.Add(pack);
            }
        }

        // A session that has put nothing yet, or whose packs are gone, costs a listing and no look into the index.
        if (stored.Count == 0) return;
        // What others indexed meanwhile needs no reading of footers.
        await RefreshAsync(cancellationToken).ConfigureAwait(false);
        HashSet<PackId> listed = ListedPacks();
        await AddByFootersAsync(stored.Where(pack => !listed.Contains(pack) && !IsRemoved(pack)), tellsOfMissing: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An index object turned out damaged: from now on its packs are found by their footers.</summary>
    private async Task SetAsideAsync(IndexReader reader, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!broken.TryAdd(reader.Name, true)) return;
            IndexReader[] sound = [.. readers.Where(other => other != reader)];
            HashSet<PackId> listed = ListedPacks(sound);
            try
            {
                await AddByFootersAsync(
                    reader.Packs.Select(pack => pack.Id).Where(pack => !listed.Contains(pack) && !IsRemoved(pack)), tellsOfMissing: true, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                // Whatever stopped it, cancelling for one: who comes next must try again.
                broken.TryRemove(reader.Name, out _);
                throw;
            }

            readers = sound;
        }
        finally
        {
            changing.Release();
        }
    }

    private Task AddByFootersAsync(IEnumerable<PackId> packs, bool tellsOfMissing, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = FootersAtOnce, CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(packs, options, async (pack, cancellation) =>
        {
            if (Unindexed.Contains(pack) || unusable.ContainsKey(pack)) return;
            PackFooter? footer = footers.TryGet(pack);
            HoldfastException? damage = null;
            if (footer is null) (footer, damage) = await ReadFooterAsync(pack, cancellation).ConfigureAwait(false);
            if (footer is not null) Unindexed.Add(footer);
            else if (unusable.TryAdd(pack, true) && (tellsOfMissing || damage is not DamageException { IsMissing: true })) onDamage(damage!);
        });
    }

    private HashSet<PackId> ListedPacks() => ListedPacks(readers);

    private static HashSet<PackId> ListedPacks(IndexReader[] readers) =>
        [.. readers.SelectMany(reader => reader.Packs.Select(pack => pack.Id))];
}
