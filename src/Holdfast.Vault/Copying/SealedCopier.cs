using Holdfast.Vault.Points;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Copying;

/// <summary>
/// Copies what points need to a vault with the same keys, by what their references name: groups go as they are sealed, and no tree
/// is read. With a key that can, each is opened on the way and every chunk verified by its id. For one point at a time.
/// </summary>
internal sealed class SealedCopier(OpenVault from, OpenVault to, SharedKeys keys, int workers, CopyTally tally, WorkProgress progress)
{
    /// <summary>Fewer packs for a worker are not worth the half-filled pack that it leaves.</summary>
    private const int FewestPacksOfWorker = 4;

    private readonly SealedGroups groups = new(from, to, keys);
    private Removals? removals;

    /// <summary>Copies all that a point needs; its packs are on their way when it returns.</summary>
    /// <exception cref="DamageException">
    /// Something of it is not whole where its references say it is. What was put by then is whole; the session cannot be used for the point any more.
    /// </exception>
    public async Task CopyAsync(RestorePoint point, WriteSession session, CancellationToken cancellationToken)
    {
        ReferenceSet needed = await ReferenceSet.TryReadAsync(from, point.References, cancellationToken).ConfigureAwait(false)
            ?? throw DamageException.Missing(ReferenceSet.Name(point.References));
        removals = await Removals.ReadAsync(from, removals, cancellationToken).ConfigureAwait(false);
        needed = removals.Map(needed);
        using var packs = new NeededPacks(from, needed, session, groups, tally, new PointProgress(progress, point, needed.PackCount));
        int count = Math.Clamp(needed.PackCount / FewestPacksOfWorker, 1, workers);
        SealedLane[] lanes = [.. Enumerable.Range(0, count).Select(_ => new SealedLane(from.Index.Packs, groups, session, packs.TakeAsync, cancellationToken))];
        await RunAsync(lanes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs all to their ends; when one fails, the others are stopped, and nothing goes on.</summary>
    private static async Task RunAsync(SealedLane[] lanes, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Exception? failure = null;
        Task[] running = [.. lanes.Select(lane => Task.Run(
            async () =>
            {
                try
                {
                    await lane.RunAsync(stop.Token).ConfigureAwait(false);
                }
                catch (Exception error)
                {
                    Interlocked.CompareExchange(ref failure, error, null);
                    await stop.CancelAsync().ConfigureAwait(false);
                }
            },
            CancellationToken.None))];
        await Task.WhenAll(running).ConfigureAwait(false);
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }
}
