using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Copying;

/// <summary>
/// Copies what points need to a vault with the same keys, by what their references name: groups go as they are sealed, and no tree
/// is read. With a key that can, each is opened on the way and every chunk verified by its id. For one point at a time.
/// </summary>
internal sealed class SealedCopier(OpenVault from, OpenVault to, SharedKeys keys, int workers, CopyTally tally, WorkProgress progress)
{
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
        IEnumerable<Func<CancellationToken, Task>> lanes = Enumerable.Range(0, PackLanes.CountFor(needed.PackCount, workers))
            .Select(_ => (Func<CancellationToken, Task>)new SealedLane(from.Index.Packs, groups, session, packs.TakeAsync, cancellationToken).RunAsync);
        await PackLanes.RunAsync(lanes, cancellationToken).ConfigureAwait(false);
    }
}
