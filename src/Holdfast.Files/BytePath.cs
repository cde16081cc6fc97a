using System.Buffers;
using System.Globalization;
using System.Text;

namespace Holdfast.Files;

/// <summary>Paths and names as Linux has them: bytes, of which only '/' and NUL mean something.</summary>
public static class BytePath
{
    /// <summary>What stands between two names.</summary>
    public const byte Separator = (byte)'/';

    /// <summary>The longest name Linux's file systems allow, in bytes.</summary>
    public const int MaxNameBytes = 255;

    /// <summary>
    /// Whether it can be the name of a directory entry: 1 to 255 bytes, no NUL, no '/', not "." nor "..".
    /// </summary>
    public static bool IsValidName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= MaxNameBytes && !name.ContainsAny(Separator, (byte)0) && !IsDots(name);

    /// <summary>Puts exactly one separator between the two; an empty side leaves the other as it is.</summary>
    public static byte[] Join(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> rest)
    {
        if (directory.IsEmpty || rest.IsEmpty) return directory.IsEmpty ? rest.ToArray() : directory.ToArray();
        int gap = directory[^1] == Separator ? 0 : 1;
        rest = rest[0] == Separator ? rest[1..] : rest;
        byte[] joined = new byte[directory.Length + gap + rest.Length];
        directory.CopyTo(joined);
        joined[directory.Length - 1 + gap] = Separator;
        rest.CopyTo(joined.AsSpan(directory.Length + gap));
        return joined;
    }

    /// <summary>
    /// An absolute path without <c>//</c>, <c>.</c>, <c>..</c> and a separator at the end (only the root is "/").
    /// </summary>
    /// <param name="path">Begins with '/'.</param>
    /// <remarks>
    /// Lexical: <c>..</c> takes away the name before it even where that name is a symbolic link. Above the root is the
    /// root.
    /// </remarks>
    /// <exception cref="ArgumentException">It is not absolute.</exception>
    public static byte[] Normalize(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty || path[0] != Separator) throw new ArgumentException("the path is not absolute", nameof(path));

        byte[] result = new byte[path.Length];
        int length = 0;
        foreach (ReadOnlySpan<byte> name in Components(path))
        {
            if (name.SequenceEqual("."u8)) continue;
            if (name.SequenceEqual(".."u8))
            {
                length = Math.Max(0, result.AsSpan(0, length).LastIndexOf(Separator));
                continue;
            }

            result[length++] = Separator;
            name.CopyTo(result.AsSpan(length));
            length += name.Length;
        }

        return length == 0 ? [Separator] : result[..length];
    }

    /// <summary>
    /// A path that may be relative to a directory, as a normal absolute path (see <see cref="Normalize"/>).
    /// </summary>
    /// <param name="path">Absolute, or relative to <paramref name="workingDirectory"/>.</param>
    /// <param name="workingDirectory">Absolute.</param>
    public static byte[] ToAbsolute(ReadOnlySpan<byte> path, ReadOnlySpan<byte> workingDirectory) =>
        Normalize(!path.IsEmpty && path[0] == Separator ? path : Join(workingDirectory, path));

    /// <summary>The last name of a path, separators at its end left out; empty for "/" and for nothing.</summary>
    public static ReadOnlySpan<byte> FileName(ReadOnlySpan<byte> path)
    {
        path = path.TrimEnd(Separator);
        return path[(path.LastIndexOf(Separator) + 1)..];
    }

    /// <summary>Whether a path is the directory or lies beneath it; both normal and absolute.</summary>
    public static bool IsWithin(ReadOnlySpan<byte> path, ReadOnlySpan<byte> directory)
    {
        directory = directory.TrimEnd(Separator);
        return path.StartsWith(directory) && (path.Length == directory.Length || path[directory.Length] == Separator);
    }

    /// <summary>The names of a path, in order; empty ones (from <c>//</c> or at the ends) are left out.</summary>
    /// <example><c>foreach (ReadOnlySpan&lt;byte&gt; name in BytePath.Components(path))</c></example>
    public static ComponentEnumerator Components(ReadOnlySpan<byte> path) => new(path);

    /// <summary>The names of a path as arrays of their own.</summary>
    public static byte[][] Split(ReadOnlySpan<byte> path)
    {
        var names = new List<byte[]>();
        foreach (ReadOnlySpan<byte> name in Components(path)) names.Add(name.ToArray());
        return [.. names];
    }

    /// <summary>A name or path for people to read on a terminal.</summary>
    /// <remarks>
    /// Valid UTF-8 stays. What could move the cursor, forge a line or turn the reading order is escaped: control
    /// characters (C0, DEL, C1), line and paragraph separators, and the marks, embeddings, overrides and isolates of
    /// bidirectional text. Bytes that are not UTF-8 become <c>\xff</c>, and a backslash two, so that different names
    /// look different.
    /// </remarks>
    public static string Display(ReadOnlySpan<byte> path)
    {
        if (!path.ContainsAnyExceptInRange((byte)' ', (byte)'~') && !path.Contains((byte)'\\'))
        {
            return Encoding.ASCII.GetString(path);
        }

        var text = new StringBuilder(path.Length + 16);
        while (!path.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(path, out Rune rune, out int consumed) == OperationStatus.Done;
            if (valid) AppendVisible(text, rune);
            else foreach (byte b in path[..consumed]) AppendHex(text, "\\x", b, 2);
            path = path[consumed..];
        }

        return text.ToString();
    }

    private static void AppendVisible(StringBuilder text, Rune rune)
    {
        switch (rune.Value)
        {
            case '\\': text.Append("\\\\"); break;
            case '\n': text.Append("\\n"); break;
            case '\r': text.Append("\\r"); break;
            case '\t': text.Append("\\t"); break;
            case < 0x20 or 0x7F: AppendHex(text, "\\x", rune.Value, 2); break;
            case (>= 0x80 and < 0xA0) or 0x061C or 0x200E or 0x200F:
            case (>= 0x2028 and <= 0x202E) or (>= 0x2066 and <= 0x2069):
                AppendHex(text, "\\u", rune.Value, 4);
                break;
            default: text.Append(rune.ToString()); break;
        }
    }

    private static void AppendHex(StringBuilder text, string prefix, int value, int digits) =>
        text.Append(prefix).Append(value.ToString($"x{digits}", CultureInfo.InvariantCulture));

    private static bool IsDots(ReadOnlySpan<byte> name) => name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);

    /// <summary>Goes through the names of a path.</summary>
    public ref struct ComponentEnumerator
    {
        private ReadOnlySpan<byte> rest;

        internal ComponentEnumerator(ReadOnlySpan<byte> path)
        {
            rest = path;
            Current = default;
        }

        /// <summary>The name; valid as long as the path is.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>Itself, for <c>foreach</c>.</summary>
        public readonly ComponentEnumerator GetEnumerator() => this;

        /// <summary>Goes to the next name; false at the end.</summary>
        public bool MoveNext()
        {
            rest = rest.TrimStart(Separator);
            int end = rest.IndexOf(Separator);
            Current = end < 0 ? rest : rest[..end];
            rest = rest[Current.Length..];
            return !Current.IsEmpty;
        }
    }
}
