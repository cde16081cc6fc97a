using System.CommandLine;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>Chooses points by what they are of. A point passes when it passes every part.</summary>
/// <param name="HostName">Only points of this host; null for all.</param>
/// <param name="Path">Only points with this root, as the user wrote it; null for all.</param>
/// <param name="Tags">Only points with all of these tags.</param>
internal sealed record PointFilter(string? HostName, string? Path, IReadOnlyList<string> Tags)
{
    private readonly byte[]? root = Path is null ? null : UserPath.ToAbsolute(Path);

    /// <summary>Whether every point passes.</summary>
    public bool IsEmpty => HostName is null && Path is null && Tags.Count == 0;

    /// <summary>The flags.</summary>
    /// <param name="what">Begins their descriptions, such as <c>only points of</c>.</param>
    public static (Option<string?> Host, Option<string?> Path, Option<string[]> Tags) Options(string what) => (
        One("--host", "NAME", $"{what} this host"), One("--path", "PATH", $"{what} this path"),
        Many("--tag", "TAG", $"{what} this tag (repeatable: all of them)"));

    /// <summary>What the flags say.</summary>
    public static PointFilter Read(ParseResult parse, Option<string?> host, Option<string?> path, Option<string[]> tags)
    {
        string? text = parse.GetValue(path);
        return text is { Length: 0 } ? throw UsageError.Of("--path: the path is empty") : new PointFilter(parse.GetValue(host), text, parse.All(tags));
    }

    /// <summary>Whether a point passes.</summary>
    public bool Passes(RestorePoint point) =>
        (HostName is null || point.Host == HostName)
        && (root is null || point.Roots.Any(candidate => candidate.Span.SequenceEqual(root)))
        && Tags.All(tag => point.Tags.Contains(tag, StringComparer.Ordinal));
}
