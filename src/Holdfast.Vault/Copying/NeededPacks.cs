using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Copying;

/// <summary>
/// Deals out the packs that a point needs and of which the vault that it is copied to lacks something. May be asked from any thread;
/// one pack is looked at at a time.
/// </summary>
internal sealed class NeededPacks(
    OpenVault from, ReferenceSet needed, WriteSession session, SealedGroups groups, CopyTally tally, PointProgress progress) : IDisposable
{
    private readonly PackId[] packs = needed.SortedPacks();
    private readonly SemaphoreSlim gate = new(1);
    private int next;

    /// <summary>The next pack, with those of its chunks that are to be copied; null when there are no more.</summary>
    /// <exception cref="DamageException">It is not whole.</exception>
    public async ValueTask<MoveSource?> TakeAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (next < packs.Length)
            {
                PackId pack = packs[next++];
                PackFooter footer = await from.Index.TryGetFooterAsync(pack, cancellationToken).ConfigureAwait(false)
                    ?? throw new DamageException(pack.ObjectName, "is missing, or its footer is damaged");
                int chunks = needed.ChunkCountOf(pack);
                if (footer.Chunks.Length != chunks) throw new DamageException(pack.ObjectName, $"has {footer.Chunks.Length} chunks, {chunks} expected");
                ulong[] lacking = await LackingAsync(footer, cancellationToken).ConfigureAwait(false);
                progress.TakePack();
                if (lacking.AsSpan().ContainsAnyExcept(0UL)) return new MoveSource(footer, lacking);
            }

            return null;
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private async ValueTask<ulong[]> LackingAsync(PackFooter footer, CancellationToken cancellationToken)
    {
        ulong[] lacking = [.. needed.OrdinalsOf(footer.Pack)];
        for (int i = 0; i < footer.Chunks.Length; i++)
        {
            ulong bit = 1UL << (i % 64);
            if ((lacking[i / 64] & bit) == 0) continue;
            ChunkId id = footer.Chunks[i].Id;
            ulong origin = groups.OriginThere(footer, footer.Groups[footer.Chunks[i].Group]);
            // Claimed by another pack of this point: it brings it, or the point is not made.
            if (!await session.TryReferenceCopyAsync(id, footer.Pack.Kind, origin, cancellationToken).ConfigureAwait(false)
                && session.TryClaim(id, footer.Chunks[i].Length))
            {
                tally.AddCopied();
                tally.AddRead(footer.Chunks[i].Length);
                continue;
            }

            tally.AddThere();
            lacking[i / 64] &= ~bit;
        }

        return lacking;
    }
}
