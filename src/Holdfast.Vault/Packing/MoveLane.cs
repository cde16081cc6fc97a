using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>Moves one pack after the other into a new pack of its own. For one thread at a time; others work beside it.</summary>
/// <param name="reader">Reads the packs.</param>
/// <param name="writer">Puts the new ones.</param>
/// <param name="sealer">Tells whom to trust, and has the keys.</param>
/// <param name="proofOf">Of chunks of a kind; null where there is no key to verify them.</param>
/// <param name="takeNext">The next pack; null when there are no more.</param>
internal sealed class MoveLane(
    PackReader reader, MoveWriter writer, ObjectSealer sealer, Func<ObjectKind, ChunkProof?> proofOf, Func<MoveSource?> takeNext)
{
    // Chunks of the group that the builder gathers, in order.
    private readonly List<(MoveSource Source, int Ordinal)> gathered = [];

    // Packs all of which was taken, until what was gathered of them has its place.
    private readonly List<MoveSource> open = [];
    private readonly KeyRenewal renewal = new(reader, sealer);
    private PackBuilder? builder;
    private ObjectKind kind;
    private int packNumber;

    /// <summary>Bytes read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Takes packs until there are no more; the last new pack is on its way then.</summary>
    public async Task RunAsync(WorkProgress? progress, CancellationToken cancellationToken)
    {
        var pieces = new PieceReader(reader, FatesOf, proofOf, _ => ValueTask.FromResult(takeNext()));
        await pieces.RunAsync(
            async piece =>
            {
                BytesRead += piece.Bytes;
                await TakeAsync(piece, cancellationToken).ConfigureAwait(false);
                progress?.AddDone(piece.IsLast ? 1 : 0, piece.Bytes);
            },
            cancellationToken).ConfigureAwait(false);
        Put(cancellationToken);
    }

    private GroupFate[] FatesOf(MoveSource source)
    {
        PackFooter footer = source.Footer;
        var fates = new GroupFate[footer.Groups.Length];
        for (int g = 0; g < fates.Length; g++) fates[g] = source.FateOf(footer.Groups[g], CanOpen(footer, footer.Groups[g]));
        return fates;
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

        piece.Source.Place(group.FirstChunk, group.ChunkCount, packNumber, newFirst);
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
        for (int i = 0; i < gathered.Count; i++) gathered[i].Source.EndPlacing(gathered[i].Ordinal, packNumber, newFirst + i);
        gathered.Clear();
        Complete();
    }

    private void Complete() => open.RemoveAll(source => source.TryComplete(writer.PackOf));

    private async ValueTask<PackBuilder> TakeBuilderAsync(ObjectKind wanted, CancellationToken cancellationToken)
    {
        if (builder is not null && kind == wanted) return builder;
        Put(cancellationToken);
        (builder, packNumber) = await writer.TakeAsync(wanted, cancellationToken).ConfigureAwait(false);
        kind = wanted;
        return builder;
    }

    /// <summary>Sends the pack that is built, if any, on its way.</summary>
    private void Put(CancellationToken cancellationToken)
    {
        if (builder is not { } full) return;
        builder = null;
        Settle(full.SealedChunks);
        writer.Put(full, cancellationToken);
    }

    /// <summary>The key of a group as a pack of ours may name it.</summary>
    /// <remarks>
    /// Who is not trusted may say of a group whatever he likes: his word about the origin of what he copied is passed on to
    /// nobody. Else chunks could be given a good name by having them moved.
    /// </remarks>
    private PackKey KeyOf(PackFooter footer, in PackGroup group)
    {
        PackKey key = footer.KeyOf(group);
        if (group.Key != 0 && !sealer.Trusts(footer.WriterId)) key = key with { OriginId = PackKey.NoOrigin };
        return renewal.Renew(footer, group, key);
    }

    private bool CanOpen(PackFooter footer, in PackGroup group)
    {
        ObjectKind packKind = footer.Pack.Kind;
        if (proofOf(packKind) is null || !writer.CanSeal(packKind)) return false;
        return sealer.Ring.CanOpen(group.Key == 0 ? footer.Epoch : footer.FurtherKeys[group.Key - 1].Epoch, packKind);
    }
}
