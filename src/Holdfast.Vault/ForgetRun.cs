using Holdfast.Log;
using Holdfast.Vault.Points;
using Holdfast.Vault.Repairing;
using Holdfast.Vault.Retention;

namespace Holdfast.Vault;

/// <summary>Forgets restore points: by name, or those that a policy does not keep.</summary>
/// <remarks>
/// A forgotten point is no longer listed, restored or compared with, and what it alone needs may be pruned. Until then it can
/// be brought back (<see cref="PointState.UndeleteAsync"/>). Every other point restores as before: none needs another.
/// </remarks>
public static class ForgetRun
{
    // Each round that fails, somebody else has finished one.
    private const int MaxRounds = 100;

    /// <summary>What would be forgotten, and why. Nothing is written.</summary>
    /// <exception cref="HoldfastException">
    /// Kind Refused: a point that was named is on hold, or a group would lose all of its points. Kind Damage: it cannot be
    /// known what is on hold. Kind Usage: a point that was named is not there.
    /// </exception>
    public static async Task<ForgetPlan> PlanAsync(OpenVault vault, ForgetRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(request);
        if (request.Points.Count == 0 && request.Policy.IsEmpty) throw new ArgumentException("neither points nor a policy", nameof(request));
        PointMarks marks = await PointMarks.ReadAsync(vault, cancellationToken).ConfigureAwait(false);
        ThrowIfHoldsAreUnknown(marks);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, marks, cancellationToken).ConfigureAwait(false);
        var plan = new ForgetPlan
        {
            Groups = request.Points.Count > 0 ? Name(points, request, vault.Host.Clock.GetUtcNow()) : Decide(points, request, vault.Host.Clock.GetUtcNow()),
            Mark = marks.Next,
        };
        if (!request.AllowsEmptyGroups) plan.ThrowIfAnyLosesAll();
        if (!request.MeasuresSpace) return plan;
        HashSet<SessionId> dropped = [.. plan.Dropped.Select(point => point.Id)];
        FreedSpace freed = await SpaceMeasurement.MeasureAsync(
            vault, plan.Dropped, points.Where(point => !dropped.Contains(point.Id)), cancellationToken).ConfigureAwait(false);
        return plan with { Freed = freed };
    }

    /// <summary>Forgets.</summary>
    /// <returns>What was done. When it returns, it is durable.</returns>
    /// <exception cref="HoldfastException">As <see cref="PlanAsync"/>; nothing was forgotten then.</exception>
    /// <remarks>
    /// All is forgotten at once, or nothing; of more than 65,536 points so many at a time. When somebody else forgets or
    /// holds points meanwhile, it is decided again.
    /// </remarks>
    public static async Task<ForgetPlan> RunAsync(OpenVault vault, ForgetRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        vault.Require(VaultUse.MarkPoints);
        for (int round = 0; round < MaxRounds; round++)
        {
            ForgetPlan plan = await PlanAsync(vault, request, cancellationToken).ConfigureAwait(false);
            if (await TryCarryOutAsync(vault, plan, cancellationToken).ConfigureAwait(false)) return plan;
        }

        throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: others forget or hold points all the time", "try again");
    }

    private static async Task<bool> TryCarryOutAsync(OpenVault vault, ForgetPlan plan, CancellationToken cancellationToken)
    {
        SessionId[] dropped = [.. plan.Dropped.Select(point => point.Id).Order()];
        uint number = plan.Mark;
        foreach (SessionId[] part in dropped.Chunk(PointMark.MaxPoints))
        {
            var mark = new PointMark(MarkKind.Forget, vault.Host.Clock.GetUtcNow(), null, "", part);
            if (!await PointMarks.TryPutAsync(vault, number++, mark, cancellationToken).ConfigureAwait(false)) return false;
        }

        return true;
    }

    private static ForgetGroup[] Decide(IReadOnlyList<RestorePoint> points, ForgetRequest request, DateTimeOffset now) =>
    [
        .. PointGroup.Divide(request.Selects is null ? points : points.Where(request.Selects), request.Grouping)
            .Select(group => new ForgetGroup(group, RetentionPlan.Decide(group.Points, request.Policy, request.Zone, now))),
    ];

    private static List<ForgetGroup> Name(IReadOnlyList<RestorePoint> points, ForgetRequest request, DateTimeOffset now)
    {
        var named = new HashSet<SessionId>(request.Points);
        var groups = new List<ForgetGroup>();
        foreach (PointGroup group in PointGroup.Divide(points, request.Grouping))
        {
            RetentionDecision[] decisions =
            [
                .. group.Points.Where(point => named.Remove(point.Id))
                    .Select(static point => new RetentionDecision(point, Keep: false, [new RetentionReason(RetentionVerdict.Named)])),
            ];
            foreach (RetentionDecision decision in decisions) ThrowIfHeld(decision.Point, now);
            if (decisions.Length > 0) groups.Add(new ForgetGroup(group, decisions));
        }

        return named.Count == 0
            ? groups
            : throw new HoldfastException(ErrorKind.Usage, $"restore point {named.First()}: there is none", "see \"holdfast points\"");
    }

    private static void ThrowIfHeld(RestorePoint point, DateTimeOffset now)
    {
        if (RetentionPlan.HoldAt(point, now) is not { } hold) return;
        string reason = hold.Reason.Length > 0 ? $": {hold.Reason}" : "";
        throw new HoldfastException(
            ErrorKind.Refused, $"restore point {point.Id.ToShortString()} is on hold{reason}", "\"holdfast release\" ends a hold");
    }

    private static void ThrowIfHoldsAreUnknown(PointMarks marks)
    {
        if (marks.Damage is not { } damage) return;
        throw new HoldfastException(
            ErrorKind.Damage, $"{damage.Message}; so it is not known which points are on hold",
            Remedy.FromCopyOrDrop + ": then hold again what it held", damage);
    }
}
