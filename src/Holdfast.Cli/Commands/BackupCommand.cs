using System.CommandLine;
using System.CommandLine.Parsing;
using Holdfast.Cli.Commands.Backup;
using Holdfast.Cli.Values;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>Which kind of restore point is asked for.</summary>
internal enum BackupKind
{
    /// <summary>Incremental where the source has a point to build on, else full.</summary>
    Automatic,

    /// <summary>Rests on no other point.</summary>
    Full,

    /// <summary>Rests on the newest full point of the source.</summary>
    Differential,

    /// <summary>Rests on the newest point of the source.</summary>
    Incremental,
}

/// <summary>A directory is left out when it holds a file of this name that begins with the header.</summary>
/// <param name="Name">The file's name.</param>
/// <param name="Header">What it must begin with; null for anything.</param>
internal sealed record PresenceMarker(string Name, string? Header);

/// <summary>Where patterns of what to leave out come from.</summary>
internal enum ExclusionKind
{
    /// <summary>The text is a pattern.</summary>
    Pattern,

    /// <summary>It is one that takes upper and lower case alike.</summary>
    PatternIgnoringCase,

    /// <summary>It names a file of patterns, one to a line.</summary>
    File,
}

/// <summary>Something to leave out.</summary>
/// <param name="Kind">What the text is.</param>
/// <param name="Text">As the user wrote it.</param>
internal sealed record Exclusion(ExclusionKind Kind, string Text);

/// <summary>What <c>backup</c> is asked for. Paths are as the user wrote them, bytes that are not UTF-8 escaped.</summary>
internal sealed record BackupOptions
{
    /// <summary>What to back up; empty when it comes from a list or from standard input.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>The kind of point.</summary>
    public BackupKind Kind { get; init; }

    /// <summary>Tags of the point.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The host's name to record; null for this machine's.</summary>
    public string? HostName { get; init; }

    /// <summary>The time to record; null for now.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>What to leave out, in the order given: the last that matches decides.</summary>
    public IReadOnlyList<Exclusion> Exclusions { get; init; } = [];

    /// <summary>Leave out what directories marked by CACHEDIR.TAG hold.</summary>
    public bool ExcludeCaches { get; init; }

    /// <summary>Leave out what directories with such a file hold.</summary>
    public IReadOnlyList<PresenceMarker> ExcludeIfPresent { get; init; } = [];

    /// <summary>Leave out larger files; null for no limit.</summary>
    public long? ExcludeLargerThanBytes { get; init; }

    /// <summary>Do not enter other file systems.</summary>
    public bool OneFileSystem { get; init; }

    /// <summary>Files that list further paths, one to a line; <c>-</c> is standard input.</summary>
    public IReadOnlyList<string> FilesFrom { get; init; } = [];

    /// <summary>The same, separated by NUL.</summary>
    public IReadOnlyList<string> FilesFrom0 { get; init; } = [];

    /// <summary>The name of the one file whose content is standard input; null when it is not backed up.</summary>
    public string? StdinName { get; init; }

    /// <summary>Read every file, whatever its attributes say.</summary>
    public bool Checksum { get; init; }

    /// <summary>A changed ctime alone is no change.</summary>
    public bool IgnoreCtime { get; init; }

    /// <summary>A changed inode number alone is no change.</summary>
    public bool IgnoreInode { get; init; }

    /// <summary>Level of zstd.</summary>
    public int CompressionLevel { get; init; } = BackupCommand.DefaultCompressionLevel;

    /// <summary>Write nothing, say what would be done.</summary>
    public bool DryRun { get; init; }
}

/// <summary><c>holdfast backup</c>: makes a restore point.</summary>
internal static class BackupCommand
{
    public const int LeastCompressionLevel = -5;
    public const int MostCompressionLevel = 19;
    public const int DefaultCompressionLevel = 3;
    private const string DefaultStdinName = "stdin";

