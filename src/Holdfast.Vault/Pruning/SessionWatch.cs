using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Pruning;

/// <summary>A session whose lease is in sight.</summary>
/// <param name="Id">Which.</param>
/// <param name="Number">Of its newest lease object.</param>
/// <param name="Stored">When the store received that.</param>
/// <param name="Host">Where it runs; empty where the lease cannot be read.</param>
/// <param name="Honours">It needs nothing that removals below this number condemn.</param>
internal sealed record LeasedSession(SessionId Id, uint Number, DateTimeOffset Stored, string Host, uint Honours)
{
    public WaitedSession Told => new(Id, Host, Stored);
}

/// <summary>Sees which sessions are at work, and ends those of which nothing is heard any more.</summary>
/// <remarks>
/// Who is taken for dead is fenced: the name of the point that it would put is taken. So a mistake about it costs that session
/// its point, and never a chunk that a point needs. docs/formats/vault.md, "Pruning beside others".
/// </remarks>
internal sealed class SessionWatch(OpenVault vault, SessionId own)
{
    // Leases come and go while they are listed.
    private const int MaxListings = 4;

    private readonly Dictionary<SessionId, (uint Number, long Since)> seen = [];
    private readonly HashSet<SessionId> fenced = [];

    /// <summary>Sessions that were ended here.</summary>
    public IReadOnlyCollection<SessionId> Fenced => fenced;

    /// <summary>All sessions whose leases are in sight, but for those that were ended here.</summary>
    public async Task<List<LeasedSession>> ListAsync(CancellationToken cancellationToken)
    {
        for (int round = 1; ; round++)
        {
            (List<LeasedSession> sessions, bool isSettled) = await TryListAsync(cancellationToken).ConfigureAwait(false);
            if (isSettled || round == MaxListings) return sessions;
        }
    }

    private async Task<(List<LeasedSession> Sessions, bool IsSettled)> TryListAsync(CancellationToken cancellationToken)
    {
        var newest = new Dictionary<SessionId, (uint Number, ObjectEntry Entry)>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(LeaseRecord.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (LeaseRecord.TryParseName(entry.Name, out SessionId session, out uint number) && session != own && !fenced.Contains(session)) newest[session] = (number, entry);
        }

        var sessions = new List<LeasedSession>();
        bool isSettled = true;
        foreach ((SessionId session, (uint number, ObjectEntry entry)) in newest)
        {
            LeaseRecord? record = null;
            try
            {
                record = await LeaseRecord.TryReadAsync(vault, entry.Name, cancellationToken).ConfigureAwait(false);
                // Ended since it was listed, as a rule.
                isSettled &= record is not null;
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                // A session whose lease says nothing may need anything.
                vault.TellOfDamage(error);
            }

            sessions.Add(new LeasedSession(session, number, entry.Stored, record?.Host ?? "", record?.Honours ?? 0));
        }

        return (sessions, isSettled);
    }

    /// <summary>Whether nothing was heard of a session for its lifetime: by the store's clock, or while it was watched.</summary>
    /// <param name="session">Which.</param>
    /// <param name="now">When the store received an object that was put a moment ago.</param>
    public bool IsDead(LeasedSession session, DateTimeOffset now)
    {
        if (now - session.Stored > Lease.Lifetime) return true;
        long at = vault.Host.Clock.GetTimestamp();
        if (!seen.TryGetValue(session.Id, out (uint Number, long Since) before) || before.Number != session.Number)
        {
            seen[session.Id] = (session.Number, at);
            return false;
        }

        return vault.Host.Clock.GetElapsedTime(before.Since, at) > Lease.Lifetime;
    }

    /// <summary>Ends a session: when it returns, the session has put its point, or never will.</summary>
    public async Task FenceAsync(SessionId session, CancellationToken cancellationToken)
    {
        string name = PointCodec.Name(session);
        byte[] content = vault.Sealer.Seal(ObjectKind.Point, name, []);
        await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false);
        fenced.Add(session);
    }

    /// <summary>Deletes the leases of the sessions that were ended here.</summary>
    public async Task DeleteLeasesAsync(CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (ObjectEntry entry in vault.Store.ListAsync(LeaseRecord.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (LeaseRecord.TryParseName(entry.Name, out SessionId session, out _) && fenced.Contains(session)) names.Add(entry.Name);
        }

        foreach (string name in names) await vault.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }
}
