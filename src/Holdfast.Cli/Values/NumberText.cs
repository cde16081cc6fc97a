using System.Globalization;

namespace Holdfast.Cli.Values;

/// <summary>Whole numbers within bounds.</summary>
internal static class NumberText
{
    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static int Parse(string text, string flag, int least, int most)
    {
        bool isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number);
        return isNumber && number >= least && number <= most
            ? number
            : throw UsageError.Of($"{flag}: '{text}' is not a whole number from {least} to {most}");
    }
}
