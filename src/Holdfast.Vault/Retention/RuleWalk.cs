namespace Holdfast.Vault.Retention;

/// <summary>One rule on its way from the newest point to the oldest.</summary>
internal sealed class RuleWalk(RetentionRule rule, TimeZoneInfo zone, DateTimeOffset newest)
{
    private readonly DateTimeOffset from = rule.Within?.Before(newest, zone) ?? DateTimeOffset.MinValue;
    private long lastPeriod = long.MaxValue;
    private SessionId chosen;
    private int used;

    /// <summary>What the rule says of the next point.</summary>
    /// <param name="point">Not newer than the one before.</param>
    /// <param name="isOldest">Whether none follows.</param>
    public RetentionReason Next(RestorePoint point, bool isOldest)
    {
        if (point.EffectiveTime < from) return new RetentionReason(RetentionVerdict.TooOld, rule);
        DateTimeOffset local = TimeZoneInfo.ConvertTime(point.EffectiveTime, zone);
        long period = rule.Period == RetentionPeriod.Each ? lastPeriod - 1 : Calendar.PeriodOf(rule.Period, local);
        // Not "differs": where clocks go back over midnight, a day comes again before the one that it follows, and is no new one.
        if (period < lastPeriod)
        {
            if (used == rule.Count) return new RetentionReason(RetentionVerdict.Beyond, rule, Calendar.NameOf(rule.Period, local));
            lastPeriod = period;
            chosen = point.Id;
            return new RetentionReason(RetentionVerdict.Chosen, rule, Calendar.NameOf(rule.Period, local), ++used);
        }

        return isOldest && used < rule.Count
            ? new RetentionReason(RetentionVerdict.Oldest, rule, Calendar.NameOf(rule.Period, local), ++used)
            : new RetentionReason(RetentionVerdict.Superseded, rule, Calendar.NameOf(rule.Period, local), By: chosen);
    }
}
