using System.Collections.Concurrent;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Indexing;

/// <summary>
/// Finds chunks: by the footers at hand, by all index objects of a vault, and in packs that no index lists. The index
/// objects are loaded when a chunk is asked for that no footer at hand lists; from then on memory follows their filters and
/// a bounded cache. Packs that no index lists cost more (<see cref="UnindexedPacks"/>). May be used from any thread.
/// </summary>
internal sealed partial class VaultIndex : IDisposable
{
    private readonly IObjectStore store;
    private readonly ObjectSealer sealer;
    private readonly FooterCache footers;
    private readonly Action<Exception> onDamage;
    private readonly ConcurrentDictionary<PackId, bool> unusable = new();
    private readonly ConcurrentDictionary<string, bool> broken = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(PackId Pack, int Group), bool> brokenGroups = new();
    private volatile bool hasBrokenGroups;
    private readonly ConcurrentDictionary<PackId, bool> leftOut = new();

    // All that were ever in use: a thread may be looking into one that was set aside.
    private readonly List<IndexReader> opened = [];

    // Held while the set of readers changes.
    private readonly SemaphoreSlim changing = new(1);
    private volatile IndexReader[] readers = [];
    private readonly SemaphoreSlim loading = new(1);
    private volatile bool loaded;

    public VaultIndex(IObjectStore store, ObjectSealer sealer, long memoryBytes, Action<Exception> onDamage)
    {
        this.store = store;
        this.sealer = sealer;
        this.onDamage = onDamage;
        Packs = new PackReader(store, sealer);
        footers = new FooterCache(memoryBytes);
    }

    public PackReader Packs { get; }

    public IReadOnlyList<IndexReader> Readers => readers;

    /// <summary>Packs that no index object lists, as far as they were looked for.</summary>
    public UnindexedPacks Unindexed { get; } = new();

    /// <summary>Loads the index objects, unless that was done; where they are damaged or gone, what they said is read from the packs.</summary>
    public async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        if (loaded) return;
        await loading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (loaded) return;
            await RefreshAsync(cancellationToken).ConfigureAwait(false);
            bool isUsable = broken.IsEmpty;
            if (isUsable && readers.Length == 0)
            {
                // Every point has packs, and every pack that a point needs was indexed before the point was put.
                ObjectPage points = await store.ListPageAsync(Points.PointCodec.Prefix, null, cancellationToken).ConfigureAwait(false);
                isUsable = points.Entries.Count == 0;
            }

