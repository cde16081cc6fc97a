using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Points;

namespace Holdfast.Vault;

/// <summary>Puts points on hold, releases them, and brings back what was forgotten.</summary>
public static class PointState
{
    /// <summary>Longest reason of a hold, in bytes of UTF-8.</summary>
    public const int MaxReasonBytes = PointMark.MaxReasonBytes;

    // Each round that fails, somebody else has finished one.
    private const int MaxRounds = 100;

    /// <summary>Puts points on hold: nobody forgets them until they are released, or until a time.</summary>
    /// <param name="vault">Which vault.</param>
    /// <param name="points">Points that are there; a hold they are on is replaced.</param>
    /// <param name="until">When the hold ends by itself; null for never.</param>
    /// <param name="reason">Shown where the points are; at most <see cref="MaxReasonBytes"/>, may be empty.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <exception cref="HoldfastException">Kind Refused: one of them was forgotten meanwhile; none is on hold then.</exception>
    public static Task HoldAsync(
        OpenVault vault, IReadOnlyList<SessionId> points, DateTimeOffset? until, string reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(reason);
        if (Encoding.UTF8.GetByteCount(reason) > MaxReasonBytes) throw new ArgumentException("too long", nameof(reason));
        return PutAsync(vault, MarkKind.Hold, points, until, reason, (marks, point) => marks.ForgottenSince(point) is null ? true : throw Forgotten(point), cancellationToken);
    }

    /// <summary>Ends holds. Points that are on none are left out.</summary>
    /// <returns>The points that were on hold.</returns>
    public static Task<IReadOnlyList<SessionId>> ReleaseAsync(OpenVault vault, IReadOnlyList<SessionId> points, CancellationToken cancellationToken) =>
        PutAsync(vault, MarkKind.Release, points, null, "", (marks, point) => marks.HoldOf(point) is not null, cancellationToken);

    /// <summary>Brings back points that were forgotten. Those that are not forgotten are left out.</summary>
    /// <returns>The points that were brought back.</returns>
    /// <exception cref="HoldfastException">Kind Refused: one of them is being pruned; none is brought back then.</exception>
    public static Task<IReadOnlyList<SessionId>> UndeleteAsync(OpenVault vault, IReadOnlyList<SessionId> points, CancellationToken cancellationToken) =>
        PutAsync(
            vault, MarkKind.Undelete, points, null, "",
            (marks, point) => marks.IsCondemned(point) ? throw Condemned(point) : marks.ForgottenSince(point) is not null, cancellationToken);

    /// <summary>Points that were pruned, or are being pruned, and since when; as far as marks tell of them.</summary>
    public static async Task<IReadOnlyDictionary<SessionId, DateTimeOffset>> ListPrunedAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        vault.Require(VaultUse.SeePoints);
        return (await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false)).Condemned;
    }

    private static async Task<IReadOnlyList<SessionId>> PutAsync(
        OpenVault vault, MarkKind kind, IReadOnlyList<SessionId> points, DateTimeOffset? until, string reason,
        Func<PointMarks, SessionId, bool> isMeant, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(points);
        vault.Require(VaultUse.MarkPoints);
        for (int round = 0; round < MaxRounds; round++)
        {
            PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
            SessionId[] meant = [.. points.Distinct().Where(point => isMeant(marks, point)).Order()];
            uint number = marks.Next;
            bool isDone = true;
            foreach (SessionId[] part in meant.Chunk(PointMark.MaxPoints))
            {
                var mark = new PointMark(kind, vault.Host.Clock.GetUtcNow(), until, reason, part);
                isDone = isDone && await PointMarks.TryPutAsync(vault, number++, mark, cancellationToken).ConfigureAwait(false);
            }

            if (isDone) return meant;
        }

        throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: others forget or hold points all the time", "try again");
    }

    private static HoldfastException Condemned(SessionId point) =>
        new(ErrorKind.Refused, $"restore point {point.ToShortString()} is being pruned", "it is too late to bring it back");

    private static HoldfastException Forgotten(SessionId point) =>
        new(ErrorKind.Refused, $"restore point {point.ToShortString()} was forgotten", "\"holdfast undelete\" brings it back");
}
