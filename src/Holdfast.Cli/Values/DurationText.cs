using System.Globalization;

namespace Holdfast.Cli.Values;

/// <summary>Lengths of time as people write them: <c>30d</c>, <c>12h</c>, <c>90m</c>, <c>45s</c>. An m is a minute here.</summary>
internal static class DurationText
{
    private const double MaxDays = 36_500;

    /// <summary>The length of time that a text means: above zero, at most a hundred years.</summary>
    /// <param name="text">A number and a unit: w, d, h, m or s.</param>
    /// <param name="flag">The flag it stands at, for the error.</param>
    public static TimeSpan Parse(string text, string flag)
    {
        double? secondsOfUnit = text.Length < 2 ? null : text[^1] switch
        {
            'w' => 7 * 86_400,
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => null,
        };
        bool isNumber = double.TryParse(text.AsSpan(0, Math.Max(0, text.Length - 1)), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number);
        double days = number * (secondsOfUnit ?? 0) / 86_400;
        return isNumber && days is > 0 and <= MaxDays
            ? TimeSpan.FromDays(days)
            : throw UsageError.Of($"{flag}: '{text}' is not a length of time", "write days, hours, minutes or seconds as 30d, 12h, 90m or 45s");
    }

    /// <summary>About how long, for people: rounded up to days, or hours below two of them, or minutes below two of these.</summary>
    public static string Show(TimeSpan span) => span switch
    {
        { TotalDays: > 2 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(span.TotalDays):N0} days"),
        { TotalHours: > 2 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(span.TotalHours):N0} hours"),
        { TotalMinutes: > 1 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(span.TotalMinutes):N0} minutes"),
        _ => "minute",
    };
}
