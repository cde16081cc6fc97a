using System.CommandLine;
using Holdfast.Cli.Commands.Restore;
using Holdfast.Cli.Values;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What a restore does with files that are there already.</summary>
internal enum OverwritePolicy
{
    /// <summary>Writes every file.</summary>
    Always,

    /// <summary>Writes files whose size or time differs.</summary>
    IfChanged,

    /// <summary>Leaves every existing file as it is.</summary>
    Never,
}

/// <summary>What <c>restore</c> is asked for.</summary>
internal sealed record RestoreOptions
{
    /// <summary>The restore point.</summary>
    public required PointSelector Point { get; init; }

    /// <summary>What to restore; empty for everything.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The directory to restore into.</summary>
    public required string Target { get; init; }

    /// <summary>Delete what the point does not hold.</summary>
    public bool Delete { get; init; }

    /// <summary>Only what matches; empty for everything.</summary>
    public IReadOnlyList<string> Includes { get; init; } = [];

    /// <summary>Leave out what matches.</summary>
    public IReadOnlyList<string> Excludes { get; init; } = [];

    /// <summary>Write nothing, say what would be done.</summary>
    public bool DryRun { get; init; }

    /// <summary>Read back what was written and compare it.</summary>
    public bool Verify { get; init; }

    /// <summary>What happens to files that are there already.</summary>
    public OverwritePolicy Overwrite { get; init; }
}

/// <summary><c>holdfast restore</c>: writes what a restore point holds into a directory.</summary>
internal static class RestoreCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT")
        {
            Description = "restore point, and the paths within it (default: everything)",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> at = At();
        Option<string?> to = One("--to", "DIR", "the directory to restore into (required)", "-t");
        Option<bool> delete = Flag("--delete", "delete what is in DIR but not in the point");
        Option<string[]> includes = Many("--include", "PATTERN", "only what matches (repeatable)");
        Option<string[]> excludes = Many("--exclude", "PATTERN", "leave out what matches (repeatable)");
        Option<bool> dryRun = Flag("--dry-run", "write nothing; say what would be done", "-n");
        Option<bool> verify = Flag("--verify", "read back what was written and compare it");
        Option<string?> overwrite = One("--overwrite", "WHEN", "existing files: always (the default), if-changed or never");
        to.Required = true;
        overwrite.CompletionSources.Add("always", "if-changed", "never");

        return new VerbCommand("restore", "write what a restore point holds into a directory")
        {
            IsWork = true,
            Synopsis = "POINT [PATH…] --to DIR",
            Details =
            [
                "Restores files with their content, mode, owner, times, extended attributes, ACLs, links and holes. A point " +
                "with one root goes straight into DIR; of a point with several, each goes under its own absolute path in DIR. " +
                "Nothing is ever written outside DIR.",
                "What cannot be written is named, the rest is restored, and the exit code is 3. With --verify a difference " +
                "ends in exit code 14.",
                PointHelp.Points,
                PointHelp.Paths,
                PointHelp.Times,
            ],
            Examples =
            [
                new("holdfast restore latest --to /mnt/new", "restore everything"),
                new("holdfast restore latest etc/ssh --to /tmp/ssh", "restore one directory"),
                new("holdfast restore --at 2026-11-20T09:00 --to /srv --delete", "make /srv what it was, and nothing else"),
            ],
        }.With(words, at, to, delete, includes, excludes, dryRun, verify, overwrite)
        .Does(
            (parse, clock) =>
            {
                (PointSelector point, IReadOnlyList<string> rest) = PointHelp.Take(parse, words, at, clock);
                return new RestoreOptions
                {
                    Point = point,
                    Paths = rest,
                    Target = parse.GetValue(to) is { Length: > 0 } target ? target : throw UsageError.Of("--to: the name is empty"),
                    Delete = parse.GetValue(delete),
                    Includes = parse.All(includes),
                    Excludes = parse.All(excludes),
                    DryRun = parse.GetValue(dryRun),
                    Verify = parse.GetValue(verify),
                    Overwrite = ReadPolicy(parse.GetValue(overwrite)),
                };
            },
            RunAsync);
    }

    private static Task<int> RunAsync(RestoreOptions options, CommandContext context, CancellationToken cancellationToken) =>
        new RestoreVerb(options, context).RunAsync(cancellationToken);

    private static OverwritePolicy ReadPolicy(string? text) => text switch
    {
        null or "always" => OverwritePolicy.Always,
        "if-changed" => OverwritePolicy.IfChanged,
        "never" => OverwritePolicy.Never,
        _ => throw UsageError.Of($"--overwrite: '{text}' is unknown", "write always, if-changed or never"),
    };
}