    public static VerbCommand Create()
    {
        var paths = new Argument<string[]>("PATH")
        {
            Description = "file or directory to back up",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<bool> full = Flag("--full", "read everything; the point rests on no other");
        Option<bool> differential = Flag("--differential", "record what changed since the newest full point");
        Option<bool> incremental = Flag("--incremental", "record what changed since the newest point (the default)");
        Option<string[]> tags = Many("--tag", "TAG", "put a tag on the point (repeatable)");
        Option<string?> host = One("--host", "NAME", "record this host name instead of the machine's");
        Option<string?> time = One("--time", "TIME", "record this time instead of now");
        Option<string[]> excludes = Many("--exclude", "PATTERN", "leave out what matches (repeatable)");
        Option<string[]> insensitive = Many("--iexclude", "PATTERN", "the same, upper and lower case alike (repeatable)");
        Option<string[]> excludeFiles = Many("--exclude-file", "FILE", "leave out what matches a line of FILE (repeatable)");
        Option<bool> excludeCaches = Flag("--exclude-caches", "leave out what directories with a CACHEDIR.TAG hold");
        Option<string[]> ifPresent = Many(
            "--exclude-if-present", "NAME[:HEADER]", "leave out directories that hold a file NAME (that begins with HEADER)");
        Option<string?> larger = One("--exclude-larger-than", "SIZE", "leave out files of more than SIZE");
        Option<bool> oneFileSystem = Flag("--one-file-system", "do not enter other file systems", "-x");
        Option<string[]> filesFrom = Many("--files-from", "FILE", "back up the paths that FILE lists, one to a line (- is standard input)");
        Option<string[]> filesFrom0 = Many("--files-from0", "FILE", "the same, each path ended by a NUL byte");
        Option<bool> stdin = Flag("--stdin", "back up standard input as one file");
        Option<string?> stdinName = One("--stdin-name", "NAME", $"the name of that file (default: {DefaultStdinName})");
        Option<bool> checksum = Flag("--checksum", "read every file, even if its attributes did not change");
        Option<bool> ignoreCtime = Flag("--ignore-ctime", "a changed ctime alone does not make a file changed");
        Option<bool> ignoreInode = Flag("--ignore-inode", "a changed inode number alone does not make a file changed");
        Option<string?> compression = One(
            "--compression", "LEVEL", $"zstd level, {LeastCompressionLevel} to {MostCompressionLevel} (default: {DefaultCompressionLevel})");
        Option<bool> dryRun = Flag("--dry-run", "write nothing; say what would be done", "-n");

        return new VerbCommand("backup", "make a restore point of files and directories")
        {
            IsWork = true,
            Synopsis = "PATH…",
            Details =
            [
                "Reads what changed since the last point of the same source (host and paths) and stores what the vault does " +
                "not hold yet. Every point can be restored by itself, whatever its kind. An interrupted backup leaves no " +
                "point; what it stored already is used by the next one.",
                "Files that cannot be read are named, the rest is backed up, and the exit code is 3.",
                "Patterns: * and ? match within a name, ** matches across directories, a pattern without / matches a name at " +
                "any depth. The last pattern that matches decides; one that begins with ! takes back.",
            ],
            Examples =
            [
                new("holdfast backup /home", "back up /home"),
                new("holdfast backup --full --tag monthly /etc /home", "a full point with a tag"),
                new("holdfast backup --exclude '*.tmp' --exclude-caches ~", "leave out what can be made again"),
                new("pg_dump shop | holdfast backup --stdin --stdin-name shop.sql", "back up what a program prints"),
            ],
        }.With(
            paths, full, differential, incremental, tags, host, time, excludes, insensitive, excludeFiles, excludeCaches,
            ifPresent, larger, oneFileSystem, filesFrom, filesFrom0, stdin, stdinName, checksum, ignoreCtime, ignoreInode,
            compression, dryRun)
        .Does(Read, RunAsync);

        BackupOptions Read(ParseResult parse, TimeProvider clock)
        {
            var options = new BackupOptions
            {
                Paths = parse.All(paths),
                Kind = ReadKind(parse.GetValue(full), parse.GetValue(differential), parse.GetValue(incremental)),
                Tags = parse.All(tags),
                HostName = parse.GetValue(host),
                Time = parse.GetValue(time) is { } text ? TimeText.Parse(text, time.Name, clock) : null,
                Exclusions = ReadExclusions(
                    parse,
                    (excludes, ExclusionKind.Pattern), (insensitive, ExclusionKind.PatternIgnoringCase), (excludeFiles, ExclusionKind.File)),
                ExcludeCaches = parse.GetValue(excludeCaches),
                ExcludeIfPresent = [.. parse.All(ifPresent).Select(ReadMarker)],
                ExcludeLargerThanBytes = parse.GetValue(larger) is { } size ? SizeText.Parse(size, larger.Name) : null,
                OneFileSystem = parse.GetValue(oneFileSystem),
                FilesFrom = parse.All(filesFrom),
                FilesFrom0 = parse.All(filesFrom0),
                StdinName = parse.GetValue(stdin) ? parse.GetValue(stdinName) ?? DefaultStdinName : null,
                Checksum = parse.GetValue(checksum),
                IgnoreCtime = parse.GetValue(ignoreCtime),
                IgnoreInode = parse.GetValue(ignoreInode),
                CompressionLevel = parse.GetValue(compression) is { } level
                    ? NumberText.Parse(level, compression.Name, LeastCompressionLevel, MostCompressionLevel)
                    : DefaultCompressionLevel,
                DryRun = parse.GetValue(dryRun),
            };
            if (parse.Has(stdinName) && !parse.GetValue(stdin)) throw UsageError.Of("--stdin-name: only together with --stdin");
            Check(options);
            return options;
        }
    }

    private static Task<int> RunAsync(BackupOptions options, CommandContext context, CancellationToken cancellationToken) =>
        new BackupVerb(options, context).RunAsync(cancellationToken);

    private static void Check(BackupOptions options)
    {
        bool hasPaths = options.Paths.Count + options.FilesFrom.Count + options.FilesFrom0.Count > 0;
        if (options.StdinName is null && !hasPaths)
        {
            throw UsageError.Of("nothing to back up", "name files or directories, or use --files-from or --stdin");
        }

        if (options.StdinName is not null && hasPaths)
        {
            throw UsageError.Of("--stdin: a point holds either standard input or files", "make two points");
        }

        if (options.StdinName is { } name && (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal)))
        {
            throw UsageError.Of("--stdin-name: a name is needed");
        }

        // Standard input can be read once.
        if (options.FilesFrom.Concat(options.FilesFrom0).Count(file => file == "-") > 1)
        {
            throw UsageError.Of("--files-from: standard input (-) is named twice");
        }

        if (options.Paths.Contains("")) throw UsageError.Of("PATH is empty", "check the variable it came from");
        if (options.Tags.Any(string.IsNullOrWhiteSpace)) throw UsageError.Of("--tag: a tag is empty");
        if (options.HostName is { Length: 0 }) throw UsageError.Of("--host: the name is empty");
    }

