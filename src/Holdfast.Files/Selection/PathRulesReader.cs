using Holdfast.Log;

namespace Holdfast.Files.Selection;

/// <summary>Reads files of patterns, one a line, as git reads <c>.gitignore</c>.</summary>
/// <remarks>
/// Lines end with LF or CRLF; a UTF-8 byte order mark is skipped, so are empty lines and those that begin with
/// <c>#</c>. Spaces at the end do not count unless escaped; <c>\#</c> and <c>\!</c> begin a pattern with these
/// characters.
/// </remarks>
public static class PathRulesReader
{
    /// <summary>Reads the patterns of a file.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="fileName">Named in errors.</param>
    /// <param name="ignoreCase">Whether the ASCII letters match in either case.</param>
    /// <exception cref="HoldfastException">Usage: a line holds no pattern that could match; names file and
    /// line.</exception>
    public static IReadOnlyList<PathPattern> Read(ReadOnlySpan<byte> content, string fileName, bool ignoreCase = false)
    {
        var patterns = new List<PathPattern>();
        if (content.StartsWith("\uFEFF"u8)) content = content["\uFEFF"u8.Length..];
        int lineNumber = 0;
        foreach (Range range in content.Split((byte)'\n'))
        {
            lineNumber++;
            ReadOnlySpan<byte> line = content[range];
            if (!line.IsEmpty && line[^1] == '\r') line = line[..^1];
            if (!line.IsEmpty && line[0] == '#') continue;
            line = TrimEnd(line);
            if (line.IsEmpty) continue;
            if (!PathPattern.TryParse(line, ignoreCase, out PathPattern? pattern, out string? error))
            {
                throw new HoldfastException(
                    ErrorKind.Usage, $"{fileName}: line {lineNumber}: pattern {BytePath.Display(line)}: {error}",
                    "correct the line, or begin it with # to leave it out");
            }

            patterns.Add(pattern!);
        }

        return patterns;
    }

    // Takes away the spaces at the end, up to one that a backslash protects.
    private static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> line)
    {
        int end = 0;
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == ' ') continue;
            if (line[i] == '\\' && i + 1 < line.Length) i++;
            end = i + 1;
        }

        return line[..end];
    }
}
