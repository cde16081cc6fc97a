using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Repairing;

namespace Holdfast.Vault.Pruning;

/// <summary>What a prune decides on: what is in the vault, who is at work, and what is needed.</summary>
/// <remarks>
/// Packs and references are listed before leases, and these before points: what is there and needed by no point that is seen
/// belongs to a session whose lease is seen, or to nobody.
/// </remarks>
internal sealed class PruneState
{
    private PruneState(Dictionary<PackId, long> packs, HashSet<SessionId> references, List<LeasedSession> sessions, Removals removals, LiveSet live)
    {
        Packs = packs;
        References = references;
        Sessions = sessions;
        Removals = removals;
        Live = live;
    }

    /// <summary>Packs in the store, with their sizes.</summary>
    public IReadOnlyDictionary<PackId, long> Packs { get; }

    /// <summary>References objects in the store.</summary>
    public IReadOnlySet<SessionId> References { get; }

    /// <summary>Sessions at work.</summary>
    public IReadOnlyList<LeasedSession> Sessions { get; }

    public Removals Removals { get; private set; }

    public LiveSet Live { get; }

    /// <summary>Reads it.</summary>
    /// <param name="vault">Which vault.</param>
    /// <param name="watch">Sees the sessions.</param>
    /// <param name="live">Gets to know the points.</param>
    /// <param name="goes">Which points are condemned, or would be.</param>
    /// <param name="now">The store's time.</param>
    /// <param name="fences">Whether sessions that are dead are ended; else they only count as such.</param>
    /// <param name="budget">Counts the requests.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public static async Task<PruneState> ReadAsync(
        OpenVault vault, SessionWatch watch, LiveSet live, Func<SessionId, bool> goes, DateTimeOffset now, bool fences, PruneBudget budget,
        CancellationToken cancellationToken)
    {
        var packs = new Dictionary<PackId, long>();
        foreach (string prefix in (string[])[PackId.DataPrefix, PackId.TreesPrefix])
        {
            await foreach (ObjectEntry entry in vault.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            {
                if (PackId.TryParse(entry.Name, out PackId pack)) packs[pack] = entry.Length;
            }
        }

        var references = new HashSet<SessionId>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(ReferenceSet.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (SessionId.TryParse(entry.Name.AsSpan(ReferenceSet.Prefix.Length), out SessionId list)) references.Add(list);
        }

        budget.Count(4 + (packs.Count / 1000));
        await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        var sessions = new List<LeasedSession>();
        foreach (LeasedSession session in await watch.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!watch.IsDead(session, now)) sessions.Add(session);
            else if (fences) await watch.FenceAsync(session.Id, cancellationToken).ConfigureAwait(false);
        }

        budget.Count(1 + sessions.Count);
        await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        await live.RefreshAsync(goes, cancellationToken).ConfigureAwait(false);
        var state = new PruneState(packs, references, sessions, await ReadRemovalsAsync(vault, null, cancellationToken).ConfigureAwait(false), live);
        await state.ThrowIfAnyIsMissingAsync(vault, cancellationToken).ConfigureAwait(false);
        return state;
    }

    /// <summary>Reads removals that came since.</summary>
    public async Task RefreshRemovalsAsync(OpenVault vault, CancellationToken cancellationToken) =>
        Removals = await ReadRemovalsAsync(vault, Removals, cancellationToken).ConfigureAwait(false);

    /// <summary>Removals, all of them: without one it is not known where chunks are now.</summary>
    public static async Task<Removals> ReadRemovalsAsync(OpenVault vault, Removals? known, CancellationToken cancellationToken)
    {
        Removals removals = await Removals.ReadAsync(vault, known, cancellationToken).ConfigureAwait(false);
        return removals.Damage is not { } damage ? removals : throw new HoldfastException(
            ErrorKind.Damage, $"{damage.Message}; so it is not known where chunks are now, and nothing is deleted", Remedy.FromCopy, damage);
    }

    /// <summary>The references objects that no point names that stays, and no session at work may name.</summary>
    public IEnumerable<SessionId> UnneededReferences()
    {
        HashSet<SessionId> active = [.. Sessions.Select(static session => session.Id)];
        return References.Where(list => !Live.Names(list) && !active.Contains(list) && !Removals.References.ContainsKey(list));
    }

    /// <summary>A pack that is needed and gone is damage: another may hold the last copy of what it held, and nobody knows.</summary>
    private async Task ThrowIfAnyIsMissingAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        PackId[] unlisted = [.. Removals.Map(Live.Needed).Packs.Where(pack => !Packs.ContainsKey(pack))];
        if (unlisted.Length > 0) await StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        foreach (PackId pack in unlisted)
        {
            // Put since they were listed, as a rule.
            if (await vault.Store.StatAsync(pack.ObjectName, cancellationToken).ConfigureAwait(false) is not null) continue;
            throw new HoldfastException(
                ErrorKind.Damage, $"{pack}: is missing, and a restore point needs it; as long as it does, nothing is deleted",
                "run \"holdfast check\" to see which points it affects; \"holdfast repair --from\" a copy of the vault brings back what it held; or forget these points");
        }
    }
}
