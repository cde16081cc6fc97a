using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>Reads single chunks by their id, each verified; keeps the groups used last. May be used from any thread.</summary>
internal sealed class ChunkFetcher : IDisposable
{
    /// <summary>So often a chunk may be moved while it is fetched.</summary>
    private const int MaxMoves = 8;

    private readonly VaultIndex index;
    private readonly ObjectKind kind;
    private readonly ChunkIdentity identity;
    private readonly BoundedCache<(PackId Pack, int Group), byte[]> groups;
    private readonly BoundedCache<(PackId Pack, ushort Key), byte[]> keys = new(maxBytes: 64 << 10, bytesOf: key => 100 + key.Length);
    private readonly Decompressor decompressor = new();
    private readonly Lock decompressing = new();

    public ChunkFetcher(VaultIndex index, ObjectKind kind, ChunkIdentity identity, long cacheBytes)
    {
        this.index = index;
        this.kind = kind;
        this.identity = identity;
        groups = new(cacheBytes, group => group.Length);
    }

    /// <summary>A chunk's content, valid for as long as the caller holds it.</summary>
    /// <exception cref="DamageException">The vault does not have the chunk whole.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> FetchAsync(ChunkId id, CancellationToken cancellationToken)
    {
        DamageException? gone = null;
        for (int moves = 0; ; moves++)
        {
            if (await index.FindOrRecoverAsync(id, kind, cancellationToken).ConfigureAwait(false) is not { } location)
            {
                throw gone ?? new DamageException($"chunk {id}", kind == ObjectKind.DataPack ? "data is missing" : "part of a tree is missing");
            }

            try
            {
                return await FetchAtAsync(location, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException missing) when (missing.IsMissing && moves < MaxMoves)
            {
                // It may have been moved to another pack since it was found.
                gone = missing;
                await index.SetMissingAsync(location.Footer.Pack, cancellationToken).ConfigureAwait(false);
            }
            catch (HoldfastException damage) when (DamageException.IsLoss(damage))
            {
                index.SetBroken(location);
                if (await TryFetchElsewhereAsync(id, location, cancellationToken).ConfigureAwait(false) is { } content)
                {
                    index.TellOfDamage(damage);
                    return content;
                }

                if (damage is DamageException) throw;
                throw new DamageException(location.Footer.Pack.ObjectName, damage.Message);
            }
        }
    }

    /// <summary>The chunk at one place, verified.</summary>
    /// <exception cref="DamageException">It is not whole there; another place may hold it.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> FetchAtAsync(ChunkLocation location, CancellationToken cancellationToken)
    {
        byte[] group = await FetchGroupAsync(location, cancellationToken).ConfigureAwait(false);
        PackChunk chunk = location.Chunk;
        ReadOnlyMemory<byte> content = group.AsMemory(chunk.Offset, chunk.Length);
        if (identity.Of(content.Span) != chunk.Id) throw PackReader.BrokenChunk(location.Footer, location.Ordinal);
        return content;
    }

    public void Dispose() => decompressor.Dispose();

    private async Task<ReadOnlyMemory<byte>?> TryFetchElsewhereAsync(ChunkId id, ChunkLocation failed, CancellationToken cancellationToken)
    {
        foreach (ChunkLocation other in await index.FindAllAsync(id, kind, cancellationToken).ConfigureAwait(false))
        {
            if (other.Footer.Pack == failed.Footer.Pack && other.Ordinal == failed.Ordinal) continue;
            try
            {
                return await FetchAtAsync(other, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException missing) when (missing.IsMissing)
            {
                await index.SetMissingAsync(other.Footer.Pack, cancellationToken).ConfigureAwait(false);
            }
            catch (HoldfastException damage) when (DamageException.IsLoss(damage))
            {
                index.TellOfDamage(damage);
            }
        }

        return null;
    }

    private async ValueTask<byte[]> FetchGroupAsync(ChunkLocation location, CancellationToken cancellationToken)
    {
        PackFooter footer = location.Footer;
        int groupIndex = location.Chunk.Group;
        byte[]? known = groups.TryGet((footer.Pack, groupIndex));
        if (known is not null) return known;
        PackGroup group = location.Group;
        byte[] sealedBytes = new byte[group.SealedBytes];
        await index.Packs.ReadSealedAsync(footer, group.Offset, sealedBytes, cancellationToken).ConfigureAwait(false);
        byte[]? key = keys.TryGet((footer.Pack, group.Key));
        if (key is null)
        {
            key = index.Packs.OpenKey(footer, group.Key);
            keys.Add((footer.Pack, group.Key), key);
        }

        byte[] raw = new byte[group.RawBytes];
        using var cipher = new Aead(footer.KeyOf(group).Cipher, key);
        bool opened;
        lock (decompressing) opened = PackReader.TryOpenGroup(cipher, decompressor, group, sealedBytes, raw);
        if (!opened) throw PackReader.BrokenGroup(footer, groupIndex);
        groups.Add((footer.Pack, groupIndex), raw);
        return raw;
    }
}
