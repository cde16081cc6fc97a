namespace Holdfast.Files.Selection;

/// <summary>What a pattern's text says: its flags and its program.</summary>
/// <remarks>
/// As git reads it (gitignore(5) and git's wildmatch), but a pattern that could never match is refused.
/// </remarks>
internal readonly record struct PatternSyntax(
    PatternProgram Program, bool IsNegated, bool DirectoriesOnly, bool HasLeadingSlash, bool MatchesNameOnly)
{
    /// <summary>Reads a pattern; on false the error says why it cannot match anything.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, bool ignoreCase, out PatternSyntax syntax, out string? error)
    {
        syntax = default;
        bool negated = !text.IsEmpty && text[0] == '!';
        if (negated) text = text[1..];
        bool directoriesOnly = !text.IsEmpty && text[^1] == '/';
        if (directoriesOnly) text = text[..^1];
        bool leadingSlash = !text.IsEmpty && text[0] == '/';
        bool nameOnly = !text.Contains((byte)'/');
        if (leadingSlash) text = text[1..];

        error = FindImpossible(text);
        if (error != null) return false;

        // "**/name" says the same as "name", and a name alone is compared faster than a path.
        while (!leadingSlash && text.StartsWith("**/"u8) && !text[3..].Contains((byte)'/'))
        {
            text = text[3..];
            nameOnly = true;
        }

        var compiler = new Compiler(ignoreCase);
        error = compiler.Compile(text);
        if (error != null) return false;
        syntax = new PatternSyntax(compiler.ToProgram(), negated, directoriesOnly, leadingSlash, nameOnly);
        return true;
    }

    private static string? FindImpossible(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return "the pattern is empty";
        if (text.Contains((byte)0)) return "no path contains a NUL byte";
        foreach (Range range in text.Split((byte)'/'))
        {
            ReadOnlySpan<byte> component = text[range];
            if (component.IsEmpty) return "no path contains an empty name";
            if (component.SequenceEqual("."u8) || component.SequenceEqual(".."u8)) return "no path contains . or ..";
        }

        return null;
    }

    /// <summary>Turns the text between the flags into elements.</summary>
    private sealed class Compiler(bool ignoreCase)
    {
        private readonly List<ushort> elements = [];
        private readonly List<ulong> sets = [];

        public PatternProgram ToProgram() => new([.. elements], [.. sets]);

        /// <summary>Returns what is wrong, or null.</summary>
        public string? Compile(ReadOnlySpan<byte> text)
        {
            int position = 0;
            while (position < text.Length)
            {
                byte current = text[position];
                switch (current)
                {
                    case (byte)'*':
                        position = AddStars(text, position);
                        break;
                    case (byte)'?':
                        elements.Add(PatternProgram.Any);
                        position++;
                        break;
                    case (byte)'[':
                        if (!PatternSet.TryRead(text, ref position, ignoreCase, out PatternSet set, out string? error))
                        {
                            return error;
                        }

                        AddSet(set);
                        break;
                    case (byte)'\\' when position + 1 == text.Length:
                        return "the backslash at the end escapes nothing";
                    case (byte)'\\':
                        AddByte(text[position + 1]);
                        position += 2;
                        break;
                    default:
                        AddByte(current);
                        position++;
                        break;
                }
            }

            return null;
        }

        // Two or more stars mean directories only where they are a whole component; elsewhere they are one star.
        private int AddStars(ReadOnlySpan<byte> text, int start)
        {
            int end = start;
            while (end < text.Length && text[end] == '*') end++;
            bool startsComponent = start == 0 || text[start - 1] == '/';
            bool wholeComponent = end - start >= 2 && startsComponent && (end == text.Length || text[end] == '/');
            if (!wholeComponent)
            {
                elements.Add(PatternProgram.Star);
                return end;
            }

            elements.Add(end == text.Length ? PatternProgram.Rest : PatternProgram.Globstar);
            return Math.Min(end + 1, text.Length);
        }

        private void AddByte(byte value)
        {
            if (ignoreCase && char.IsAsciiLetter((char)value)) AddSet(PatternSet.BothCases(value));
            else elements.Add(value);
        }

        private void AddSet(in PatternSet set)
        {
            elements.Add(checked((ushort)(PatternProgram.FirstSet + sets.Count / PatternProgram.WordsPerSet)));
            for (int word = 0; word < PatternProgram.WordsPerSet; word++) sets.Add(set[word]);
        }
    }
}
