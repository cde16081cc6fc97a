using Holdfast.Vault.Retention;

namespace Holdfast.Vault;

/// <summary>Decides which points of a group a policy keeps. Pure: the same points, policy, zone and time give the same decisions.</summary>
/// <remarks>
/// <para>Each rule chooses for itself, so more rules, or higher counts, never drop more; and since what a rule chose stays the
/// newest of its period, deciding again on what was kept drops nothing more.</para>
/// <para>Points count by <see cref="RestorePoint.EffectiveTime"/>, which a client cannot choose. Spans reach back from the
/// newest point, not from now: a source that is backed up no longer keeps what it has.</para>
/// </remarks>
public static class RetentionPlan
{
    /// <summary>
    /// A point that is so much ahead of the clock is in the future: it is kept, and takes nobody's place. Less than this, clocks
    /// of machines may differ.
    /// </summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);

    /// <summary>Decides on the points of one group.</summary>
    /// <param name="points">The group, in any order.</param>
    /// <param name="policy">What is to be kept.</param>
    /// <param name="zone">Whose calendar divides time into hours, days, weeks, months and years.</param>
    /// <param name="now">What time it is.</param>
    /// <returns>One decision for each point, oldest first. Of equal instants the higher id counts as newer.</returns>
    public static IReadOnlyList<RetentionDecision> Decide(
        IReadOnlyCollection<RestorePoint> points, RetentionPolicy policy, TimeZoneInfo zone, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(zone);
        RestorePoint[] newestFirst = [.. points];
        Array.Sort(newestFirst, static (a, b) => RestorePoint.CompareAge(b, a));
        int firstPast = Array.FindIndex(newestFirst, point => point.EffectiveTime - now <= ClockTolerance);
        if (firstPast < 0) firstPast = newestFirst.Length;
        RuleWalk[] walks = firstPast == newestFirst.Length ? []
            : [.. policy.Rules.Select(rule => new RuleWalk(rule, zone, newestFirst[firstPast].EffectiveTime))];
        var decisions = new RetentionDecision[newestFirst.Length];
        var keep = new List<RetentionReason>();
        var drop = new List<RetentionReason>();
        for (int i = 0; i < newestFirst.Length; i++)
        {
            RestorePoint point = newestFirst[i];
            keep.Clear();
            drop.Clear();
            if (HoldAt(point, now) is { } hold) keep.Add(new RetentionReason(RetentionVerdict.OnHold, Text: hold.Reason));
            foreach (string tag in policy.KeepTags)
            {
                if (point.Tags.Contains(tag, StringComparer.Ordinal)) keep.Add(new RetentionReason(RetentionVerdict.Tagged, Text: tag));
            }

            if (i < firstPast) keep.Add(new RetentionReason(RetentionVerdict.InFuture));
            else foreach (RuleWalk walk in walks)
            {
                RetentionReason reason = walk.Next(point, isOldest: i == newestFirst.Length - 1);
                (reason.Keeps ? keep : drop).Add(reason);
            }

            if (drop.Count == 0) drop.Add(new RetentionReason(RetentionVerdict.Untagged));
            decisions[^(i + 1)] = new RetentionDecision(point, keep.Count > 0, keep.Count > 0 ? [.. keep] : [.. drop]);
        }

        return decisions;
    }

    /// <summary>The hold that a point is on at a time, or null.</summary>
    public static PointHold? HoldAt(RestorePoint point, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(point);
        return point.Hold is { } hold && hold.IsActiveAt(now) ? hold : null;
    }
}
