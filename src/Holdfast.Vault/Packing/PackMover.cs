using System.Threading.Channels;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Packing;

/// <summary>
/// Moves the chunks of packs that are still needed to new packs. Groups are copied as they are sealed, for which no key is
/// needed that reads them; where enough of a group is not needed, and the keys to open and verify it are at hand, what is
/// needed is sealed anew. For one thread at a time.
/// </summary>
/// <remarks>
/// Packs are read in the order of their ids; reading, opening, building and putting go on side by side. Memory: a few pieces
/// of <see cref="PieceBytes"/>, three packs that are built or put, and eight bytes a chunk of packs that are at work.
/// </remarks>
internal sealed class PackMover : IDisposable
{
    /// <summary>Bytes of one read, and of the opened groups in it: groups that lie together, at least one.</summary>
    private const int PieceBytes = 4 << 20;

    /// <summary>What lies between two groups that are needed is read along up to here: sooner done than another request.</summary>
    private const int MaxGapBytes = 128 << 10;

    private const int PiecesAhead = 4;
    private const int Builders = 3;

    private readonly IObjectStore store;
    private readonly ObjectSealer sealer;
    private readonly SessionId session;
    private readonly PackReader reader;
    private readonly BuilderPool builders;
    private readonly ChunkIdentity? dataIdentity;
    private readonly ChunkIdentity? treeIdentity;
    private readonly Lock gate = new();

    // New packs by their numbers within this mover, their footers once they are durable, and what is being put.
    private readonly List<PackId> newPacks = [];
    private readonly List<Task> puts = [];
    private List<PackFooter> durable = [];

    // Chunks of the group that the builder gathers, in order.
    private readonly List<(MoveSource Source, int Ordinal)> gathered = [];
    private readonly List<MoveSource> open = [];
    private PackBuilder? builder;
    private uint nextData;
    private uint nextTrees;

    /// <summary>Makes a mover for one session.</summary>
    /// <param name="vault">Whose packs they are.</param>
    /// <param name="session">Names the new packs; nobody else may put packs of it.</param>
    /// <param name="level">Of zstd, for what is sealed anew.</param>
    public PackMover(OpenVault vault, SessionId session, int level = Compressor.DefaultLevel)
        : this(vault.Store, vault.Sealer, session, vault.Sealer.Ring.Current.Identity is null ? null : vault.DataIdentity,
            vault.Sealer.Ring.Current.Identity is null ? null : vault.TreeIdentity, level)
    {
    }

    /// <summary>The same of a vault's parts.</summary>
    internal PackMover(
        IObjectStore store, ObjectSealer sealer, SessionId session, ChunkIdentity? dataIdentity, ChunkIdentity? treeIdentity, int level = Compressor.DefaultLevel)
    {
        this.store = store;
        this.sealer = sealer;
        this.session = session;
        this.dataIdentity = dataIdentity;
        this.treeIdentity = treeIdentity;
        reader = new PackReader(store, sealer);
        builders = new BuilderPool(Builders, () => new PackBuilder(sealer, level));
    }

