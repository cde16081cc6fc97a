using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Writing;

/// <summary>One worker's way into the vault: adds chunks of one kind, those that are new to packs of its own. For one thread at a time.</summary>
/// <param name="session">Where to.</param>
/// <param name="kind">Of the chunks.</param>
/// <param name="local">Keeps them on this machine as well; null for nobody.</param>
internal sealed class ChunkSink(WriteSession session, ObjectKind kind, LocalTrees? local = null)
{
    private PackBuilder? builder;

    /// <summary>Makes the vault have a chunk.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="content">Its content; copied where it is new.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public async ValueTask AddAsync(ChunkId id, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (local is not null) await local.AddAsync(id, content, cancellationToken).ConfigureAwait(false);
        if (await session.TryReferenceAsync(id, kind, cancellationToken).ConfigureAwait(false)) return;
        if (!session.TryClaim(id, content.Length)) return;
        builder ??= await session.TakeBuilderAsync(kind, cancellationToken).ConfigureAwait(false);
        builder.Add(id, content.Span);
        if (builder.IsFull) Send(cancellationToken);
    }

    /// <summary>Whether the chunk is there already, wherever this leads to; then it is referred to.</summary>
    public async ValueTask<bool> TryReferenceAsync(ChunkId id, CancellationToken cancellationToken) =>
        await session.TryReferenceAsync(id, kind, cancellationToken).ConfigureAwait(false)
        && (local is null || await local.TryReferenceAsync(id, cancellationToken).ConfigureAwait(false));

    /// <summary>Sends the packs that were begun, if any, on their way.</summary>
    public void Flush(CancellationToken cancellationToken)
    {
        local?.Flush(cancellationToken);
        if (builder is not null) Send(cancellationToken);
    }

    private void Send(CancellationToken cancellationToken)
    {
        session.Put(builder!, cancellationToken);
        builder = null;
    }
}
