using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Holdfast.Files;

/// <summary>
/// Any bytes as a string and back without loss: what is UTF-8 becomes its text, any other byte b the lone surrogate
/// U+DC00+b. For command-line arguments and other places where a path must travel in a string.
/// </summary>
/// <remarks>
/// Python's "surrogateescape" (PEP 383). UTF-8 never yields a lone surrogate (three bytes that would are three
/// escapes), so the two cannot be confused. Such a string is for us alone; <see cref="BytePath.Display"/> is for
/// people.
/// </remarks>
public static class SurrogateEscape
{
    private const int EscapeBase = 0xDC00;

    /// <summary>The string of any bytes.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        Span<char> pair = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == OperationStatus.Done;
            if (valid) text.Append(pair[..rune.EncodeToUtf16(pair)]);
            else foreach (byte b in bytes[..consumed]) text.Append((char)(EscapeBase + b));
            bytes = bytes[consumed..];
        }

        return text.ToString();
    }

    /// <summary>The bytes of a string that <see cref="Decode"/> made, or of any well-formed string.</summary>
    /// <exception cref="ArgumentException">A lone surrogate that is not the escape of a byte from 0x80 to
    /// 0xff.</exception>
    public static byte[] Encode(ReadOnlySpan<char> text)
    {
        if (!HasEscape(text))
        {
            byte[] plain = new byte[Encoding.UTF8.GetByteCount(text)];
            Encoding.UTF8.GetBytes(text, plain);
            return plain;
        }

        var bytes = new ArrayBufferWriter<byte>(text.Length + 1);
        while (!text.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf16(text, out Rune rune, out int consumed) == OperationStatus.Done;
            if (valid) bytes.Advance(rune.EncodeToUtf8(bytes.GetSpan(4)));
            else bytes.Write([Unescape(text[0])]);
            text = text[(valid ? consumed : 1)..];
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Whether the string holds a byte that is not UTF-8: a lone surrogate.</summary>
    public static bool HasEscape(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!IsPair(text, i)) return true;
            i++;
        }

        return false;
    }

    /// <summary>The string with U+FFFD for each byte that is not UTF-8: what may be put into JSON.</summary>
    public static string Readable(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!HasEscape(text)) return text;
        return string.Create(text.Length, text, static (target, source) =>
        {
            for (int i = 0; i < source.Length; i++)
            {
                if (IsPair(source, i))
                {
                    target[i] = source[i];
                    target[++i] = source[i];
                }
                else
                {
                    target[i] = char.IsSurrogate(source[i]) ? '\uFFFD' : source[i];
                }
            }
        });
    }

    private static bool IsPair(ReadOnlySpan<char> text, int index) =>
        char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]);

    private static byte Unescape(char surrogate) =>
        surrogate is >= (char)(EscapeBase + 0x80) and <= (char)(EscapeBase + 0xFF)
            ? (byte)(surrogate - EscapeBase)
            : throw new ArgumentException($"surrogate U+{(int)surrogate:X4} stands for no byte", nameof(surrogate));
}
