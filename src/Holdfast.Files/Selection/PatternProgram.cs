namespace Holdfast.Files.Selection;

/// <summary>A pattern as a row of elements, and the matching of a path against them.</summary>
/// <remarks>
/// Matching tries each wildcard at its shortest and lengthens only the last one that may grow. That is enough: a star
/// cannot cross a '/', so what stands before a later star is either fixed by the next '/' or best matched as early as
/// possible; and the same holds for <see cref="Globstar"/> and whole components.
/// </remarks>
internal readonly struct PatternProgram(ushort[] elements, ulong[] sets)
{
    /// <summary>One byte but '/'.</summary>
    public const ushort Any = 256;

    /// <summary>Any number of bytes but '/'.</summary>
    public const ushort Star = 257;

    /// <summary>Any number of whole components with their '/': <c>**/</c> at the start of a component.</summary>
    public const ushort Globstar = 258;

    /// <summary>All that is left: <c>**</c> as the last component.</summary>
    public const ushort Rest = 259;

    /// <summary>The first set; the elements below 256 are bytes that match themselves.</summary>
    public const ushort FirstSet = 260;

    /// <summary>How many 64-bit words one set of bytes takes.</summary>
    public const int WordsPerSet = 4;

    /// <summary>Whether it begins with a star.</summary>
    public bool StartsWithStar => elements.Length > 0 && elements[0] == Star;

    /// <summary>The bytes from an element on, when all of them match only themselves.</summary>
    public bool TryGetLiteral(int start, out byte[] literal)
    {
        literal = [];
        if (elements.AsSpan(start).ContainsAnyExceptInRange((ushort)0, (ushort)255)) return false;
        literal = new byte[elements.Length - start];
        for (int i = 0; i < literal.Length; i++) literal[i] = (byte)elements[start + i];
        return true;
    }

    /// <summary>Whether the whole path matches.</summary>
    public bool Matches(ReadOnlySpan<byte> path) => Run(path, below: false);

    /// <summary>Whether a path that begins with this directory and '/' could match.</summary>
    public bool MayMatchBelow(ReadOnlySpan<byte> directory) => Run(directory, below: true);

    private bool Run(ReadOnlySpan<byte> path, bool below)
    {
        ReadOnlySpan<ushort> pattern = elements;
        int element = 0, position = 0;
        int starElement = -1, starPosition = 0;
        int globstarElement = -1, globstarPosition = 0;
        while (true)
        {
            ushort current = element < pattern.Length ? pattern[element] : ushort.MaxValue;
            if (current == Star)
            {
                starElement = ++element;
                starPosition = position;
                continue;
            }

            if (current == Rest) return true;
            if (current == Globstar)
            {
                if (below) return true;
                globstarElement = ++element;
                globstarPosition = position;
                starElement = -1;
                continue;
            }

            if (position == path.Length)
            {
                // Longer wildcards would only leave less of the path: what is missing now stays missing.
                return below ? current == BytePath.Separator : element == pattern.Length;
            }

            if (element < pattern.Length && MatchesByte(current, path[position]))
            {
                element++;
                position++;
                continue;
            }

            if (starElement >= 0 && starPosition < path.Length && path[starPosition] != BytePath.Separator)
            {
                element = starElement;
                position = ++starPosition;
            }
            else if (globstarElement >= 0 && NextComponent(path, globstarPosition) is var next and > 0)
            {
                element = globstarElement;
                position = globstarPosition = next;
                starElement = -1;
            }
            else
            {
                return false;
            }
        }
    }

    private bool MatchesByte(ushort element, byte value)
    {
        if (element < 256) return element == value;
        if (value == BytePath.Separator) return false;
        if (element == Any) return true;
        int set = (element - FirstSet) * WordsPerSet;
        return (sets[set + (value >> 6)] >> (value & 63) & 1) != 0;
    }

    private static int NextComponent(ReadOnlySpan<byte> path, int from)
    {
        int slash = path[from..].IndexOf(BytePath.Separator);
        return slash < 0 ? -1 : from + slash + 1;
    }
}
