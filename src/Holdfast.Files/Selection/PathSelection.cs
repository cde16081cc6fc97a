namespace Holdfast.Files.Selection;

/// <summary>What is to be done with an entry.</summary>
public enum PathChoice
{
    /// <summary>Left out, and all beneath it.</summary>
    Skip = 0,

    /// <summary>
    /// A directory that is not chosen itself but may lead to something that is; made only when it does.
    /// </summary>
    Pass = 1,

    /// <summary>Taken.</summary>
    Take = 2,
}

/// <summary>
/// Which entries a restore writes: what lies in the places named and the includes match (all when there are none)
/// without what the excludes do.
/// </summary>
/// <remarks>
/// A directory that an include matches is taken with all beneath it, except what a later, negated include or an exclude
/// takes out. Excludes go before includes. Immutable; safe for many threads.
/// </remarks>
public sealed class PathSelection
{
    private readonly PathRules includes;
    private readonly PathRules excludes;
    private readonly byte[][] places;

    /// <summary>Selects.</summary>
    /// <param name="includes">What to take; everything when there are none.</param>
    /// <param name="excludes">What not to take.</param>
    /// <param name="places">
    /// Only these files and directories, by their paths relative to the root, not by patterns; everywhere when empty.
    /// </param>
    public PathSelection(PathRules includes, PathRules excludes, params IReadOnlyList<ReadOnlyMemory<byte>> places)
    {
        this.includes = includes;
        this.excludes = excludes;
        byte[][] trimmed = [.. places.Select(place => place.Span.Trim(BytePath.Separator).ToArray())];
        this.places = Array.Exists(trimmed, static place => place.Length == 0) ? [] : trimmed;
    }

    private enum Standing
    {
        Outside,
        Above,
        Inside,
    }

    /// <summary>Everything.</summary>
    public static PathSelection All { get; } = new(PathRules.None, PathRules.None);

    /// <summary>The choice for the root itself: the parent of the first entries.</summary>
    public PathChoice Root => places.Length == 0 ? IncludedRoot : PathChoice.Pass;

    private PathChoice IncludedRoot => includes.Patterns.Count == 0 ? PathChoice.Take : PathChoice.Pass;

    /// <summary>Chooses what to do with an entry.</summary>
    /// <param name="path">As in <see cref="PathRules.Match"/>: absolute, or relative with 0 as start.</param>
    /// <param name="relativeStart">Where in it the path relative to the root begins.</param>
    /// <param name="isDirectory">Whether it is a directory.</param>
    /// <param name="parent">What was chosen for the directory it is in; not <see cref="PathChoice.Skip"/>.</param>
    public PathChoice Choose(ReadOnlySpan<byte> path, int relativeStart, bool isDirectory, PathChoice parent)
    {
        if (parent == PathChoice.Skip || excludes.Match(path, relativeStart, isDirectory) == RuleMatch.Matched)
        {
            return PathChoice.Skip;
        }

        if (places.Length > 0)
        {
            Standing standing = StandingOf(path[relativeStart..]);
            if (standing == Standing.Outside) return PathChoice.Skip;
            if (standing == Standing.Above) return isDirectory ? PathChoice.Pass : PathChoice.Skip;

            // Above the places every directory was passed, whatever the includes say of it.
            if (parent == PathChoice.Pass) parent = IncludedParentOf(path, relativeStart);
        }

        RuleMatch included = includes.Match(path, relativeStart, isDirectory);
        if (included == RuleMatch.Matched || (included == RuleMatch.None && parent == PathChoice.Take))
        {
            return PathChoice.Take;
        }

        return isDirectory && includes.MayMatchBelow(path, relativeStart) ? PathChoice.Pass : PathChoice.Skip;
    }

    private Standing StandingOf(ReadOnlySpan<byte> path)
    {
        Standing standing = Standing.Outside;
        foreach (byte[] place in places)
        {
            if (BytePath.IsWithin(path, place)) return Standing.Inside;
            if (BytePath.IsWithin(place, path)) standing = Standing.Above;
        }

        return standing;
    }

    /// <summary>What the includes alone choose for the directory that an entry is in.</summary>
    private PathChoice IncludedParentOf(ReadOnlySpan<byte> path, int relativeStart)
    {
        PathChoice choice = IncludedRoot;
        for (int end = relativeStart; end < path.Length; end++)
        {
            if (path[end] != BytePath.Separator) continue;
            choice = includes.Match(path[..end], relativeStart, isDirectory: true) switch
            {
                RuleMatch.Matched => PathChoice.Take,
                RuleMatch.Negated => PathChoice.Pass,
                _ => choice,
            };
        }

        return choice;
    }
}
