using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Writing;

/// <summary>One worker's way into the vault: adds chunks of one kind, those that are new to packs of its own. For one thread at a time.</summary>
internal sealed class ChunkSink(WriteSession session, ObjectKind kind)
{
    private PackBuilder? builder;

    /// <summary>Makes the vault have a chunk.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="content">Its content; copied where it is new.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public async ValueTask AddAsync(ChunkId id, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (await session.TryReferenceAsync(id, kind, cancellationToken).ConfigureAwait(false)) return;
        if (!session.TryClaim(id, content.Length)) return;
        builder ??= await session.TakeBuilderAsync(kind, cancellationToken).ConfigureAwait(false);
        builder.Add(id, content.Span);
        if (builder.IsFull) Flush(cancellationToken);
    }

    /// <summary>Sends the pack that was begun, if any, on its way.</summary>
    public void Flush(CancellationToken cancellationToken)
    {
        if (builder is null) return;
        session.Put(builder, cancellationToken);
        builder = null;
    }
}
