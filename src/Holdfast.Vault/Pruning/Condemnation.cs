using Holdfast.Log;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Pruning;

/// <summary>Condemns packs and references objects: from then on no session begins to use them.</summary>
/// <remarks>
/// What is condemned was decided on removals that were read: where others decided meanwhile, it is decided again on what they
/// left. That it is not needed is looked at once more before anything is deleted (<see cref="Verdicts"/>).
/// </remarks>
internal sealed class Condemnation(OpenVault vault, PruneState state, SessionId own)
{
    // Each round that fails, somebody else has finished one.
    private const int MaxRounds = 100;

    /// <summary>Condemns what is not needed, and what was moved.</summary>
    /// <param name="unneeded">Packs of which nothing is needed.</param>
    /// <param name="moved">Packs of which everything needed was moved to packs of this session.</param>
    /// <param name="references">References objects that nobody needs.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <exception cref="HoldfastException">Kind Failed: this prune was taken for dead itself.</exception>
    public async Task PutAsync(
        IReadOnlyList<PackId> unneeded, IReadOnlyList<PackRemoval> moved, IReadOnlyList<SessionId> references, CancellationToken cancellationToken)
    {
        PackRemoval[] packs = [.. unneeded.Select(static pack => PackRemoval.Condemn(pack, 0)).Concat(moved).OrderBy(static pack => pack.Pack)];
        SessionId[] lists = [.. references.Order()];
        for (int first = 0; first < packs.Length; first += RemovalRecord.MaxPacks)
        {
            PackRemoval[] part = packs[first..Math.Min(first + RemovalRecord.MaxPacks, packs.Length)];
            await PutPartAsync(part, [], cancellationToken).ConfigureAwait(false);
        }

        foreach (SessionId[] part in lists.Chunk(RemovalRecord.MaxPacks)) await PutPartAsync([], part, cancellationToken).ConfigureAwait(false);
    }

    private async Task PutPartAsync(PackRemoval[] packs, SessionId[] lists, CancellationToken cancellationToken)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            await state.RefreshRemovalsAsync(vault, cancellationToken).ConfigureAwait(false);
            Removals removals = state.Removals;
            // After the removals were read: who ended this prune before condemns its packs behind what was read.
            await ThrowIfFencedAsync(cancellationToken).ConfigureAwait(false);
            ReferenceSet needed = removals.Map(state.Live.Needed);
            PackRemoval[] left = [.. packs.Where(pack => IsStillDecided(pack, removals, needed)).Select(pack => pack with { Since = removals.Next })];
            ReferencesRemoval[] leftLists =
            [
                .. lists.Where(list => !removals.References.ContainsKey(list)).Select(list => new ReferencesRemoval(list, RemovalVerdict.Condemned, removals.Next)),
            ];
            if (left.Length + leftLists.Length == 0) return;
            var record = new RemovalRecord(vault.Host.Clock.GetUtcNow(), ReplacesAll: false, left, leftLists);
            if (!await Removals.TryPutAsync(vault, removals.Next, record, cancellationToken).ConfigureAwait(false)) continue;
            await state.RefreshRemovalsAsync(vault, cancellationToken).ConfigureAwait(false);
            return;
        }

        throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: others prune all the time", "try again");
    }

    private static bool IsStillDecided(PackRemoval pack, Removals removals, ReferenceSet needed)
    {
        if (removals.IsRemoved(pack.Pack) || pack.Runs.Any(run => removals.IsRemoved(run.Pack))) return false;
        ReadOnlySpan<ulong> ordinals = needed.OrdinalsOf(pack.Pack);
        for (int i = 0; i < ordinals.Length; i++)
        {
            // What another prune moved here meanwhile, or is needed beside what was moved.
            if ((ordinals[i] & ~(i < pack.Moved.Length ? pack.Moved[i] : 0)) != 0) return false;
        }

        return true;
    }

    private async Task ThrowIfFencedAsync(CancellationToken cancellationToken)
    {
        if (await vault.Store.StatAsync(PointCodec.Name(own), cancellationToken).ConfigureAwait(false) is null) return;
        throw new HoldfastException(
            ErrorKind.Failed, $"{vault.Address}: another prune took this one for dead, since nothing was heard of it for long", "run it again");
    }
}
