using Holdfast.Vault.Retention;

namespace Holdfast.Vault;

/// <summary>What the restore points of one hour, day, week, month or year brought into a vault.</summary>
/// <param name="Name">Of the period, such as <c>2026-11</c>; that of a week as ISO 8601 has it, such as <c>2026-W47</c>.</param>
/// <param name="Points">How many there are of it now. Points that are gone are not counted, nor is what they brought.</param>
/// <param name="BytesRead">What was read from the sources.</param>
/// <param name="BytesAdded">Bytes of chunks that the vault did not have before, not compressed.</param>
/// <param name="BytesStored">Bytes that were put into the vault.</param>
/// <param name="BytesStoredSoFar">The same of this period and all before it.</param>
public sealed record GrowthPeriod(string Name, int Points, long BytesRead, long BytesAdded, long BytesStored, long BytesStoredSoFar)
{
    /// <summary>Counts points by periods of the calendar.</summary>
    /// <param name="points">Of one vault.</param>
    /// <param name="period">How long; not <see cref="RetentionPeriod.Each"/>.</param>
    /// <param name="zone">Whose hours, days and so on.</param>
    /// <returns>The periods that have a point, oldest first.</returns>
    public static IReadOnlyList<GrowthPeriod> Of(IEnumerable<RestorePoint> points, RetentionPeriod period, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(zone);
        var periods = new List<GrowthPeriod>();
        long last = 0, soFar = 0;
        foreach (RestorePoint point in points.OrderBy(static point => point.EffectiveTime))
        {
            DateTimeOffset local = TimeZoneInfo.ConvertTime(point.EffectiveTime, zone);
            long number = Calendar.PeriodOf(period, local);
            if (periods.Count == 0 || number != last) periods.Add(new GrowthPeriod(Calendar.NameOf(period, local), 0, 0, 0, 0, soFar));
            last = number;
            BackupCounts counts = point.Counts;
            soFar = Trees.TreeAllowance.Sum(soFar, counts.BytesStored);
            GrowthPeriod known = periods[^1];
            periods[^1] = known with
            {
                Points = known.Points + 1,
                BytesRead = Trees.TreeAllowance.Sum(known.BytesRead, counts.BytesRead),
                BytesAdded = Trees.TreeAllowance.Sum(known.BytesAdded, counts.BytesAdded),
                BytesStored = Trees.TreeAllowance.Sum(known.BytesStored, counts.BytesStored),
                BytesStoredSoFar = soFar,
            };
        }

        return periods;
    }
}
