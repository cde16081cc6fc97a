namespace Holdfast.Vault;

/// <summary>A span of time as people name it: years and months are the calendar's, a day is 24 hours.</summary>
/// <param name="Years">Not negative, as the others.</param>
/// <param name="Months">Months.</param>
/// <param name="Days">Days of 24 hours, whatever the clocks did.</param>
/// <param name="Hours">Hours.</param>
public readonly record struct CalendarSpan(int Years, int Months, int Days, int Hours)
{
    private const int MonthsOfYear = 12;

    /// <summary>The moment that lies this span before another; the beginning of time where that is before the calendar's.</summary>
    /// <param name="moment">From where.</param>
    /// <param name="zone">Whose calendar counts years and months.</param>
    /// <remarks>
    /// A day that the month does not have is the month's last. A local time that occurs twice is its first occurrence: in
    /// doubt the span is longer.
    /// </remarks>
    public DateTimeOffset Before(DateTimeOffset moment, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        DateTimeOffset start = moment;
        long months = ((long)Years * MonthsOfYear) + Months;
        if (months > 0)
        {
            DateTime local = TimeZoneInfo.ConvertTime(moment, zone).DateTime;
            // The first years are left out, so that no offset leads out of the calendar.
            if (months > (local.Year - 2) * MonthsOfYear) return DateTimeOffset.MinValue;
            DateTime wall = local.AddMonths(-(int)months);
            TimeSpan offset = zone.IsAmbiguousTime(wall) ? zone.GetAmbiguousTimeOffsets(wall).Max() : zone.GetUtcOffset(wall);
            start = new DateTimeOffset(wall, offset);
        }

        long hours = ((long)Days * 24) + Hours;
        return hours < (start - DateTimeOffset.MinValue).TotalHours ? start - TimeSpan.FromHours(hours) : DateTimeOffset.MinValue;
    }

    /// <summary>As it is written: <c>1y5m7d2h</c>.</summary>
    public override string ToString()
    {
        string text = Part(Years, 'y') + Part(Months, 'm') + Part(Days, 'd') + Part(Hours, 'h');
        return text.Length > 0 ? text : "0h";

        static string Part(int count, char unit) => count == 0 ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{count}{unit}");
    }
}
