using System.Globalization;
using Holdfast.Storage;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Writing;

/// <summary>
/// One backup's writing: knows which chunks the vault has, puts packs, and indexes them. Order of writes:
/// docs/formats/vault.md, "Write order". May be used from any thread.
/// </summary>
internal sealed class WriteSession : IAsyncDisposable
{
    // So many that the set of each is small: sets that grow leave large arrays behind.
    private const int Stripes = 256;

    /// <summary>What a chunk takes in memory until it is in an index object: its id in a set that grows, and its place in a footer.</summary>
    private const int BytesPerOwnChunk = 128;

    private const int LeastChunksPerIndex = 1 << 15;

    private readonly OpenVault vault;
    private readonly Lease lease;
    private readonly HashSet<ChunkId>[] claimed = new HashSet<ChunkId>[Stripes];
    private readonly BuilderPool dataBuilders;
    private readonly BuilderPool treeBuilders;
    private readonly List<Task> puts = [];
    private readonly Lock gate = new();
    private readonly SemaphoreSlim indexing = new(1);
    private List<PackFooter> durable = [];
    private int durableChunks;

    /// <summary>So many chunks of durable packs go to an index object, and out of memory.</summary>
    private readonly int chunksPerIndex;

    private uint nextData;
    private uint nextTrees;
    private uint nextIndex;
    private long bytesAdded;
    private long bytesStored;
    private readonly HashSet<PackId> removed = [];
    private ReferenceSet? compared;
    private bool isCommitDoubtful;

    private WriteSession(OpenVault vault, SessionId id, Lease lease, int level, int workers, int packBytes)
    {
        this.vault = vault;
        this.lease = lease;
        lease.OnRemovals(TryTakeOverAsync);
        // From now on the session says what it uses: what it took over it must not forget.
        vault.Index.RemovalSource = null;
        NoteRemoved(lease.Removals);
        chunksPerIndex = (int)Math.Clamp(vault.CacheBytes / 2 / BytesPerOwnChunk, LeastChunksPerIndex, Indexing.IndexObject.TargetChunks);
        // One for each that may hold one open, and one that is being put meanwhile.
        dataBuilders = new BuilderPool(workers + 1, () => new PackBuilder(vault.Sealer, level, packBytes));
        treeBuilders = new BuilderPool(workers + 2, () => new PackBuilder(vault.Sealer, level, packBytes));
        Id = id;
        for (int i = 0; i < Stripes; i++) claimed[i] = [];
    }

    public SessionId Id { get; }

    public OpenVault Vault => vault;

    /// <summary>What the point that this session makes will need.</summary>
    public ReferenceSet References { get; } = new();

    /// <summary>The removals as the session knows them.</summary>
    public Removals Removals => lease.Removals;

    /// <summary>Raw bytes of chunks that the vault did not have.</summary>
    public long BytesAdded => Interlocked.Read(ref bytesAdded);

    /// <summary>Bytes of the objects put.</summary>
    public long BytesStored => Interlocked.Read(ref bytesStored);

    /// <summary>Puts the session's lease, and finds what sessions uploaded that were cut off or are still at work.</summary>
    /// <param name="vault">Where to.</param>
    /// <param name="host">Who is at work.</param>
    /// <param name="level">Of zstd.</param>
    /// <param name="workers">So many write data and trees at once, and one more writes trees.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static Task<WriteSession> BeginAsync(OpenVault vault, string host, int level, int workers, CancellationToken cancellationToken) =>
        BeginAsync(vault, host, level, workers, PackBuilder.TargetBytes, cancellationToken);

