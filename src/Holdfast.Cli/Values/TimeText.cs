using System.Globalization;

namespace Holdfast.Cli.Values;

/// <summary>Moments as people write and read them.</summary>
/// <remarks>
/// Local time is that of the clock's <see cref="TimeProvider.LocalTimeZone"/>. Where it is ambiguous or absent, RFC 5545
/// §3.3.5 decides: a time that occurs twice (clocks go back) is its first occurrence; one that does not occur (clocks go
/// forward) counts with the offset from before the gap. Write the offset to say another.
/// </remarks>
internal static class TimeText
{
    private const string Hint =
        "write 2026-11-20, 2026-11-20T14:03, 2026-11-20T14:03:05+01:00, 202611201403, now, or an age such as 2h or 3d";

    // A thousand years: what is added to any moment of now is a moment still.
    private const long LongestSeconds = 365_000L * 86_400;

    private static readonly string[] ZonedForms =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd' 'HH:mmK",
    ];

    private static readonly string[] LocalForms =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd' 'HH:mm", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF",
        "yyyy-MM-dd' 'HH:mm:ss.FFFFFFF", "yyyyMMddHHmm",
    ];

    /// <summary>The moment that a text means.</summary>
    /// <param name="text">RFC 3339, a local date or time, <c>YYYYMMDDHHMM</c>, <c>now</c> or an age.</param>
    /// <param name="flag">The flag it stands at, for the error.</param>
    /// <param name="clock">What is now, and the local zone.</param>
    public static DateTimeOffset Parse(string text, string flag, TimeProvider clock) =>
        TryParse(text, clock, out DateTimeOffset moment)
            ? moment
            : throw UsageError.Of($"{flag}: '{text}' is not a time", Hint);

    /// <summary>The moment to come that a text means.</summary>
    /// <param name="text">How long from now, such as <c>2h</c>, or a moment as in <see cref="Parse"/>.</param>
    /// <param name="flag">The flag it stands at, for the error.</param>
    /// <param name="clock">What is now, and the local zone.</param>
    public static DateTimeOffset ParseFuture(string text, string flag, TimeProvider clock)
    {
        DateTimeOffset now = clock.GetUtcNow();
        DateTimeOffset moment;
        if (TryParseSeconds(text.Trim(), out long seconds))
        {
            double most = (DateTimeOffset.MaxValue - now).TotalSeconds;
            moment = seconds < most ? now + TimeSpan.FromSeconds(seconds) : DateTimeOffset.MaxValue;
        }
        else if (!TryParse(text, clock, out moment))
        {
            throw UsageError.Of(
                $"{flag}: '{text}' is neither a duration nor a time", "write 90s, 2h or 3d from now, or 2026-11-20T14:03:05+01:00");
        }

        return moment > now ? moment : throw UsageError.Of($"{flag}: '{text}' is not in the future");
    }

    /// <summary>The duration that a text means: <c>90s</c>, <c>2h</c>, <c>7d</c>, or <c>0</c>; at most a thousand years.</summary>
    /// <param name="text">A whole number with its unit; a day is 24 hours.</param>
    /// <param name="flag">The flag it stands at, for the error.</param>
    public static TimeSpan ParseDuration(string text, string flag)
    {
        string trimmed = text.Trim();
        if (trimmed == "0") return TimeSpan.Zero;
        if (!TryParseSeconds(trimmed, out long seconds))
        {
            throw UsageError.Of($"{flag}: '{text}' is not a duration", "write a whole number with s, m, h, d or w, such as 30m or 7d");
        }

        return seconds <= LongestSeconds ? TimeSpan.FromSeconds(seconds) : throw UsageError.Of($"{flag}: '{text}' is too long", "write at most 365000d");
    }

    /// <summary>A duration as <see cref="ParseDuration"/> reads it, in the largest unit that fits.</summary>
    public static string ShowDuration(TimeSpan duration)
    {
        long seconds = (long)duration.TotalSeconds;
        ReadOnlySpan<(long Seconds, string Name)> units = [(86_400, "d"), (3600, "h"), (60, "m")];
        foreach ((long unit, string name) in units)
        {
            if (seconds > 0 && seconds % unit == 0) return string.Create(CultureInfo.InvariantCulture, $"{seconds / unit}{name}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{seconds}s");
    }

    /// <summary>The same as <see cref="Parse"/>; false when it is not a time.</summary>
    public static bool TryParse(string text, TimeProvider clock, out DateTimeOffset moment)
    {
        string trimmed = text.Trim();
        if (trimmed.Equals("now", StringComparison.OrdinalIgnoreCase))
        {
            moment = clock.GetUtcNow();
            return true;
        }

        return TryParseAge(trimmed, clock, out moment) || TryParseZoned(trimmed, out moment)
            || TryParseLocal(trimmed, clock.LocalTimeZone, out moment);
    }

    /// <summary>A moment for people, in local time: <c>2026-11-20 14:03:05</c>.</summary>
    public static string Show(DateTimeOffset moment, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(moment, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A moment for programs: RFC 3339 in UTC, to 100 ns.</summary>
    public static string ShowExact(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>A duration for people: <c>0:21</c>, <c>3:12:09</c>.</summary>
    public static string Show(TimeSpan duration)
    {
        long seconds = (long)Math.Max(0, duration.TotalSeconds);
        (long hours, long minutes) = (seconds / 3600, seconds / 60 % 60);
        return hours > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{hours}:{minutes:00}:{seconds % 60:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{minutes}:{seconds % 60:00}");
    }

    /// <summary>How long something took, for people: <c>0.4 s</c>, from a minute on <c>3:12</c>.</summary>
    public static string ShowTaken(TimeSpan duration) => duration < TimeSpan.FromMinutes(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0} s")
        : Show(duration);

    private static bool TryParseZoned(string text, out DateTimeOffset moment)
    {
        // K also matches nothing; such a text is local.
        moment = default;
        bool saysZone = text.EndsWith('Z') || text.EndsWith('z') || text.LastIndexOfAny(['+', '-']) > "yyyy-MM-".Length;
        return saysZone && DateTimeOffset.TryParseExact(
            text.ToUpperInvariant(), ZonedForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out moment);
    }

    private static bool TryParseLocal(string text, TimeZoneInfo zone, out DateTimeOffset moment)
    {
        moment = default;
        if (!DateTime.TryParseExact(
            text.ToUpperInvariant(), LocalForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime local))
        {
            return false;
        }

        return TryZone(local, zone, out moment);
    }

    // Looked at from a day before and a day after, so that every shift counts, not only those that the zone calls
    // daylight saving: Samoa left out a whole day in 2011.
    private static bool TryZone(DateTime local, TimeZoneInfo zone, out DateTimeOffset moment)
    {
        moment = default;
        if (local < DateTime.MinValue.AddDays(2) || local > DateTime.MaxValue.AddDays(-2)) return false;
        var asUtc = new DateTimeOffset(local, TimeSpan.Zero);
        TimeSpan before = zone.GetUtcOffset(asUtc.AddDays(-1));
        TimeSpan after = zone.GetUtcOffset(asUtc.AddDays(1));
        DateTimeOffset first = asUtc - before;
        DateTimeOffset second = asUtc - after;
        bool firstOccurs = zone.GetUtcOffset(first) == before;
        bool secondOccurs = zone.GetUtcOffset(second) == after;
        moment = firstOccurs || !secondOccurs ? first : second;
        return true;
    }

    // 2h, 3d, 2 hours ago. A day is 24 hours, whatever the clocks did.
    private static bool TryParseAge(string text, TimeProvider clock, out DateTimeOffset moment)
    {
        moment = default;
        ReadOnlySpan<char> rest = text;
        if (rest.EndsWith(" ago", StringComparison.OrdinalIgnoreCase)) rest = rest[..^4].TrimEnd();
        if (!TryParseSeconds(rest, out long ageSeconds)) return false;
        DateTimeOffset now = clock.GetUtcNow();
        if (ageSeconds > (now - DateTimeOffset.MinValue).TotalSeconds) return false;
        moment = now - TimeSpan.FromSeconds(ageSeconds);
        return true;
    }

    // 90s, 2h, 3 days.
    private static bool TryParseSeconds(ReadOnlySpan<char> text, out long seconds)
    {
        seconds = 0;
        int digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits])) digits++;
        if (digits is 0 or > 9 || SecondsOf(text[digits..].TrimStart()) is not { } unitSeconds) return false;
        seconds = long.Parse(text[..digits], CultureInfo.InvariantCulture) * unitSeconds;
        return true;
    }

    private static long? SecondsOf(ReadOnlySpan<char> unit)
    {
        Span<char> lower = stackalloc char[8];
        if (unit.IsEmpty || unit.Length > lower.Length) return null;
        int length = unit.ToLowerInvariant(lower);
        return lower[..length] switch
        {
            "s" or "sec" or "second" or "seconds" => 1,
            "m" or "min" or "minute" or "minutes" => 60,
            "h" or "hour" or "hours" => 3600,
            "d" or "day" or "days" => 86_400,
            "w" or "week" or "weeks" => 604_800,
            _ => null,
        };
    }
}
