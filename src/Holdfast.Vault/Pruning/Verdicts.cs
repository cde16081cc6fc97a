using Holdfast.Log;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Pruning;

/// <summary>
/// Decides of what is condemned whether it goes: when no session is left that may have begun to use it before, and no point
/// needs it. docs/formats/vault.md, "Pruning beside others".
/// </summary>
internal sealed class Verdicts(OpenVault vault, PruneState state, SessionWatch watch, Func<CancellationToken, Task<Func<SessionId, bool>>> readMarks, PruneBudget budget)
{
    // Each round that fails, somebody else has finished one.
    private const int MaxRounds = 100;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Sessions for which something condemned has to wait.</summary>
    public IReadOnlyList<LeasedSession> WaitsFor { get; private set; } = [];

    /// <summary>Decides what can be decided.</summary>
    /// <param name="waits">Whether to stay until all of it can be.</param>
    /// <param name="now">The store's time now, by an object that is put for it.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    public async Task DecideAsync(bool waits, Func<CancellationToken, Task<DateTimeOffset>> now, CancellationToken cancellationToken)
    {
        await state.RefreshRemovalsAsync(vault, cancellationToken).ConfigureAwait(false);
        TimeSpan pause = FirstPause;
        while (state.Removals.HasPending && budget.TryTake(1))
        {
            // What others condemn from now on, sessions may not have seen that the list of leases does not show.
            uint known = state.Removals.Next;
            // Once for what was condemned to be seen by others, and once for their leases to be seen here.
            await StoreWait.ForStalenessAsync(vault, 2, cancellationToken).ConfigureAwait(false);
            List<LeasedSession> sessions = await ListLivingAsync(await now(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            uint honoured = sessions.Count == 0 ? uint.MaxValue : sessions.Min(static session => session.Honours);
            await DecideBelowAsync(Math.Min(known, honoured), cancellationToken).ConfigureAwait(false);
            WaitsFor = [.. sessions.Where(session => session.Honours <= NewestPending())];
            if (!state.Removals.HasPending || !waits) break;
            await Task.Delay(pause, vault.Host.Clock, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        if (!state.Removals.HasPending) WaitsFor = [];
    }

    private async Task<List<LeasedSession>> ListLivingAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var living = new List<LeasedSession>();
        foreach (LeasedSession session in await watch.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (watch.IsDead(session, now)) await watch.FenceAsync(session.Id, cancellationToken).ConfigureAwait(false);
            else living.Add(session);
        }

        budget.Count(1 + (2 * living.Count));
        return living;
    }

    /// <summary>Decides of what was condemned by removals below a number: all sessions that are left honour these.</summary>
    private async Task DecideBelowAsync(uint honoured, CancellationToken cancellationToken)
    {
        if (OldestPending() >= honoured) return;
        // For the points of sessions that ended, whose leases are seen no more.
        await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        await state.Live.RefreshAsync(await readMarks(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        for (int round = 0; round < MaxRounds; round++)
        {
            await state.RefreshRemovalsAsync(vault, cancellationToken).ConfigureAwait(false);
            RemovalRecord record = Decide(honoured);
            if (record.Packs.Count + record.References.Count == 0) return;
            budget.Count(2);
            if (!await Removals.TryPutAsync(vault, state.Removals.Next, record, cancellationToken).ConfigureAwait(false)) continue;
            await state.RefreshRemovalsAsync(vault, cancellationToken).ConfigureAwait(false);
        }

        throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: others prune all the time", "try again");
    }

    private RemovalRecord Decide(uint honoured)
    {
        Removals removals = state.Removals;
        ReferenceSet needed = removals.Map(state.Live.Needed);
        PackRemoval[] packs =
        [
            .. removals.Packs.Values.Where(pack => pack.Verdict == RemovalVerdict.Condemned && pack.Since < honoured)
                .OrderBy(static pack => pack.Pack).Take(RemovalRecord.MaxPacks)
                .Select(pack => PackRemoval.Of(pack.Pack, needed.Holds(pack.Pack) ? RemovalVerdict.Reprieved : RemovalVerdict.Final)),
        ];
        ReferencesRemoval[] lists =
        [
            .. removals.References.Values.Where(list => list.Verdict == RemovalVerdict.Condemned && list.Since < honoured)
                .OrderBy(static list => list.Id).Take(RemovalRecord.MaxPacks)
                .Select(list => new ReferencesRemoval(list.Id, state.Live.Names(list.Id) ? RemovalVerdict.Reprieved : RemovalVerdict.Final, 0)),
        ];
        return new RemovalRecord(vault.Host.Clock.GetUtcNow(), ReplacesAll: false, packs, lists);
    }

    private IEnumerable<uint> Pending() =>
        state.Removals.Packs.Values.Where(static pack => pack.Verdict == RemovalVerdict.Condemned).Select(static pack => pack.Since)
            .Concat(state.Removals.References.Values.Where(static list => list.Verdict == RemovalVerdict.Condemned).Select(static list => list.Since));

    private uint OldestPending() => Pending().DefaultIfEmpty(uint.MaxValue).Min();

    private uint NewestPending() => Pending().DefaultIfEmpty(uint.MinValue).Max();
}