    /// <summary>Copies what is needed of packs to new ones. The old ones stay as they are.</summary>
    /// <param name="packs">
    /// Each with a bit for each ordinal that is needed: bit i % 64 of word i / 64. No pack twice. Where nothing of a pack is needed, it
    /// is not read.
    /// </param>
    /// <param name="progress">Counts packs and bytes that were read.</param>
    /// <param name="cancellationToken">Stops it; packs that were put stay, and nobody refers to them.</param>
    /// <returns>Where everything is. All new packs are durable.</returns>
    /// <exception cref="HoldfastException">The store refused a pack or could not be reached.</exception>
    public async Task<MovedChunks> MoveAsync(
        IReadOnlyList<(PackFooter Source, ulong[] Live)> packs, WorkProgress? progress, CancellationToken cancellationToken)
    {
        MoveSource[] sources = [.. packs.Select(static pack => new MoveSource(pack.Source, pack.Live))];
        Array.Sort(sources, static (a, b) => a.Footer.Pack.CompareTo(b.Footer.Pack));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pieces = Channel.CreateBounded<Task<MovePiece>>(PiecesAhead);
        Task reading = Task.Run(() => ReadAsync(sources, pieces.Writer, stop.Token), stop.Token);
        long bytesRead = 0;
        try
        {
            await foreach (Task<MovePiece> coming in pieces.Reader.ReadAllAsync(stop.Token).ConfigureAwait(false))
            {
                using MovePiece piece = await coming.ConfigureAwait(false);
                bytesRead += piece.Bytes;
                await TakeAsync(piece, stop.Token).ConfigureAwait(false);
                progress?.AddDone(piece.IsLast ? 1 : 0, piece.Bytes);
            }

            await reading.ConfigureAwait(false);
            Put(stop.Token);
            await WhenPutAsync().ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Nothing of what is at work may outlive the call.
            while (pieces.Reader.TryRead(out Task<MovePiece>? left)) await DropAsync(left).ConfigureAwait(false);
            await Task.WhenAll(puts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Complete();
        List<PackFooter> made = durable;
        durable = [];
        made.Sort(static (a, b) => a.Pack.CompareTo(b.Pack));
        return new MovedChunks
        {
            Moved = [.. sources.Where(static source => source.Damage is null).Select(static source => source.Result!)],
            Unmoved = [.. sources.Where(static source => source.Damage is not null).Select(static source => new UnmovedPack(source.Footer.Pack, source.Damage!))],
            NewPacks = made,
            BytesRead = bytesRead,
            BytesWritten = made.Sum(static footer => (long)footer.PackBytes),
        };
    }

    public void Dispose() => builders.Dispose();

    private static async Task DropAsync(Task<MovePiece> left)
    {
        await ((Task)left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (left.IsCompletedSuccessfully) (await left.ConfigureAwait(false)).Dispose();
    }

    /// <summary>Begins to read pieces, some ahead of who takes them. Stores that answer in the call itself are called elsewhere.</summary>
    private async Task ReadAsync(MoveSource[] sources, ChannelWriter<Task<MovePiece>> pieces, CancellationToken cancellationToken)
    {
        try
        {
            foreach (MoveSource source in sources)
            {
                GroupFate[] fates = FatesOf(source);
                ChunkIdentity? identity = IdentityOf(source.Footer.Pack.Kind);
                for (int next = 0; next >= 0;)
                {
                    MovePiece piece = NextPiece(source, fates, ref next);
                    Task<MovePiece> coming = Task.Run(() => piece.ReadAsync(reader, identity, cancellationToken), cancellationToken);
                    try
                    {
                        await pieces.WriteAsync(coming, cancellationToken).ConfigureAwait(false);
                    }
                    catch
                    {
                        await DropAsync(coming).ConfigureAwait(false);
                        throw;
                    }
                }
            }
        }
        finally
        {
            pieces.Complete();
        }
    }

    private GroupFate[] FatesOf(MoveSource source)
    {
        PackFooter footer = source.Footer;
        var fates = new GroupFate[footer.Groups.Length];
        for (int g = 0; g < fates.Length; g++) fates[g] = source.FateOf(footer.Groups[g], CanOpen(footer, footer.Groups[g]));
        return fates;
    }

    /// <summary>The next groups that are read together; without any, where nothing of the pack is needed.</summary>
    /// <param name="source">The pack.</param>
    /// <param name="fates">What becomes of its groups.</param>
    /// <param name="next">Where to begin; set to where the next piece begins, -1 for nowhere.</param>
    private static MovePiece NextPiece(MoveSource source, GroupFate[] fates, ref int next)
    {
        PackGroup[] groups = source.Footer.Groups;
        int first = NextNeeded(fates, next), end = first;
        long rawBytes = 0;
        while (end < groups.Length)
        {
            rawBytes += fates[end] == GroupFate.Rebuilt ? groups[end].RawBytes : 0;
            int following = NextNeeded(fates, ++end);
            if (following == groups.Length) break;
            bool isNear = groups[following].Offset - (groups[end - 1].Offset + groups[end - 1].SealedBytes) <= MaxGapBytes;
            bool hasRoom = groups[following].Offset + groups[following].SealedBytes - groups[first].Offset <= PieceBytes
                && (fates[following] != GroupFate.Rebuilt || rawBytes + groups[following].RawBytes <= PieceBytes);
            if (!isNear || !hasRoom) break;
            end = following;
        }

        next = NextNeeded(fates, end);
        bool isLast = next == groups.Length;
        if (isLast) next = -1;
        return new MovePiece(source, first, end, fates) { IsLast = isLast };
    }

    private static int NextNeeded(GroupFate[] fates, int from)
    {
        while (from < fates.Length && fates[from] == GroupFate.Left) from++;
        return from;
    }

    private async ValueTask TakeAsync(MovePiece piece, CancellationToken cancellationToken)
    {
        MoveSource source = piece.Source;
        if (piece.Damage is not null) source.Fail(piece.Damage);
        int rawOffset = 0;
        for (int g = piece.First; g < piece.End && source.Damage is null; g++)
        {
            if (piece.FateOf(g) == GroupFate.Copied)
            {
                await CopyAsync(piece, g, cancellationToken).ConfigureAwait(false);
            }
            else if (piece.FateOf(g) == GroupFate.Rebuilt)
            {
                await RebuildAsync(piece, g, rawOffset, cancellationToken).ConfigureAwait(false);
                rawOffset += source.Footer.Groups[g].RawBytes;
            }
        }

        if (!piece.IsLast) return;
        open.Add(source);
        Complete();
    }

    private async ValueTask CopyAsync(MovePiece piece, int groupIndex, CancellationToken cancellationToken)
    {
        PackFooter footer = piece.Source.Footer;
        PackGroup group = footer.Groups[groupIndex];
        PackKey key = KeyOf(footer, group);
        PackBuilder into = await TakeBuilderAsync(footer.Pack.Kind, cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<PackChunk> chunks = footer.Chunks.AsMemory(group.FirstChunk, group.ChunkCount);
        int newFirst = into.SealedChunks;
        if (!into.TryCopyGroup(key, group, chunks.Span, piece.Sealed(group)))
        {
            Put(cancellationToken);
            into = await TakeBuilderAsync(footer.Pack.Kind, cancellationToken).ConfigureAwait(false);
            newFirst = into.SealedChunks;
            if (!into.TryCopyGroup(key, group, chunks.Span, piece.Sealed(group)))
            {
                piece.Source.Fail(new DamageException(footer.Pack.ObjectName, $"group {groupIndex} of {group.SealedBytes} bytes fits no other pack"));
                return;
            }
        }

        piece.Source.Place(group.FirstChunk, group.ChunkCount, newPacks.Count - 1, newFirst);
        if (into.IsFull) Put(cancellationToken);
    }

    private async ValueTask RebuildAsync(MovePiece piece, int groupIndex, int rawOffset, CancellationToken cancellationToken)
    {
        PackFooter footer = piece.Source.Footer;
        PackGroup group = footer.Groups[groupIndex];
        for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
        {
            if (!piece.Source.IsLive(i)) continue;
            PackBuilder into = await TakeBuilderAsync(footer.Pack.Kind, cancellationToken).ConfigureAwait(false);
            int before = into.SealedChunks;
            into.Add(footer.Chunks[i].Id, piece.Raw(rawOffset, footer.Chunks[i]));
            if (into.SealedChunks > before) Settle(before);
            gathered.Add((piece.Source, i));
            piece.Source.BeginPlacing();
            if (into.IsFull) Put(cancellationToken);
        }
    }

    /// <summary>The chunks that were gathered lie in the pack, the first of them with this ordinal.</summary>
    private void Settle(int newFirst)
    {
        for (int i = 0; i < gathered.Count; i++) gathered[i].Source.EndPlacing(gathered[i].Ordinal, newPacks.Count - 1, newFirst + i);
        gathered.Clear();
    }

    private void Complete() => open.RemoveAll(source => source.TryComplete(newPacks));

    private async ValueTask<PackBuilder> TakeBuilderAsync(ObjectKind kind, CancellationToken cancellationToken)
    {
        if (builder is not null && newPacks[^1].Kind == kind) return builder;
        Put(cancellationToken);
        PackBuilder taken = await builders.TakeAsync(cancellationToken).ConfigureAwait(false);
        var pack = new PackId(kind, session, kind == ObjectKind.DataPack ? nextData++ : nextTrees++);
        if (CanSeal(kind)) taken.Begin(pack);
        else taken.BeginCopies(pack);
        newPacks.Add(pack);
        return builder = taken;
    }

    /// <summary>Finishes the pack that is built, if any, and puts it in the background.</summary>
    private void Put(CancellationToken cancellationToken)
    {
        if (builder is not { } full) return;
        builder = null;
        Settle(full.SealedChunks);
        // Not dropped by cancelling: the builder must come back to its pool.
        puts.Add(Task.Run(() => PutAsync(full, cancellationToken), CancellationToken.None));
    }

    private async Task PutAsync(PackBuilder full, CancellationToken cancellationToken)
    {
        try
        {
            PackFooter footer = full.Finish(out ReadOnlyMemory<byte> content);
            PutOutcome outcome = await store.PutIfAbsentAsync(footer.Pack.ObjectName, content, cancellationToken).ConfigureAwait(false);
            if (outcome == PutOutcome.Taken)
            {
                throw new HoldfastException(ErrorKind.Failed, $"{store.Address}: {footer.Pack}: the name is taken by another object", "run it again");
            }

            lock (gate) durable.Add(footer);
            builders.Return(full);
        }
        catch (Exception error)
        {
            // Whoever waits for a builder learns the reason instead of waiting for ever.
            builders.Fail(error);
            throw;
        }
    }

    private async Task WhenPutAsync()
    {
        await Task.WhenAll(puts).ConfigureAwait(false);
        puts.Clear();
    }

    /// <summary>The key of a group as a pack of ours may name it.</summary>
    /// <remarks>
    /// Who is not trusted may say of a group whatever he likes: his word about the origin of what he copied is passed on to
    /// nobody. Else chunks could be given a good name by having them moved.
    /// </remarks>
    private PackKey KeyOf(PackFooter footer, in PackGroup group)
    {
        PackKey key = footer.KeyOf(group);
        return group.Key == 0 || sealer.Trusts(footer.WriterId) ? key : key with { OriginId = PackKey.NoOrigin };
    }

    private bool CanSeal(ObjectKind kind) => PublicKeyOf(sealer.Ring.Current, kind) is not null;

    private bool CanOpen(PackFooter footer, in PackGroup group)
    {
        ObjectKind kind = footer.Pack.Kind;
        if (IdentityOf(kind) is null || !CanSeal(kind)) return false;
        uint number = group.Key == 0 ? footer.Epoch : footer.FurtherKeys[group.Key - 1].Epoch;
        foreach (KeyEpoch epoch in sealer.Ring.Epochs)
        {
            if (epoch.Number == number) return (kind == ObjectKind.DataPack ? epoch.DataPrivate : epoch.TreesPrivate) is not null;
        }

        return false;
    }

    private static byte[]? PublicKeyOf(KeyEpoch epoch, ObjectKind kind) => kind == ObjectKind.DataPack ? epoch.DataPublic : epoch.TreesPublic;

    private ChunkIdentity? IdentityOf(ObjectKind kind) => kind == ObjectKind.DataPack ? dataIdentity : treeIdentity;
}
