using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Copying;

/// <summary>Brings groups of one pack after the other into packs of a session. For one thread at a time; others work beside it.</summary>
/// <param name="reader">Reads packs of the other vault.</param>
/// <param name="groups">Says what becomes of their groups.</param>
/// <param name="session">Puts the new packs.</param>
/// <param name="takeNext">The next pack; null when there are no more.</param>
/// <param name="whole">Stops the whole copy; packs that were begun are put unless this says so.</param>
internal sealed class SealedLane(
    PackReader reader, SealedGroups groups, WriteSession session, Func<CancellationToken, ValueTask<MoveSource?>> takeNext, CancellationToken whole)
{
    private PackBuilder? builder;
    private ObjectKind kind;

    /// <summary>Takes packs until there are no more; the last new pack is on its way then.</summary>
    /// <exception cref="DamageException">Something that is needed is not whole.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pieces = new PieceReader(reader, groups.FatesOf, groups.ProofOf, takeNext);
        try
        {
            await pieces.RunAsync(piece => TakeAsync(piece, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Also after a failure: what is whole is used by the next run.
            Put();
        }
    }

    private async ValueTask TakeAsync(MovePiece piece, CancellationToken cancellationToken)
    {
        if (piece.Damage is not null) throw piece.Damage;
        int rawOffset = 0;
        for (int g = piece.First; g < piece.End; g++)
        {
            switch (piece.FateOf(g))
            {
                case GroupFate.Copied or GroupFate.Proved:
                    await CopyAsync(piece, g, cancellationToken).ConfigureAwait(false);
                    break;
                case GroupFate.Rebuilt:
                    await RebuildAsync(piece, g, rawOffset, cancellationToken).ConfigureAwait(false);
                    rawOffset += piece.Source.Footer.Groups[g].RawBytes;
                    break;
            }
        }
    }

    private async ValueTask CopyAsync(MovePiece piece, int groupIndex, CancellationToken cancellationToken)
    {
        PackFooter footer = piece.Source.Footer;
        PackGroup group = footer.Groups[groupIndex];
        PackKey key = groups.KeyHere(footer, group, piece.FateOf(groupIndex) == GroupFate.Proved);
        PackBuilder into = await TakeBuilderAsync(footer.Pack.Kind, cancellationToken).ConfigureAwait(false);
        if (!TryCopy(into, piece, key, group))
        {
            Put();
            into = await TakeBuilderAsync(footer.Pack.Kind, cancellationToken).ConfigureAwait(false);
            if (!TryCopy(into, piece, key, group)) throw new DamageException(footer.Pack.ObjectName, $"group {groupIndex} of {group.SealedBytes} bytes fits no other pack");
        }

        if (into.IsFull) Put();
    }

    private static bool TryCopy(PackBuilder into, MovePiece piece, PackKey key, in PackGroup group) =>
        into.TryCopyGroup(key, group, piece.Source.Footer.Chunks.AsSpan(group.FirstChunk, group.ChunkCount), piece.Sealed(group));

    private async ValueTask RebuildAsync(MovePiece piece, int groupIndex, int rawOffset, CancellationToken cancellationToken)
    {
        PackFooter footer = piece.Source.Footer;
        PackGroup group = footer.Groups[groupIndex];
        for (int i = group.FirstChunk; i < group.FirstChunk + group.ChunkCount; i++)
        {
            if (!piece.Source.IsLive(i)) continue;
            PackBuilder into = await TakeBuilderAsync(footer.Pack.Kind, cancellationToken).ConfigureAwait(false);
            into.Add(footer.Chunks[i].Id, piece.Raw(rawOffset, footer.Chunks[i]));
            if (into.IsFull) Put();
        }
    }

    private async ValueTask<PackBuilder> TakeBuilderAsync(ObjectKind wanted, CancellationToken cancellationToken)
    {
        if (builder is not null && kind == wanted) return builder;
        Put();
        builder = await session.TakeBuilderAsync(wanted, cancellationToken).ConfigureAwait(false);
        kind = wanted;
        return builder;
    }

    /// <summary>Sends the pack that is built, if any, on its way.</summary>
    private void Put()
    {
        if (builder is not { } full) return;
        builder = null;
        session.Put(full, whole);
    }
}