    private static BackupKind ReadKind(bool full, bool differential, bool incremental) => (full, differential, incremental) switch
    {
        (false, false, false) => BackupKind.Automatic,
        (true, false, false) => BackupKind.Full,
        (false, true, false) => BackupKind.Differential,
        (false, false, true) => BackupKind.Incremental,
        _ => throw UsageError.Of("--full, --differential and --incremental: choose one"),
    };

    // The parser gathers each flag's values; which came first across flags only the tokens tell.
    private static List<Exclusion> ReadExclusions(
        ParseResult parse, params ReadOnlySpan<(Option<string[]> Option, ExclusionKind Kind)> flags)
    {
        var kinds = new Dictionary<Token, ExclusionKind>(ReferenceEqualityComparer.Instance);
        foreach ((Option<string[]> option, ExclusionKind kind) in flags)
        {
            foreach (Token token in parse.GetResult(option)?.Tokens ?? []) kinds.Add(token, kind);
        }

        var exclusions = new List<Exclusion>();
        foreach (Token token in parse.Tokens)
        {
            if (kinds.TryGetValue(token, out ExclusionKind kind)) exclusions.Add(new Exclusion(kind, token.Value));
        }

        return exclusions;
    }

    private static PresenceMarker ReadMarker(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? text : text[..colon];
        return name.Length > 0 && !name.Contains('/', StringComparison.Ordinal)
            ? new PresenceMarker(name, colon < 0 ? null : text[(colon + 1)..])
            : throw UsageError.Of($"--exclude-if-present: '{text}' does not name a file", "write NAME or NAME:HEADER, without /");
    }
}
