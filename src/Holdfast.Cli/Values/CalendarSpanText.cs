using System.Globalization;
using Holdfast.Vault;

namespace Holdfast.Cli.Values;

/// <summary>Spans of time as retention counts them: <c>1y5m7d2h</c>, <c>6w</c>. An m is a month here, not a minute.</summary>
internal static class CalendarSpanText
{
    private const int DaysOfWeek = 7;
    private const int MostDigits = 6;

    /// <summary>The span that a text means.</summary>
    /// <param name="text">Numbers, each with its unit y, m, w, d or h; each unit at most once.</param>
    /// <param name="flag">The flag it stands at, for the error.</param>
    public static CalendarSpan Parse(string text, string flag) =>
        TryParse(text) ?? throw UsageError.Of(
            $"{flag}: '{text}' is not a span of time", "write years, months, weeks, days and hours as 1y, 6m, 2w, 14d, 48h or 1y6m");

    private static CalendarSpan? TryParse(string text)
    {
        int? years = null, months = null, weeks = null, days = null, hours = null;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        if (rest.IsEmpty) return null;
        while (!rest.IsEmpty)
        {
            int digits = 0;
            while (digits < rest.Length && char.IsAsciiDigit(rest[digits])) digits++;
            if (digits is 0 or > MostDigits || digits == rest.Length) return null;
            int count = int.Parse(rest[..digits], CultureInfo.InvariantCulture);
            bool isTaken = rest[digits] switch
            {
                'y' => Take(ref years, count),
                'm' => Take(ref months, count),
                'w' => Take(ref weeks, count),
                'd' => Take(ref days, count),
                'h' => Take(ref hours, count),
                _ => false,
            };
            if (!isTaken) return null;
            rest = rest[(digits + 1)..];
        }

        return new CalendarSpan(years ?? 0, months ?? 0, ((weeks ?? 0) * DaysOfWeek) + (days ?? 0), hours ?? 0);
    }

    private static bool Take(ref int? unit, int count)
    {
        if (unit is not null) return false;
        unit = count;
        return true;
    }
}