            if (!isUsable) await LoadUnindexedAsync(cancellationToken).ConfigureAwait(false);
            loaded = true;
        }
        finally
        {
            loading.Release();
        }
    }

    /// <summary>Loads what was added to the vault since the last call. Damaged index objects are told of and left out.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ListAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Where a chunk of a kind lies; null when the vault does not have it.</summary>
    /// <param name="id">The whole id; it is compared with the footer's before the chunk counts as known.</param>
    /// <param name="kind">Data or trees: a chunk in a pack of the other kind does not count.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public ValueTask<ChunkLocation?> FindAsync(ChunkId id, ObjectKind kind, CancellationToken cancellationToken) =>
        footers.TryFind(id, kind, out ChunkLocation location) && !IsRemoved(location)
            ? ValueTask.FromResult<ChunkLocation?>(location)
            : FindFurtherAsync(id, kind, cancellationToken);

    /// <summary>As <see cref="FindSoundAsync"/>, as far as the footers at hand tell: false says nothing.</summary>
    public bool TryFindAtHand(in ChunkId id, ObjectKind kind, out ChunkLocation location) =>
        footers.TryFind(id, kind, out location, sealer) && IsReliable(location);

    private async ValueTask<ChunkLocation?> FindFurtherAsync(ChunkId id, ObjectKind kind, CancellationToken cancellationToken)
    {
        if (await TryFindExpectedAsync(id, kind, cancellationToken).ConfigureAwait(false) is { } expected && !IsRemoved(expected)) return expected;
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            IndexReader[] asked = readers;
            ChunkLocation? leaving = null;
            foreach ((PackId pack, int ordinal) in await LocateAsync(id, cancellationToken).ConfigureAwait(false) ?? [])
            {
                if (await ProveAsync(id, kind, pack, ordinal, cancellationToken).ConfigureAwait(false) is not { } location) continue;
                if (!IsRemoved(location)) return location;
                leaving ??= location;
            }

            // A pack that goes is still good to read from, for as long as it is there.
            if (leaving is not null) return leaving;
            // A pack that was gone may have been left for another: its place is in what was loaded since.
            if (asked == readers) return null;
        }
    }

    /// <summary>Every place where a chunk of a kind lies: for who found one of them damaged.</summary>
    public async Task<List<ChunkLocation>> FindAllAsync(ChunkId id, ObjectKind kind, CancellationToken cancellationToken)
    {
        var found = new List<ChunkLocation>();
        await LoadAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            IndexReader[] asked = readers;
            List<(PackId Pack, int Ordinal)> candidates = await LocateAsync(id, cancellationToken).ConfigureAwait(false) ?? [];
            Unindexed.FindFurther(id, candidates);
            foreach ((PackId pack, int ordinal) in candidates.Distinct())
            {
                if (await ProveAsync(id, kind, pack, ordinal, cancellationToken).ConfigureAwait(false) is { } location) found.Add(location);
            }

            if (found.Count > 0 || asked == readers) return found;
        }
    }

    /// <summary>
    /// The same, but for what a new point cannot rely on: null also when the vault has the chunk only where it cannot be read,
    /// where a prune is about to remove it, or where somebody put it who is not trusted. For who has its content, and can put it anew.
    /// </summary>
    /// <param name="id">The whole id.</param>
    /// <param name="kind">Data or trees.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <param name="alsoOf">Whose groups count beside those of who is trusted; <see cref="PackKey.NoOrigin"/> for nobody's.</param>
    public async ValueTask<ChunkLocation?> FindSoundAsync(
        ChunkId id, ObjectKind kind, CancellationToken cancellationToken, ulong alsoOf = PackKey.NoOrigin)
    {
        ChunkLocation? found = await FindAsync(id, kind, cancellationToken).ConfigureAwait(false);
        if (found is null || IsReliable(found.Value, alsoOf)) return found;
        foreach (ChunkLocation other in await FindAllAsync(id, kind, cancellationToken).ConfigureAwait(false))
        {
            if (IsReliable(other, alsoOf)) return other;
        }

        return null;
    }

    /// <summary>The chunks of a group could not be read.</summary>
    public void SetBroken(in ChunkLocation location) => SetBroken(location.Footer.Pack, location.Chunk.Group);

    /// <summary>The same, where it is known from somebody else.</summary>
    public void SetBroken(PackId pack, int group)
    {
        brokenGroups.TryAdd((pack, group), true);
        hasBrokenGroups = true;
    }

    /// <summary>
    /// From now on nothing is found in some packs nor by some index objects: for a repair, which replaces both. What only
    /// these index objects list is found by footers once <see cref="LoadUnindexedAsync(CancellationToken)"/> was called.
    /// </summary>
    public async Task LeaveOutAsync(IEnumerable<string> indexes, IReadOnlySet<PackId> packs, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (string name in indexes) broken.TryAdd(name, true);
            foreach (PackId pack in packs) leftOut.TryAdd(pack, true);
            hasBrokenGroups = true;
            readers = [.. readers.Where(reader => !broken.ContainsKey(reader.Name))];
            Unindexed.Remove(packs);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>A pack's footer, verified; null when the pack is missing or its footer damaged, which is told.</summary>
    public async ValueTask<PackFooter?> TryGetFooterAsync(PackId pack, CancellationToken cancellationToken)
    {
        PackFooter? footer = footers.TryGet(pack) ?? Unindexed.TryGet(pack);
        if (footer is not null) return footer;
        if (unusable.ContainsKey(pack)) return null;
        int before = refreshes;
        (footer, HoldfastException? damage) = await ReadFooterAsync(pack, cancellationToken).ConfigureAwait(false);
        if (footer is not null) return footer;
        if (damage is DamageException { IsMissing: true }) await SetMissingAsync(pack, before, cancellationToken).ConfigureAwait(false);
        else if (unusable.TryAdd(pack, true)) onDamage(damage!);
        return null;
    }

    /// <summary>Tells the vault's user of damage that was met, and got round.</summary>
    public void TellOfDamage(Exception damage) => onDamage(damage);

    public void Dispose()
    {
        changing.Dispose();
        loading.Dispose();
        expecting.Dispose();
        recovering.Dispose();
        foreach (IndexReader reader in opened) reader.Dispose();
    }

    private async Task<(PackFooter? Footer, HoldfastException? Damage)> ReadFooterAsync(PackId pack, CancellationToken cancellationToken)
    {
        try
        {
            PackFooter? footer = await Packs.TryReadFooterAsync(pack, cancellationToken).ConfigureAwait(false);
            if (footer is null) return (null, DamageException.Missing(pack.ObjectName));
            footers.Add(footer);
            return (footer, null);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return (null, error);
        }
    }

    /// <summary>Whether a new point may rely on a chunk where it lies.</summary>
    private bool IsReliable(in ChunkLocation location, ulong alsoOf = PackKey.NoOrigin) =>
        !(hasBrokenGroups && (brokenGroups.ContainsKey((location.Footer.Pack, location.Chunk.Group)) || leftOut.ContainsKey(location.Footer.Pack)))
        && !IsRemoved(location) && location.Footer.IsReusable(location.Ordinal, sealer, alsoOf);

    /// <summary>Where a chunk may lie, by the truncated id; null for nowhere.</summary>
    private async ValueTask<List<(PackId Pack, int Ordinal)>?> LocateAsync(ChunkId id, CancellationToken cancellationToken)
    {
        while (true)
        {
            List<(PackId Pack, int Ordinal)>? candidates = null;
            IndexReader? failed = null;
            bool isGone = false;
            // Before the readers: what moves to an index object goes from here only when it is there.
            if (Unindexed.TryFind(id, out (PackId Pack, int Ordinal) place)) candidates = [place];
            foreach (IndexReader reader in readers)
            {
                if (!reader.MayContain(id)) continue;
                candidates ??= [];
                try
                {
                    await reader.FindAsync(id, candidates, cancellationToken).ConfigureAwait(false);
                }
                catch (HoldfastException error) when (DamageException.IsLoss(error))
                {
                    failed = reader;
                    isGone = error is DamageException { IsMissing: true };
                    if (!isGone) onDamage(error);
                    break;
                }
            }

            if (failed is null) return candidates;
            if (isGone) await ReplaceAsync(failed, cancellationToken).ConfigureAwait(false);
            else await SetAsideAsync(failed, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<ChunkLocation?> ProveAsync(
        ChunkId id, ObjectKind kind, PackId pack, int ordinal, CancellationToken cancellationToken)
    {
        if (pack.Kind != kind || leftOut.ContainsKey(pack)) return null;
        PackFooter? footer = await TryGetFooterAsync(pack, cancellationToken).ConfigureAwait(false);
        bool isThere = footer is not null && ordinal < footer.Chunks.Length && footer.Chunks[ordinal].Id == id;
        return isThere ? new ChunkLocation(footer!, ordinal) : null;
    }
}
