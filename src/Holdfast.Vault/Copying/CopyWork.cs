using Holdfast.Log;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Copying;

/// <summary>One copy: chooses the points, and makes each in a session of its own.</summary>
/// <param name="vault">Where to.</param>
/// <param name="request">What.</param>
/// <param name="keys">What the vaults have in common; null where content has other names.</param>
internal sealed class CopyWork(OpenVault vault, CopyRequest request, SharedKeys? keys)
{
    private readonly OpenVault from = request.From;
    private readonly CopyTally tally = new();
    private readonly int workers = Math.Max(1, request.Workers);
    private CopiedChunks? chunks;
    private SealedCopier? groups;
    private readonly Dictionary<SessionId, PointOrigin> origins = [];
    private long points;
    private long there;
    private long damaged;
    private long gone;
    private long bytesStored;

    public async Task<CopySummary> RunAsync(CancellationToken cancellationToken)
    {
        long started = vault.Host.Clock.GetTimestamp();
        groups = keys is null ? null : new SealedCopier(from, vault, keys, workers, tally, request.Progress);
        Dictionary<PointOrigin, SessionId> known = await ReadKnownAsync(cancellationToken).ConfigureAwait(false);
        List<RestorePoint> wanted = await ChooseAsync(known, cancellationToken).ConfigureAwait(false);
        long items = 0, bytes = 0;
        foreach (RestorePoint point in wanted)
        {
            items = Trees.TreeAllowance.Sum(items, point.Counts.Files);
            bytes = Trees.TreeAllowance.Sum(bytes, point.Counts.Bytes);
        }

        request.Progress.Expect(items, bytes);
        foreach (RestorePoint point in wanted)
        {
            try
            {
                SessionId copy = await CopyAsync(point, known, cancellationToken).ConfigureAwait(false);
                known[PointOrigin.Of(from, point)] = copy;
                points++;
                request.OnCopied?.Invoke(point, copy);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error))
            {
                await TellOfLossAsync(point, error, cancellationToken).ConfigureAwait(false);
            }
        }

