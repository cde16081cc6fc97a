using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// Carries out a repair. Order of writes: lease → packs with what was salvaged and brought back → index objects → for each
/// object that is replaced or goes its copy in quarantine, then itself: references first, so that no list names what is
/// gone; then index objects, then packs. Cut off anywhere, what is missing is told of by the next check and made by the
/// next repair.
/// </summary>
internal sealed class RepairWork(OpenVault vault, RepairOrder order, RepairRequest request)
{
    private readonly List<string> quarantined = [];
    private readonly List<(SessionId Old, SessionId New)> rewritten = [];
    private long salvaged;
    private long healed;

    public async Task<RepairSummary> RunAsync(CancellationToken cancellationToken)
    {
        long stored = 0;
        if (order.IsSmall) await BringBackAllAsync(cancellationToken).ConfigureAwait(false);
        else stored = await MakeGoodAsync(cancellationToken).ConfigureAwait(false);
        foreach (RestorePoint point in order.Rewrite) await RewriteAsync(point, cancellationToken).ConfigureAwait(false);
        return new RepairSummary
        {
            ChunksSalvaged = salvaged,
            ChunksHealed = healed,
            BytesStored = stored,
            Quarantined = quarantined,
            Rewritten = rewritten,
        };
    }

    /// <summary>All but the points that are written anew; returns the bytes stored.</summary>
    private async Task<long> MakeGoodAsync(CancellationToken cancellationToken)
    {
        WriteSession session = await WriteSession.BeginAsync(
            vault, request.Host, request.CompressionLevel, workers: 1, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                await vault.Index.LeaveOutAsync(order.LostIndexes, order.LostPacks, cancellationToken).ConfigureAwait(false);
                if (order.RebuildsIndex) await vault.Index.LoadUnindexedAsync(cancellationToken).ConfigureAwait(false);
                await WritePacksAsync(session, cancellationToken).ConfigureAwait(false);
                await session.SealAsync(cancellationToken).ConfigureAwait(false);
                await BringBackAllAsync(cancellationToken).ConfigureAwait(false);
                if (order.DeliverTo.Count > 0)
                {
                    HashSet<ulong> meant = [.. order.DeliverTo.Select(static writer => writer.Id)];
                    await KeyEpochs.DeliverMissingAsync(vault, vault.Sealer.Ring, writer => meant.Contains(writer.Id), cancellationToken).ConfigureAwait(false);
                }

                foreach (RebuiltReferences references in order.References) await ReplaceAsync(references, cancellationToken).ConfigureAwait(false);
                foreach (string name in order.Quarantine) await QuarantineAsync(name, cancellationToken).ConfigureAwait(false);
                foreach (string name in order.ClearRecords) await vault.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await session.AbandonAsync().ConfigureAwait(false);
                throw;
            }

            await session.EndAsync(CancellationToken.None).ConfigureAwait(false);
            return session.BytesStored;
        }
    }

    private async Task WritePacksAsync(WriteSession session, CancellationToken cancellationToken)
    {
        // A sink each: what is sealed to one kind of pack is not in the other.
        var data = new ChunkSink(session, ObjectKind.DataPack);
        var trees = new ChunkSink(session, ObjectKind.TreePack);
        foreach (SalvagedPack pack in order.Salvage)
        {
            await SalvageAsync(pack, pack.Pack.Kind == ObjectKind.DataPack ? data : trees, cancellationToken).ConfigureAwait(false);
        }

        foreach (HealedChunk chunk in order.Heal)
        {
            (ChunkId id, ObjectKind kind, _) = chunk.Chunk;
            ReadOnlyMemory<byte>? content = await chunk.Spare.TryGetAsync(chunk.Chunk, ProofOf(kind), cancellationToken).ConfigureAwait(false);
            if (content is null)
            {
                Tell($"chunk {id}", $"{chunk.Spare.Name} does not have it any more");
                continue;
            }

            await (kind == ObjectKind.DataPack ? data : trees).AddAsync(id, content.Value, cancellationToken).ConfigureAwait(false);
            healed++;
        }

        data.Flush(cancellationToken);
        trees.Flush(cancellationToken);
    }

    private async Task SalvageAsync(SalvagedPack pack, ChunkSink sink, CancellationToken cancellationToken)
    {
        // An index of its own: that of the vault leaves the pack out.
        using var packs = new VaultIndex(vault.Store, vault.Sealer, OpenVault.DefaultCacheBytes / 4, static _ => { });
        using var chunks = new ChunkFetcher(packs, pack.Pack.Kind, ProofOf(pack.Pack.Kind), OpenVault.DefaultCacheBytes / 4);
        PackFooter footer = await packs.TryGetFooterAsync(pack.Pack, cancellationToken).ConfigureAwait(false)
            ?? throw new DamageException(pack.Pack.ObjectName, "its footer was whole when the repair was planned, and is not any more");
        for (int ordinal = 0; ordinal < footer.Chunks.Length; ordinal++)
        {
            if (pack.Bad.Contains(ordinal)) continue;
            try
            {
                ReadOnlyMemory<byte> content = await chunks.FetchAtAsync(new ChunkLocation(footer, ordinal), cancellationToken).ConfigureAwait(false);
                await sink.AddAsync(footer.Chunks[ordinal].Id, content, cancellationToken).ConfigureAwait(false);
                salvaged++;
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                Tell(pack.Pack.ObjectName, error.Message);
            }
        }
    }

    private async Task BringBackAllAsync(CancellationToken cancellationToken)
    {
        foreach (string name in order.BringBack) await BringBackAsync(name, cancellationToken).ConfigureAwait(false);
    }

    private async Task BringBackAsync(string name, CancellationToken cancellationToken)
    {
        byte[]? content = name == VaultDescriptor.Name
            ? VaultDescriptor.Encode(vault.VaultId)
            : await new SmallObjects(vault, request.From!).TryGetAsync(name, cancellationToken).ConfigureAwait(false);
        if (content is null)
        {
            Tell(name, $"{request.From!.Address} does not have it any more");
            return;
        }

        await QuarantineAsync(name, cancellationToken).ConfigureAwait(false);
        await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReplaceAsync(RebuiltReferences references, CancellationToken cancellationToken)
    {
        foreach ((ChunkId id, ObjectKind kind) in references.Moved)
        {
            if (await FindAsync(id, kind, cancellationToken).ConfigureAwait(false) is not { } place) continue;
            references.Sound.Add(place.Footer.Pack, place.Footer.Chunks.Length, place.Ordinal);
        }

        string name = ReferenceSet.Name(references.Session);
        byte[] content = vault.Sealer.Seal(ObjectKind.References, name, references.Sound.Encode());
        await QuarantineAsync(name, cancellationToken).ConfigureAwait(false);
        await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ChunkLocation?> FindAsync(ChunkId id, ObjectKind kind, CancellationToken cancellationToken)
    {
        if (await vault.Index.FindSoundAsync(id, kind, cancellationToken).ConfigureAwait(false) is { } sound) return sound;
        // What another wrote no new point may rely on, but an old one does.
        List<ChunkLocation> others = await vault.Index.FindAllAsync(id, kind, cancellationToken).ConfigureAwait(false);
        return others.Count > 0 ? others[0] : null;
    }

    /// <summary>Takes an object away once a copy of it is durable.</summary>
    private async Task QuarantineAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (name.StartsWith(PointMark.Prefix, StringComparison.Ordinal)) await KeepNumberAsync(name, cancellationToken).ConfigureAwait(false);
        if (name.StartsWith(RemovalRecord.Prefix, StringComparison.Ordinal)) await KeepRemovalNumberAsync(name, cancellationToken).ConfigureAwait(false);
        string? copy = await Quarantine.CopyAsync(
            vault.Store, name, bytes => Tell(name, $"{bytes} bytes of it cannot be read: they are zeros in quarantine"), cancellationToken).ConfigureAwait(false);
        if (copy is null) return;
        quarantined.Add(copy);
        await vault.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The highest number must stay taken: by it the next one is found, and no number may be used twice.</summary>
    private async Task KeepNumberAsync(string name, CancellationToken cancellationToken)
    {
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        if (!PointMark.TryParseName(name, out uint number) || marks.Next != number + 1) return;
        var nothing = new PointMark(MarkKind.Release, vault.Host.Clock.GetUtcNow(), null, "", []);
        await PointMarks.TryPutAsync(vault, marks.Next, nothing, cancellationToken).ConfigureAwait(false);
    }

    private async Task KeepRemovalNumberAsync(string name, CancellationToken cancellationToken)
    {
        Removals removals = await Removals.ReadAsync(vault, null, cancellationToken).ConfigureAwait(false);
        if (!ObjectNumber.TryParse(name.AsSpan(RemovalRecord.Prefix.Length), out uint number) || removals.Next != number + 1) return;
        var nothing = new RemovalRecord(vault.Host.Clock.GetUtcNow(), ReplacesAll: false, [], []);
        await Removals.TryPutAsync(vault, removals.Next, nothing, cancellationToken).ConfigureAwait(false);
    }

    private async Task RewriteAsync(RestorePoint point, CancellationToken cancellationToken)
    {
        SessionId written = await new PointRewriter(vault, request, Tell).RewriteAsync(point, cancellationToken).ConfigureAwait(false);
        rewritten.Add((point.Id, written));
    }

    private ChunkProof ProofOf(ObjectKind kind) => kind == ObjectKind.DataPack ? vault.DataProof : vault.TreeProof;

    private void Tell(string name, string what) => request.OnNotice?.Invoke(new ItemNotice(IsError: true, Encoding.ASCII.GetBytes(name), what));
}
