using Holdfast.Log;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Checking;

/// <summary>Reads tree chunks by their numbers, past the vault's own caches; notes each copy that is damaged. May be used from any thread.</summary>
internal sealed class ChunkReader : IDisposable
{
    private readonly OpenVault vault;
    private readonly ChunkTable table;
    private readonly Findings findings;
    private readonly VaultIndex packs;
    private readonly ChunkFetcher fetcher;

    public ChunkReader(OpenVault vault, ChunkTable table, Findings findings)
    {
        this.vault = vault;
        this.table = table;
        this.findings = findings;
        // Without index objects: places are known from the table.
        packs = new VaultIndex(vault.Store.Uncached, vault.Sealer, OpenVault.DefaultCacheBytes / 2, static _ => { });
        fetcher = new ChunkFetcher(packs, Sealing.ObjectKind.TreePack, vault.TreeProof, OpenVault.DefaultCacheBytes / 2);
    }

    /// <summary>The content of a chunk, from the first copy that is whole; null when none is, which is noted.</summary>
    public async Task<ReadOnlyMemory<byte>?> TryReadAsync(int first, CancellationToken cancellationToken)
    {
        foreach (int copy in table.CopiesOf(first))
        {
            (CheckedPack pack, int ordinal) = table.Place(copy);
            try
            {
                PackFooter? footer = await packs.TryGetFooterAsync(pack.Id, cancellationToken).ConfigureAwait(false);
                if (footer is null) throw DamageException.Missing(pack.Id.ObjectName);
                if (ordinal >= footer.Chunks.Length) throw new DamageException(pack.Id.ObjectName, "was whole when the check began, and is not any more");
                return await fetcher.FetchAtAsync(new ChunkLocation(footer, ordinal), cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException error) when (error.IsMissing)
            {
                if (await TryReadMovedAsync(pack, ordinal, cancellationToken).ConfigureAwait(false) is { } moved) return moved;
                // Maybe of a point that was pruned together with it.
                findings.AddChunks(findings.AddAbsence(pack.Id.ObjectName, "was there when the check began, and is not any more"), [copy]);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                findings.AddChunks(findings.Add(pack.Id.ObjectName, error), [copy]);
            }
        }

        return null;
    }

    /// <summary>A chunk of a pack that a prune removed meanwhile, from where it was moved to; null where that was not so.</summary>
    private async Task<ReadOnlyMemory<byte>?> TryReadMovedAsync(CheckedPack pack, int ordinal, CancellationToken cancellationToken)
    {
        if (!(await vault.ReadRemovedAsync(cancellationToken).ConfigureAwait(false)).Contains(pack.Id)) return null;
        await vault.Index.RefreshAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await vault.TreeChunks.FetchAsync(pack.IdOf(ordinal), cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            return null;
        }
    }

    public void Dispose()
    {
        fetcher.Dispose();
        packs.Dispose();
    }
}
