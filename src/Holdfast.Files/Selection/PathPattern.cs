using Holdfast.Log;

namespace Holdfast.Files.Selection;

/// <summary>One pattern of gitignore's language over the bytes of a path.</summary>
/// <remarks>
/// <para><c>*</c> any bytes but '/', <c>?</c> one byte but '/', <c>[a-z]</c>, <c>[!a]</c>, <c>[[:digit:]]</c> one byte
/// of (not of) a set, <c>\</c> takes the next byte as it is. <c>**/</c> in front: in any directory; <c>/**</c> at the
/// end: everything beneath; <c>/**/</c>: any number of directories between. '/' at the end: directories only. <c>!</c>
/// in front: what an earlier pattern excluded comes back. A pattern without '/' (but at the end) matches a name at any
/// depth; one with a '/' matches the whole path relative to the root.</para>
/// <para>One thing goes beyond gitignore: a pattern with a '/' <em>in front</em> also matches the absolute path. With
/// the root /home/me both <c>/cache</c> and <c>/home/me/cache</c> mean the same directory.</para>
/// <para>Matching allocates nothing and takes at most time in the order of length² of the path × length of the pattern.
/// Immutable; safe for many threads.</para>
/// </remarks>
public sealed class PathPattern
{
    private readonly byte[] text;
    private readonly PatternProgram program;
    private readonly byte[] literal;
    private readonly Form form;

    private PathPattern(ReadOnlySpan<byte> text, in PatternSyntax syntax)
    {
        this.text = text.ToArray();
        IsNegated = syntax.IsNegated;
        DirectoriesOnly = syntax.DirectoriesOnly;
        MatchesAbsolute = syntax.HasLeadingSlash;
        program = syntax.Program;
        (form, literal) = Classify(syntax);
    }

    // The two commonest forms need no program: a plain name, and "*" with a plain end.
    private enum Form
    {
        Path,
        AnyName,
        ExactName,
        NameEnd,
    }

    /// <summary>The pattern as it was given.</summary>
    public ReadOnlyMemory<byte> Text => text;

    /// <summary>Whether it brings back what an earlier pattern excluded.</summary>
    public bool IsNegated { get; }

    /// <summary>Whether it is about directories only.</summary>
    public bool DirectoriesOnly { get; }

    /// <summary>Whether it is also compared with the absolute path.</summary>
    public bool MatchesAbsolute { get; }

    /// <summary>
    /// Compiles a pattern; comments and spaces at the end are the concern of <see cref="PathRulesReader"/>.
    /// </summary>
    /// <param name="text">The pattern with its <c>!</c>, if any.</param>
    /// <param name="ignoreCase">Whether the ASCII letters match in either case.</param>
    /// <exception cref="HoldfastException">Usage: it could never match anything; the message says why.</exception>
    public static PathPattern Parse(ReadOnlySpan<byte> text, bool ignoreCase = false) =>
        TryParse(text, ignoreCase, out PathPattern? pattern, out string? error)
            ? pattern!
            : throw new HoldfastException(ErrorKind.Usage, $"pattern {BytePath.Display(text)}: {error}");

    internal static bool TryParse(ReadOnlySpan<byte> text, bool ignoreCase, out PathPattern? pattern, out string? error)
    {
        pattern = null;
        if (!PatternSyntax.TryParse(text, ignoreCase, out PatternSyntax syntax, out error)) return false;
        pattern = new PathPattern(text, syntax);
        return true;
    }

    /// <summary>Whether an entry matches; the sign of the pattern is not considered.</summary>
    /// <param name="relativePath">From the root, without '/' at either end; or, for a pattern that
    /// <see cref="MatchesAbsolute"/>, the absolute path without its first '/'.</param>
    /// <param name="isDirectory">Whether it is a directory (a symbolic link to one is not).</param>
    public bool Matches(ReadOnlySpan<byte> relativePath, bool isDirectory) =>
        Matches(relativePath, relativePath[(relativePath.LastIndexOf(BytePath.Separator) + 1)..], isDirectory);

    /// <summary>The same where the caller has the last name of the path at hand.</summary>
    internal bool Matches(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, bool isDirectory)
    {
        if (DirectoriesOnly && !isDirectory) return false;
        return form switch
        {
            Form.ExactName => name.SequenceEqual(literal),
            Form.NameEnd => name.EndsWith(literal),
            Form.AnyName => program.Matches(name),
            _ => program.Matches(path),
        };
    }

    /// <summary>Whether something beneath a directory could match. May say yes in vain, never no in vain.</summary>
    /// <param name="directory">As in <see cref="Matches(ReadOnlySpan{byte}, bool)"/>; empty is the root.</param>
    public bool MayMatchBelow(ReadOnlySpan<byte> directory) =>
        form != Form.Path || directory.IsEmpty || program.MayMatchBelow(directory);

    /// <summary>The pattern for people to read.</summary>
    public override string ToString() => BytePath.Display(text);

    private static (Form Form, byte[] Literal) Classify(in PatternSyntax syntax)
    {
        if (!syntax.MatchesNameOnly) return (Form.Path, []);
        if (syntax.Program.TryGetLiteral(0, out byte[] whole)) return (Form.ExactName, whole);
        if (syntax.Program.StartsWithStar && syntax.Program.TryGetLiteral(1, out byte[] end))
        {
            return (Form.NameEnd, end);
        }

        return (Form.AnyName, []);
    }
}