        return new CopySummary
        {
            Points = points,
            PointsThere = there,
            Damaged = damaged,
            Gone = gone,
            BytesRead = tally.BytesRead,
            BytesStored = bytesStored,
            ChunksCopied = tally.Copied,
            ChunksThere = tally.There,
            Duration = vault.Host.Clock.GetElapsedTime(started),
        };
    }

    /// <summary>What the vault has, by where it was made: its own points too, which may come back from a copy of it.</summary>
    private async Task<Dictionary<PointOrigin, SessionId>> ReadKnownAsync(CancellationToken cancellationToken)
    {
        var known = new Dictionary<PointOrigin, SessionId>();
        foreach (RestorePoint point in await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false))
        {
            known.TryAdd(PointOrigin.Of(vault, point), point.Id);
        }

        return known;
    }

    /// <summary>The points to copy, oldest first, so that what others were compared with is there before them.</summary>
    private async Task<List<RestorePoint>> ChooseAsync(Dictionary<PointOrigin, SessionId> known, CancellationToken cancellationToken)
    {
        IReadOnlyList<RestorePoint> all = await RestorePoints.ListAsync(from, cancellationToken).ConfigureAwait(false);
        foreach (RestorePoint point in all) origins[point.Id] = PointOrigin.Of(from, point);
        if (request.Points is null)
        {
            foreach ((SessionId id, HoldfastException reason) in from.UnreadablePoints)
            {
                damaged++;
                Tell(id, $"is not copied: {reason.Message}");
            }
        }

        var wanted = new List<RestorePoint>();
        var chosen = new HashSet<PointOrigin>();
        foreach (RestorePoint point in (request.Points ?? all).Order(Comparer<RestorePoint>.Create(RestorePoint.CompareAge)))
        {
            PointOrigin origin = PointOrigin.Of(from, point);
            if (known.ContainsKey(origin)) there++;
            else if (chosen.Add(origin)) wanted.Add(point);
        }

        return wanted;
    }

    private async Task<SessionId> CopyAsync(RestorePoint point, Dictionary<PointOrigin, SessionId> known, CancellationToken cancellationToken)
    {
        if (groups is not null)
        {
            try
            {
                return await InSessionAsync(point, known, session => CopySealedAsync(groups, point, session, cancellationToken), cancellationToken).ConfigureAwait(false);
            }
            catch (HoldfastException error) when (DamageException.IsLoss(error) && RoleRules.Allows(from.Role, VaultUse.ReadData))
            {
                // Another pack may hold what is not whole in one. The way through the trees finds it, or says which files it is of.
            }
        }

        return await InSessionAsync(point, known, session => CopyTreeAsync(point, session, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<RestorePoint> CopySealedAsync(SealedCopier groups, RestorePoint point, WriteSession session, CancellationToken cancellationToken)
    {
        await groups.CopyAsync(point, session, cancellationToken).ConfigureAwait(false);
        return point;
    }

    private Task<RestorePoint> CopyTreeAsync(RestorePoint point, WriteSession session, CancellationToken cancellationToken)
    {
        chunks ??= new CopiedChunks(from, vault, tally);
        return new TreeCopier(from, vault, session, chunks, request.Progress).CopyAsync(point, cancellationToken);
    }

    /// <summary>Makes the copy of a point in a session of its own.</summary>
    private async Task<SessionId> InSessionAsync(
        RestorePoint point, Dictionary<PointOrigin, SessionId> known, Func<WriteSession, Task<RestorePoint>> copying, CancellationToken cancellationToken)
    {
        WriteSession session = await WriteSession.BeginAsync(vault, request.Host, request.CompressionLevel, workers, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                RestorePoint copy = await copying(session).ConfigureAwait(false);
                await session.SealAsync(cancellationToken).ConfigureAwait(false);
                await CommitAsync(session, copy with { Origin = PointOrigin.Of(from, point), Time = point.EffectiveTime }, BaseOf(point, known), cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await session.AbandonAsync().ConfigureAwait(false);
                throw;
            }
            finally
            {
                bytesStored += session.BytesStored;
            }

            await session.EndAsync(CancellationToken.None).ConfigureAwait(false);
            return session.Id;
        }
    }

    /// <summary>The copy of what a point was compared with; null where there is none. What was itself copied there goes by its own origin.</summary>
    private SessionId? BaseOf(RestorePoint point, Dictionary<PointOrigin, SessionId> known) =>
        point.Base is { } comparedWith && origins.TryGetValue(comparedWith, out PointOrigin? origin) && known.TryGetValue(origin, out SessionId id) ? id : null;

    private static async Task CommitAsync(WriteSession session, RestorePoint copy, SessionId? comparedWith, CancellationToken cancellationToken)
    {
        (ReferenceSet references, _) = await session.SettleAsync(cancellationToken).ConfigureAwait(false);
        await session.PutObjectAsync(ObjectKind.References, ReferenceSet.Name(session.Id), references.Encode(), cancellationToken).ConfigureAwait(false);
        RestorePoint point = copy with { Id = session.Id, References = session.Id, Base = comparedWith };
        // Without what it was compared with, its list of changes says nothing.
        if (comparedWith is null) point = point with { Kind = PointKind.Full, Changes = Trees.Content.Empty };
        await session.CommitAsync(PointCodec.Encode(point), cancellationToken).ConfigureAwait(false);
    }

    private async Task TellOfLossAsync(RestorePoint point, HoldfastException error, CancellationToken cancellationToken)
    {
        // A copy has no lease there, so what it reads may be pruned.
        IReadOnlyList<RestorePoint> left = await RestorePoints.ListAsync(from, cancellationToken).ConfigureAwait(false);
        bool isThere = left.Any(other => other.Id == point.Id);
        if (isThere) damaged++;
        else gone++;
        request.Progress.AddError();
        Tell(point.Id, isThere ? $"is not copied: {error.Message}" : $"is not copied: it was forgotten in {from.Address} meanwhile, and what it needs may be pruned");
    }

    private void Tell(SessionId point, string what) =>
        request.OnNotice?.Invoke(new ItemNotice(IsError: true, System.Text.Encoding.ASCII.GetBytes($"restore point {point}"), what));
}
