using System.Globalization;
using System.Text;
using Holdfast.Files;

namespace Holdfast.Cli.Output;

/// <summary>Names as a terminal may be shown them, and how wide they are there.</summary>
internal static class TerminalText
{
    /// <summary>The text with control characters as <c>\033</c>: a file's name must not steer the terminal.</summary>
    public static string Escape(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\x1F') && !text.AsSpan().ContainsAnyInRange('\x7F', '\x9F')
            && !SurrogateEscape.HasEscape(text))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length + 16);
        foreach (char c in SurrogateEscape.Readable(text))
        {
            if (!char.IsControl(c)) escaped.Append(c);
            else escaped.Append('\\').Append(Convert.ToString(c, 8).PadLeft(3, '0'));
        }

        return escaped.ToString();
    }

    /// <summary>Columns that a text takes: 2 for East Asian wide characters and emoji, 0 for marks that combine.</summary>
    public static int WidthOf(string text)
    {
        int width = 0;
        foreach (Rune rune in text.EnumerateRunes()) width += WidthOf(rune);
        return width;
    }

    /// <summary>The text shortened in its middle to at most <paramref name="columns"/> columns.</summary>
    public static string Shorten(string text, int columns)
    {
        if (WidthOf(text) <= columns) return text;
        if (columns < 5) return Start(text, Math.Max(0, columns));
        int head = (columns - 1) / 2;
        return Start(text, head) + "…" + End(text, columns - 1 - head);
    }

    private static string Start(string text, int columns)
    {
        int length = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            columns -= WidthOf(rune);
            if (columns < 0) break;
            length += rune.Utf16SequenceLength;
        }

        return text[..length];
    }

    private static string End(string text, int columns)
    {
        int start = text.Length;
        while (start > 0)
        {
            int step = start > 1 && char.IsLowSurrogate(text[start - 1]) && char.IsHighSurrogate(text[start - 2]) ? 2 : 1;
            columns -= WidthOf(text[(start - step)..start]);
            if (columns < 0) break;
            start -= step;
        }

        return text[start..];
    }

    // UAX #11 in short: the blocks that terminals draw two columns wide.
    private static int WidthOf(Rune rune)
    {
        UnicodeCategory category = Rune.GetUnicodeCategory(rune);
        if (category is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format) return 0;
        return rune.Value is (>= 0x1100 and <= 0x115F) or (>= 0x2E80 and <= 0xA4CF) or (>= 0xAC00 and <= 0xD7A3)
            or (>= 0xF900 and <= 0xFAFF) or (>= 0xFE30 and <= 0xFE6F) or (>= 0xFF00 and <= 0xFF60)
            or (>= 0xFFE0 and <= 0xFFE6) or (>= 0x1F300 and <= 0x1F64F) or (>= 0x1F900 and <= 0x1F9FF)
            or (>= 0x20000 and <= 0x3FFFD) ? 2 : 1;
    }
}
