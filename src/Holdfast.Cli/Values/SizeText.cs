using System.Globalization;

namespace Holdfast.Cli.Values;

/// <summary>Sizes as people write and read them; units are powers of 1,024.</summary>
internal static class SizeText
{
    private const string Units = "KMGTPE";

    /// <summary>Bytes of <c>512</c>, <c>64K</c>, <c>10M</c>, <c>1.5GiB</c>.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="flag">The flag or variable it stands at, for the error.</param>
    /// <exception cref="Holdfast.Log.HoldfastException">It is not a size.</exception>
    public static long Parse(string text, string flag) =>
        TryParse(text, out long bytes)
            ? bytes
            : throw UsageError.Of($"{flag}: '{text}' is not a size", "write bytes, or a number with K, M, G or T: 512, 64K, 1.5GiB");

    /// <summary>The same; false when it is not a size or larger than 8 EiB.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        int digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.')) digits++;
        if (!TryUnit(text[digits..], out long factor)) return false;
        if (!decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
        {
            return false;
        }

        // A fraction needs a unit: half a byte is a slip of the finger.
        if (factor == 1 && number != decimal.Truncate(number)) return false;
        if (number > (decimal)long.MaxValue / factor) return false;
        bytes = (long)decimal.Truncate(number * factor);
        return true;
    }

    /// <summary>A size for people: <c>1.24 GiB</c>; exact below 1,024 bytes.</summary>
    public static string Show(long bytes)
    {
        if (bytes < 0) return "-" + Show(bytes == long.MinValue ? long.MaxValue : -bytes);
        if (bytes < 1024) return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        int unit = -1;
        double value = bytes;

        // 1023.995 would be shown as 1024.00: go on to the next unit before that.
        while (unit < Units.Length - 1 && (unit < 0 || value >= 1023.995))
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.00} {Units[unit]}iB");
    }

    private static bool TryUnit(ReadOnlySpan<char> unit, out long factor)
    {
        factor = 1;
        if (unit.IsEmpty || unit is "B" or "b") return true;
        int power = Units.IndexOf(char.ToUpperInvariant(unit[0]), StringComparison.Ordinal);
        if (power < 0) return false;
        factor = 1L << (10 * (power + 1));
        return unit.Length == 1 || unit[1..].Equals("B", StringComparison.OrdinalIgnoreCase)
            || unit[1..].Equals("iB", StringComparison.OrdinalIgnoreCase);
    }
}