    /// <summary>The same with packs that are full at some size.</summary>
    public static async Task<WriteSession> BeginAsync(
        OpenVault vault, string host, int level, int workers, int packBytes, CancellationToken cancellationToken)
    {
        var id = SessionId.Create(vault.Host.Entropy);
        Lease lease = await Lease.BeginAsync(vault, id, host, cancellationToken).ConfigureAwait(false);
        var session = new WriteSession(vault, id, lease, level, workers, packBytes);
        try
        {
            await session.RecoverAsync(cancellationToken).ConfigureAwait(false);
            // What a check found rotten is stored anew wherever its content turns up.
            foreach ((PackId pack, int group) in await DamageRecord.ReadAllAsync(vault, cancellationToken).ConfigureAwait(false)) vault.Index.SetBroken(pack, group);
        }
        catch
        {
            await session.AbandonAsync().ConfigureAwait(false);
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return session;
    }

    /// <summary>Whether the vault has a chunk; if so the session's point will refer to it.</summary>
    public ValueTask<bool> TryReferenceAsync(ChunkId id, ObjectKind kind, CancellationToken cancellationToken)
    {
        if (!vault.Index.TryFindAtHand(id, kind, out ChunkLocation location)) return TryReferenceFurtherAsync(id, kind, cancellationToken);
        return TryAddReference(location) ? ValueTask.FromResult(true) : TryReferenceFurtherAsync(id, kind, cancellationToken);
    }

    /// <summary>Whether the vault has all chunks of content at depth 0; if so the session's point will refer to them.</summary>
    public async ValueTask<bool> TryReferenceAsync(ContentItem[] items, ObjectKind kind, CancellationToken cancellationToken)
    {
        foreach (ContentItem item in items)
        {
            if (item.Kind == ContentItemKind.Hole) continue;
            if (!await TryReferenceAsync(item.Id, kind, cancellationToken).ConfigureAwait(false)) return false;
        }

        return true;
    }

    /// <summary>The same, of what a point of another vault relies on: a chunk that comes from the same hand here is as good as it is there.</summary>
    public ValueTask<bool> TryReferenceCopyAsync(ChunkId id, ObjectKind kind, ulong origin, CancellationToken cancellationToken) =>
        vault.Index.TryFindAtHand(id, kind, out ChunkLocation location) && TryAddReference(location)
            ? ValueTask.FromResult(true)
            : TryReferenceFurtherAsync(id, kind, cancellationToken, origin);

    private async ValueTask<bool> TryReferenceFurtherAsync(
        ChunkId id, ObjectKind kind, CancellationToken cancellationToken, ulong alsoOf = PackKey.NoOrigin)
    {
        HashSet<ChunkId> stripe = Stripe(id);
        lock (stripe)
        {
            if (stripe.Contains(id)) return true;
        }

        if (await vault.Index.FindSoundAsync(id, kind, cancellationToken, alsoOf).ConfigureAwait(false) is not { } location) return false;
        return TryAddReference(location);
    }

    /// <summary>False when the pack was condemned since it was looked up.</summary>
    /// <remarks>
    /// First noted, then looked: who takes over a removal does it the other way round, so one of the two sees the other. What is
    /// noted for nothing is left out at the end.
    /// </remarks>
    private bool TryAddReference(in ChunkLocation location)
    {
        References.Add(location.Footer.Pack, location.Footer.Chunks.Length, location.Ordinal);
        return !vault.Index.IsRemoved(location.Footer.Pack);
    }

    /// <summary>Takes on the writing of a chunk that the vault does not have; false when another writer of this session has it.</summary>
    public bool TryClaim(in ChunkId id, int length)
    {
        HashSet<ChunkId> stripe = Stripe(id);
        lock (stripe)
        {
            if (!stripe.Add(id)) return false;
        }

        Interlocked.Add(ref bytesAdded, length);
        return true;
    }

    /// <summary>A builder with an open pack; waits while all are being put.</summary>
    public async ValueTask<PackBuilder> TakeBuilderAsync(ObjectKind kind, CancellationToken cancellationToken)
    {
        PackBuilder builder = await BuildersOf(kind).TakeAsync(cancellationToken).ConfigureAwait(false);
        uint number = kind == ObjectKind.DataPack ? Interlocked.Increment(ref nextData) - 1 : Interlocked.Increment(ref nextTrees) - 1;
        builder.Begin(new PackId(kind, Id, number));
        return builder;
    }

    /// <summary>Finishes a builder's pack and puts it in the background; the builder is free again afterwards.</summary>
    public void Put(PackBuilder builder, CancellationToken cancellationToken)
    {
        Task put = Task.Run(() => PutAsync(builder, cancellationToken), cancellationToken);
        lock (gate)
        {
            puts.RemoveAll(static done => done.IsCompletedSuccessfully);
            puts.Add(put);
        }
    }

    /// <summary>Waits until every pack is durable, and indexes what no index object lists.</summary>
    public async Task SealAsync(CancellationToken cancellationToken)
    {
        Task[] pending;
        lock (gate) pending = [.. puts];
        await Task.WhenAll(pending).ConfigureAwait(false);
        await WriteIndexAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts a small object of this session's.</summary>
    public async Task PutObjectAsync(ObjectKind kind, string name, byte[] body, CancellationToken cancellationToken)
    {
        byte[] content = vault.Sealer.Seal(kind, name, body);
        await PutOrThrowAsync(name, content, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Names what the session reads although its point may not need it: the tree that it compares with.</summary>
    public void Compare(ReferenceSet? references) => compared = references;

    /// <summary>
    /// What the point needs, by the places where it is now. Behind it the point may be put: what is condemned from now on stays
    /// as long as the lease does, and then for the point.
    /// </summary>
    /// <exception cref="Log.HoldfastException">Kind Failed: the session was taken for dead, and what it needs is gone.</exception>
    public async Task<(ReferenceSet References, Removals Removals)> SettleAsync(CancellationToken cancellationToken)
    {
        Removals removals = await lease.SettleAsync(cancellationToken).ConfigureAwait(false);
        NoteRemoved(removals);
        ReferenceSet settled = removals.Map(References);
        if (ReferenceEquals(settled, References)) settled = References.Clone();
        foreach (PackId pack in References.Packs.Concat(settled.Packs).Distinct())
        {
            if (!removals.Packs.TryGetValue(pack, out PackRemoval? removal) || !settled.Holds(pack)) continue;
            // Of what was honoured nothing is needed: it was noted by who then looked elsewhere.
            if (removal.Since < lease.Honours) settled.Remove(pack);
            else if (removal.Verdict == RemovalVerdict.Gone) throw TakenForDead();
        }

        return (settled, removals);
    }

    /// <summary>Puts the point: the commit.</summary>
    /// <exception cref="Log.HoldfastException">Kind Failed: the session was taken for dead; there is no point.</exception>
    public async Task CommitAsync(byte[] body, CancellationToken cancellationToken)
    {
        vault.RequireNewestEpoch();
        string name = PointCodec.Name(Id);
        byte[] content = vault.Sealer.Seal(ObjectKind.Point, name, body);
        // An error may hide that it was put: as long as that is not known, the lease keeps what it needs.
        isCommitDoubtful = true;
        PutOutcome outcome = await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
        isCommitDoubtful = false;
        if (outcome == PutOutcome.Taken) throw TakenForDead();
        Interlocked.Add(ref bytesStored, content.Length);
    }

    /// <summary>Whether the list of what another point needs is there.</summary>
    public async Task<bool> HasReferencesAsync(SessionId references, CancellationToken cancellationToken) =>
        await vault.Store.StatAsync(ReferenceSet.Name(references), cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>The work is done, or given up in order: the lease goes.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => lease.EndAsync(cancellationToken);

    /// <summary>
    /// After a failure or a cancellation: indexes the packs that became durable, so that the next run uses them. When this
    /// fails too, or a put failed whose pack may be there all the same, the lease stays, by which the next run finds them.
    /// </summary>
    public async Task AbandonAsync()
    {
        Task[] pending;
        lock (gate) pending = [.. puts];
        // The failures are told by whoever waits for the puts.
        await Task.WhenAll(pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What failed or was cancelled is not in the list of durable packs; a lost reply may hide that it was put.
        bool isKnown = Array.TrueForAll(pending, static put => put.IsCompletedSuccessfully);
        try
        {
            await WriteIndexAsync(CancellationToken.None).ConfigureAwait(false);
            if (isKnown && !isCommitDoubtful) await EndAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Log.HoldfastException)
        {
            // The reason for giving up is being told already; the lease says the rest.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await lease.DisposeAsync().ConfigureAwait(false);
        vault.Index.RemovalSource = vault.ReadRemovedAsync;
        dataBuilders.Dispose();
        treeBuilders.Dispose();
        indexing.Dispose();
    }

    private async Task PutAsync(PackBuilder builder, CancellationToken cancellationToken)
    {
        try
        {
            PackFooter footer = builder.Finish(out ReadOnlyMemory<byte> content);
            await PutOrThrowAsync(footer.Pack.ObjectName, content, cancellationToken).ConfigureAwait(false);
            References.AddAll(footer.Pack, footer.Chunks.Length);
            bool isMany;
            lock (gate)
            {
                durable.Add(footer);
                durableChunks += footer.Chunks.Length;
                isMany = durableChunks >= chunksPerIndex;
            }

            BuildersOf(footer.Pack.Kind).Return(builder);
            if (isMany) await WriteIndexAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // Whoever waits for a builder learns the reason instead of waiting for ever.
            dataBuilders.Fail(error);
            treeBuilders.Fail(error);
            throw;
        }
    }

    private async Task WriteIndexAsync(CancellationToken cancellationToken)
    {
        await indexing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            List<PackFooter> packs;
            lock (gate)
            {
                packs = durable;
                durable = [];
                durableChunks = 0;
            }

            // Also what lost its index object, or never got one: from now on it has one again.
            HashSet<PackId> own = [.. packs.Select(pack => pack.Pack)];
            packs.AddRange(vault.Index.Unindexed.Packs.Where(pack => !own.Contains(pack.Pack)));
            packs.RemoveAll(pack => vault.Index.IsRemoved(pack.Pack));
            if (packs.Count == 0) return;
            try
            {
                await PutIndexAsync(packs, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                // Not indexed, whatever the reason: who gives up tries once more, or leaves the lease by which they are found.
                lock (gate) durable.AddRange(packs);
                throw;
            }

            await vault.Index.RefreshAsync(cancellationToken).ConfigureAwait(false);
            // Findable through the index from here on: they need no room in memory of their own.
            foreach (PackFooter pack in packs)
            {
                foreach (PackChunk chunk in pack.Chunks)
                {
                    HashSet<ChunkId> stripe = Stripe(chunk.Id);
                    lock (stripe) stripe.Remove(chunk.Id);
                }
            }
        }
        finally
        {
            indexing.Release();
        }
    }

    private async Task PutIndexAsync(List<PackFooter> packs, CancellationToken cancellationToken)
    {
        int first = 0, chunks = 0;
        for (int i = 0; i < packs.Count; i++)
        {
            chunks += packs[i].Chunks.Length;
            // A recovery may bring many: an index object has a limit.
            if (chunks < chunksPerIndex && i < packs.Count - 1) continue;
            string name = IndexObject.Name(Id, nextIndex++);
            byte[] content = IndexObject.Build(vault.Sealer, name, packs.GetRange(first, i + 1 - first));
            await PutOrThrowAsync(name, content, cancellationToken).ConfigureAwait(false);
            first = i + 1;
            chunks = 0;
        }
    }

    private async Task PutOrThrowAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        vault.RequireNewestEpoch();
        PutOutcome outcome = await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
        if (outcome == PutOutcome.Taken)
        {
            throw new Log.HoldfastException(Log.ErrorKind.Failed, $"{vault.Store.Address}: {name}: the name is taken by another object", "run it again");
        }

        Interlocked.Add(ref bytesStored, content.Length);
    }

    /// <summary>Makes packs findable that no index lists, of all sessions that have a lease; this session's index will list them.</summary>
    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        var sessions = new HashSet<SessionId>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(LeaseRecord.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (LeaseRecord.TryParseName(entry.Name, out SessionId session, out _) && session != Id) sessions.Add(session);
        }

        if (sessions.Count > 0) await vault.Index.LoadUnindexedAsync(sessions, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removals came: uses no more what they condemn, and tells whether that is all that is to be done.</summary>
    private async Task<bool> TryTakeOverAsync(Removals removals, CancellationToken cancellationToken)
    {
        // No index object that is put afterwards lists what is condemned.
        await indexing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            NoteRemoved(removals);
        }
        finally
        {
            indexing.Release();
        }

        return !NeedsUnmoved(References, removals) && (compared is null || !NeedsUnmoved(compared, removals));
    }

    /// <remarks>What was removed once is never used again: a footer at hand may outlive what removals say of its pack.</remarks>
    private void NoteRemoved(Removals removals)
    {
        removed.UnionWith(removals.Packs.Keys);
        vault.Index.SetRemoved(removed);
    }

    private bool NeedsUnmoved(ReferenceSet needed, Removals removals)
    {
        ReferenceSet mapped = removals.Map(needed);
        foreach (PackId pack in mapped.Packs)
        {
            // What was honoured before was not needed then, and is not used since.
            if (removals.Packs.TryGetValue(pack, out PackRemoval? removal) && removal.Since >= lease.Honours) return true;
        }

        return false;
    }

    private Log.HoldfastException TakenForDead() => new(
        Log.ErrorKind.Failed, $"{vault.Address}: a prune took this session for dead, since nothing was heard of it for {Lease.Lifetime.TotalMinutes:0} minutes: there is no restore point",
        "run it again");

    private BuilderPool BuildersOf(ObjectKind kind) => kind == ObjectKind.DataPack ? dataBuilders : treeBuilders;

    private HashSet<ChunkId> Stripe(in ChunkId id) => claimed[(int)(id.W3 >> 32) & (Stripes - 1)];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"session {Id}");
}
