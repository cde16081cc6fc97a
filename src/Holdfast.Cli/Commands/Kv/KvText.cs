using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Files;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>Keys and values as lines and JSON show them.</summary>
internal static class KvText
{
    /// <summary>The longest value that fits into a line of JSON, bytes; Utf8JsonWriter writes no longer text than 166 M characters.</summary>
    public const int MaxJsonValueBytes = 64 << 20;

    /// <summary>
    /// Bytes as text without control characters, tabs and line ends, so that a line is an entry: what is not printable UTF-8
    /// becomes <c>\t</c>, <c>\n</c>, <c>\r</c>, <c>\\</c> or <c>\xNN</c>, which <c>printf %b</c> takes back.
    /// </summary>
    public static void Append(StringBuilder target, ReadOnlySpan<byte> bytes)
    {
        Span<char> chars = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == OperationStatus.Done;
            if (valid && !Rune.IsControl(rune) && rune.Value != '\\') target.Append(chars[..rune.EncodeToUtf16(chars)]);
            else foreach (byte b in bytes[..consumed]) AppendEscaped(target, b);
            bytes = bytes[consumed..];
        }
    }

    /// <summary>The same as a string, for messages.</summary>
    public static string Show(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        Append(text, bytes);
        return text.ToString();
    }

    /// <summary>A count and what is counted: <c>1 key</c>, <c>2,000 keys</c>.</summary>
    public static string Count(long count, string one) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {one}{(count == 1 ? "" : "s")}");

    /// <summary>Writes <c>key</c> and, when it is not UTF-8, <c>keyBase64</c>.</summary>
    public static void WriteKey(Utf8JsonWriter writer, ReadOnlySpan<byte> key) =>
        JsonNames.WriteName(writer, "key", "keyBase64", SurrogateEscape.Decode(key));

    /// <summary>Writes <c>value</c> and, when it is not UTF-8, <c>valueBase64</c>.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="value">At most <see cref="MaxJsonValueBytes"/>.</param>
    public static void WriteValue(Utf8JsonWriter writer, ReadOnlySpan<byte> value) =>
        JsonNames.WriteName(writer, "value", "valueBase64", SurrogateEscape.Decode(value));

    private static void AppendEscaped(StringBuilder target, byte b)
    {
        switch (b)
        {
            case (byte)'\t':
                target.Append("\\t");
                break;
            case (byte)'\n':
                target.Append("\\n");
                break;
            case (byte)'\r':
                target.Append("\\r");
                break;
            case (byte)'\\':
                target.Append("\\\\");
                break;
            default:
                target.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
                break;
        }
    }
}
