namespace Holdfast.Files.Selection;

/// <summary>What the rules say about one entry.</summary>
public enum RuleMatch
{
    /// <summary>No pattern matches.</summary>
    None = 0,

    /// <summary>The last pattern that matches is an ordinary one.</summary>
    Matched = 1,

    /// <summary>The last pattern that matches is negated.</summary>
    Negated = 2,
}

/// <summary>Patterns in order, of which the last that matches decides.</summary>
/// <remarks>
/// As in git an entry is judged by itself, given that no directory above it was excluded: a walker does not go into an
/// excluded directory, so nothing in there can be brought back. Immutable; safe for many threads.
/// </remarks>
public sealed class PathRules
{
    private readonly PathPattern[] patterns;

    /// <summary>Rules of these patterns, the weakest first.</summary>
    public PathRules(IEnumerable<PathPattern> patterns) => this.patterns = [.. patterns];

    /// <summary>No rules: nothing is excluded.</summary>
    public static PathRules None { get; } = new([]);

    /// <summary>The patterns, the weakest first.</summary>
    public IReadOnlyList<PathPattern> Patterns => patterns;

    /// <summary>Whether an entry is left out. The root itself is not to be asked about.</summary>
    /// <param name="relativePath">From the root, without '/' at either end.</param>
    /// <param name="isDirectory">Whether it is a directory (a symbolic link to one is not).</param>
    public bool IsExcluded(ReadOnlySpan<byte> relativePath, bool isDirectory) =>
        Match(relativePath, 0, isDirectory) == RuleMatch.Matched;

    /// <summary>
    /// The same where the root lies at a known absolute path, which patterns with a leading '/' may name.
    /// </summary>
    /// <param name="absolutePath">The entry's, normal.</param>
    /// <param name="relativeStart">Where in it the path relative to the root begins: behind the root and its
    /// '/'.</param>
    /// <param name="isDirectory">Whether it is a directory (a symbolic link to one is not).</param>
    public bool IsExcluded(ReadOnlySpan<byte> absolutePath, int relativeStart, bool isDirectory) =>
        Match(absolutePath, relativeStart, isDirectory) == RuleMatch.Matched;

    /// <summary>What the rules say about an entry.</summary>
    /// <param name="path">The absolute path; with <paramref name="relativeStart"/> 0 the relative one alone.</param>
    /// <param name="relativeStart">Where in it the path relative to the root begins.</param>
    /// <param name="isDirectory">Whether it is a directory (a symbolic link to one is not).</param>
    public RuleMatch Match(ReadOnlySpan<byte> path, int relativeStart, bool isDirectory)
    {
        ReadOnlySpan<byte> relative = path[relativeStart..];
        ReadOnlySpan<byte> name = relative[(relative.LastIndexOf(BytePath.Separator) + 1)..];
        for (int i = patterns.Length - 1; i >= 0; i--)
        {
            PathPattern pattern = patterns[i];
            if (pattern.Matches(relative, name, isDirectory)
                || (HasOtherAbsolute(pattern, relativeStart) && pattern.Matches(path[1..], name, isDirectory)))
            {
                return pattern.IsNegated ? RuleMatch.Negated : RuleMatch.Matched;
            }
        }

        return RuleMatch.None;
    }

    /// <summary>Whether an ordinary pattern could match something beneath a directory; may say yes in vain.</summary>
    /// <param name="path">The directory, as in <see cref="Match"/>.</param>
    /// <param name="relativeStart">Where in it the path relative to the root begins; its length for the root
    /// itself.</param>
    public bool MayMatchBelow(ReadOnlySpan<byte> path, int relativeStart)
    {
        ReadOnlySpan<byte> relative = path[relativeStart..];
        foreach (PathPattern pattern in patterns)
        {
            if (pattern.IsNegated) continue;
            if (pattern.MayMatchBelow(relative)) return true;
            if (HasOtherAbsolute(pattern, relativeStart) && pattern.MayMatchBelow(path[1..])) return true;
        }

        return false;
    }

    // With the root "/" (start 1) the absolute path says nothing that the relative one did not.
    private static bool HasOtherAbsolute(PathPattern pattern, int relativeStart) =>
        relativeStart > 1 && pattern.MatchesAbsolute;
}
