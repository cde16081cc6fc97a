using Holdfast.Log;
using Holdfast.Vault.Backup;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Writing;

/// <summary>One worker's way into the local state: whatever fails there, the work goes on without it. For one thread at a time.</summary>
internal sealed class LocalTrees(LocalState state)
{
    private ChunkSink? sink;

    /// <summary>Makes the state have a tree chunk.</summary>
    public async ValueTask AddAsync(ChunkId id, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (state.Session is not { } session) return;
        try
        {
            sink ??= new ChunkSink(session, ObjectKind.TreePack);
            await sink.AddAsync(id, content, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error)
        {
            state.Fail(error);
        }
    }

    /// <summary>Whether the state has a chunk, or is not written any more; if it has, it will keep it.</summary>
    public async ValueTask<bool> TryReferenceAsync(ChunkId id, CancellationToken cancellationToken)
    {
        if (state.Session is not { } session) return true;
        try
        {
            return await session.TryReferenceAsync(id, ObjectKind.TreePack, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error)
        {
            state.Fail(error);
            return true;
        }
    }

    /// <summary>Sends the pack that was begun, if any, on its way.</summary>
    public void Flush(CancellationToken cancellationToken) => sink?.Flush(cancellationToken);
}
