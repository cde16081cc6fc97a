using System.Threading.Channels;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>Reads what is needed of one pack after the other, some pieces ahead of who takes them. For one thread at a time.</summary>
/// <param name="reader">Reads the packs.</param>
/// <param name="fatesOf">What becomes of the groups of a pack.</param>
/// <param name="proofOf">Of chunks of a kind; null where there is no key to verify them.</param>
/// <param name="takeNext">The next pack; null when there are no more. Called from another thread than takes the pieces.</param>
internal sealed class PieceReader(
    PackReader reader, Func<MoveSource, GroupFate[]> fatesOf, Func<ObjectKind, ChunkProof?> proofOf,
    Func<CancellationToken, ValueTask<MoveSource?>> takeNext)
{
    private const int PiecesAhead = 3;

    /// <summary>Hands over all pieces, in order. A piece is the taker's until its task ends.</summary>
    public async Task RunAsync(Func<MovePiece, ValueTask> take, CancellationToken cancellationToken)
    {
        var pieces = Channel.CreateBounded<Task<MovePiece>>(PiecesAhead);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task reading = Task.Run(() => ReadAsync(pieces.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (Task<MovePiece> coming in pieces.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                using MovePiece piece = await coming.ConfigureAwait(false);
                await take(piece).ConfigureAwait(false);
            }

            await reading.ConfigureAwait(false);
        }
        finally
        {
            // Nothing of what is at work may outlive the call.
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (pieces.Reader.TryRead(out Task<MovePiece>? left)) await DropAsync(left).ConfigureAwait(false);
        }
    }

    private static async Task DropAsync(Task<MovePiece> left)
    {
        await ((Task)left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (left.IsCompletedSuccessfully) (await left.ConfigureAwait(false)).Dispose();
    }

    /// <summary>Begins to read pieces, some ahead of who takes them. Stores that answer in the call itself are called elsewhere.</summary>
    private async Task ReadAsync(ChannelWriter<Task<MovePiece>> pieces, CancellationToken cancellationToken)
    {
        try
        {
            while (await takeNext(cancellationToken).ConfigureAwait(false) is { } source)
            {
                GroupFate[] fates = fatesOf(source);
                ChunkProof? proof = proofOf(source.Footer.Pack.Kind);
                for (int next = 0; next >= 0;)
                {
                    MovePiece piece = MovePlan.NextPiece(source, fates, ref next);
                    Task<MovePiece> coming = Task.Run(() => piece.ReadAsync(reader, proof, cancellationToken), cancellationToken);
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
}
