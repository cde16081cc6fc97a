using System.Globalization;

namespace Holdfast.Vault.Retention;

/// <summary>Periods of the calendar as numbers that grow with time, and as names.</summary>
internal static class Calendar
{
    private const int DaysOfWeek = 7;
    private const int MonthsOfYear = 12;

    /// <summary>The number of the period that a local time lies in. Numbers of different periods cannot be compared.</summary>
    public static long PeriodOf(RetentionPeriod period, DateTimeOffset local) => period switch
    {
        // By its beginning in UTC: the hour that occurs twice when clocks go back is two.
        RetentionPeriod.Hour => local.UtcTicks - (local.Ticks % TimeSpan.TicksPerHour),
        RetentionPeriod.Day => DayOf(local),
        // Day 0, 0001-01-01, was a Monday.
        RetentionPeriod.Week => DayOf(local) / DaysOfWeek,
        RetentionPeriod.Month => (local.Year * (long)MonthsOfYear) + local.Month,
        RetentionPeriod.Year => local.Year,
        _ => throw new ArgumentOutOfRangeException(nameof(period)),
    };

    /// <summary>How a person names the period; empty for a single point.</summary>
    public static string NameOf(RetentionPeriod period, DateTimeOffset local) => period switch
    {
        RetentionPeriod.Hour => local.ToString("yyyy-MM-dd'T'HH", CultureInfo.InvariantCulture),
        RetentionPeriod.Day => local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        RetentionPeriod.Week => string.Create(
            CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(local.DateTime):0000}-W{ISOWeek.GetWeekOfYear(local.DateTime):00}"),
        RetentionPeriod.Month => local.ToString("yyyy-MM", CultureInfo.InvariantCulture),
        RetentionPeriod.Year => local.ToString("yyyy", CultureInfo.InvariantCulture),
        _ => "",
    };

    private static long DayOf(DateTimeOffset local) => local.Ticks / TimeSpan.TicksPerDay;
}
