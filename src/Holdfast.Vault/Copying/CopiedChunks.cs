using Holdfast.Vault.Chunking;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Repairing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Copying;

/// <summary>
/// Brings chunks of data from one vault to another, each verified by its id there and named by its id here. Chunks stay as they
/// were cut. For one thread at a time.
/// </summary>
internal sealed class CopiedChunks(OpenVault from, OpenVault to, CopyTally tally)
{
    /// <summary>So many names are remembered, about 100 bytes each; what is forgotten is read and named again.</summary>
    private const int MaxNames = 1 << 19;

    private readonly Dictionary<ChunkId, ChunkId> names = [];

    /// <summary>Whether what is new there is named alike here: then what is here need not be read there.</summary>
    public bool AreNamedAlike { get; } = TwinVaultSpare.AreTwins(to, from);

    /// <summary>Makes the session's vault have the chunk of an item.</summary>
    /// <returns>The item as it stands in trees here.</returns>
    /// <exception cref="DamageException">It is not whole there.</exception>
    public async ValueTask<ContentItem> CopyAsync(ContentItem item, WriteSession session, ChunkSink sink, CancellationToken cancellationToken)
    {
        if (item.Kind == ContentItemKind.Hole) return item;
        ChunkId id = item.Id;
        bool isNamed = AreNamedAlike || names.TryGetValue(item.Id, out id);
        if (isNamed && await session.TryReferenceAsync(id, ObjectKind.DataPack, cancellationToken).ConfigureAwait(false))
        {
            tally.AddThere();
            return Named(item, id);
        }

        ReadOnlyMemory<byte> content = await ContentPieces.ReadChunkAsync(from, item, cancellationToken).ConfigureAwait(false);
        tally.AddRead(content.Length);
        // Also with equal secrets: it may have been named before the key for that was renewed.
        id = to.DataIdentity.Of(content.Span);
        long added = session.BytesAdded;
        await sink.AddAsync(id, content, cancellationToken).ConfigureAwait(false);
        if (session.BytesAdded > added) tally.AddCopied();
        else tally.AddThere();
        if (!AreNamedAlike || id != item.Id)
        {
            if (names.Count == MaxNames) names.Clear();
            names[item.Id] = id;
        }

        return Named(item, id);
    }

    // A check is made with a key of the vault that it was written for, as the id is.
    private static ContentItem Named(ContentItem item, ChunkId id) => id == item.Id ? item : item with { Id = id, Check = default };
}
