using System.Globalization;

namespace Holdfast.Cli.Values;

/// <summary>Percentages as people write them.</summary>
internal static class PercentText
{
    /// <summary>The share that <c>5%</c> or <c>0.5%</c> means: above 0, at most 1.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="flag">The flag it stands at, for the error.</param>
    public static double Parse(string text, string flag)
    {
        bool isNumber = text.EndsWith('%') && double.TryParse(
            text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
        double percent = isNumber ? double.Parse(text.AsSpan(0, text.Length - 1), CultureInfo.InvariantCulture) : 0;
        if (percent is > 0 and <= 100) return percent / 100;
        throw UsageError.Of($"{flag}: '{text}' is {(isNumber ? "no such share" : "not a percentage")}", "write more than 0% and at most 100%, such as 5%");
    }
}
