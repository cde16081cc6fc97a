using System.CommandLine;
using Holdfast.Cli.Values;

namespace Holdfast.Cli.Commands;

/// <summary>What the verbs that take a POINT share.</summary>
internal static class PointHelp
{
    public const string Points =
        "POINT is an id or the beginning of one, latest, latest:HOST:PATH, or left out with --at TIME.";

    public const string Paths =
        "PATH is relative to the root of a point that has one, absolute for a point that has several.";

    public const string Times =
        "TIME is 2026-11-20, 2026-11-20T14:03, RFC 3339, 202611201403, now, or an age such as 2h or 3d; local unless it says its zone.";

    /// <summary>POINT and what follows it.</summary>
    public static (PointSelector Point, IReadOnlyList<string> Others) Take(
        ParseResult parse, Argument<string[]> words, Option<string?> at, TimeProvider clock)
    {
        DateTimeOffset? moment = parse.GetValue(at) is { } text ? TimeText.Parse(text, at.Name, clock) : null;
        return PointSelector.Take(parse.All(words), moment);
    }

    /// <summary>The one word that is left, or null.</summary>
    public static string? AtMostOne(IReadOnlyList<string> rest, string what) => rest.Count switch
    {
        0 => null,
        1 => rest[0],
        _ => throw UsageError.Of($"'{rest[1]}': one {what} is enough"),
    };

    /// <summary>The one word that is left.</summary>
    public static string ExactlyOne(IReadOnlyList<string> rest, string what) =>
        AtMostOne(rest, what) ?? throw UsageError.Of($"{what} is missing");

    /// <summary>No word is left.</summary>
    public static void None(IReadOnlyList<string> rest)
    {
        if (rest.Count > 0) throw UsageError.Of($"'{rest[0]}': nothing is expected here");
    }
}
