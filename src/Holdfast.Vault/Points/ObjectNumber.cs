using System.Globalization;

namespace Holdfast.Vault.Points;

/// <summary>The number that ends the name of an object of which the vault has a row: marks, removals, settings, key epochs, leases of a session.</summary>
internal static class ObjectNumber
{
    public const int Digits = 8;

    public static string Text(uint number) => number.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>The highest number names nothing, so that each has a next one.</summary>
    public static bool TryParse(ReadOnlySpan<char> digits, out uint number)
    {
        number = 0;
        return digits.Length == Digits && !digits.ContainsAnyExcept(SessionId.HexDigits)
            && uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number) && number != uint.MaxValue;
    }
}
