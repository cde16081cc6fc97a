using System.CommandLine;
using Holdfast.Cli.Commands.Check;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>check</c> is asked for.</summary>
internal sealed record CheckOptions
{
    /// <summary>Whether stored content is read, all of it unless one of the others says how much.</summary>
    public bool ReadData { get; init; }

    /// <summary>The share of the stored data to read; null for another measure.</summary>
    public double? Share { get; init; }

    /// <summary>So many bytes of it; null for another measure.</summary>
    public long? Bytes { get; init; }

    /// <summary>One of so many fixed parts of it; null for another measure.</summary>
    public (int Number, int Count)? Part { get; init; }

    /// <summary>Whether what was verified longest ago comes first, and is recorded.</summary>
    public bool Rolling { get; init; }

    /// <summary>How long ago everything must have been verified at most.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>What to repair with; null to change nothing.</summary>
    public RepairOptions? Repair { get; init; }

    /// <summary>How long reading may take; null for as long as it does.</summary>
    public TimeSpan? MaxTime { get; init; }
}

/// <summary><c>holdfast check</c>: looks for damage in a vault.</summary>
internal static class CheckCommand
{
    private const int MaxParts = 65_536;

    public static VerbCommand Create()
    {
        Option<bool> all = Flag("--read-data", "read and verify every stored byte");
        Option<string?> subset = One("--read-data-subset", "PART", "read and verify a part: 5% or 10G, others each time; or 3/7, the third of seven fixed parts");
        Option<bool> rolling = Flag("--rolling", "read first what was verified longest ago, and record what was verified when");
        Option<string?> maxAge = One("--max-age", "SPAN", "with --rolling: everything must have been verified so long ago at most (default: 30d)");
        Option<string?> maxTime = One("--max-time", "SPAN", "stop reading data after so long, such as 90m");

        Option<bool> repair = Flag("--repair", "make good what is damaged, as \"holdfast repair\" does");
        Option<string?> from = One("--from", "URL", "with --repair: bring lost content back from this vault");
        Option<string?> fromPassword = One("--from-password-file", "FILE", "its password, where it is another");

        return new VerbCommand("check", "look for damage in the vault")
        {
            IsWork = true,
            Details =
            [
                "Verifies that every restore point is whole: its trees, the index and that every pack is there. With " +
                "--read-data the content of the packs too, past every cache of this machine. Names what is damaged and which points and files it affects; the " +
                "exit code is then 13. What is found broken in content is recorded, so that the next backup stores it anew where the source still has it.",
                "With --rolling each run goes on where the last one stopped, whichever machine it ran on; --read-data-subset (5% or 10G) or --max-time says how much one run reads. The exit code is 14 when " +
                "something was verified, or stored, longer ago than --max-age.",
            ],
            Examples =
            [
                new("holdfast check", "verify the structure"),
                new("holdfast check --read-data-subset 5%", "and a twentieth of the data"),
                new("holdfast check --rolling --max-age 30d --max-time 2h", "every night: all data within a month"),
            ],
        }.With(all, subset, rolling, maxAge, maxTime, repair, from, fromPassword)
        .Does(
            (parse, _) => Read(parse.GetValue(all), parse.GetValue(subset), new CheckOptions
            {
                Rolling = parse.GetValue(rolling),
                MaxAge = parse.GetValue(maxAge) is { } age ? DurationText.Parse(age, maxAge.Name) : null,
                MaxTime = parse.GetValue(maxTime) is { } time ? DurationText.Parse(time, maxTime.Name) : null,
                Repair = ReadRepair(parse.GetValue(repair), parse.GetValue(all), parse.GetValue(from), parse.GetValue(fromPassword)),
            }),
            RunAsync);
    }

    private static CheckOptions Read(bool all, string? subset, CheckOptions options)
    {
        const string flag = "--read-data-subset";
        if (all && subset is not null) throw UsageError.Of($"--read-data and {flag}: choose one");
        options = options with { ReadData = all || subset is not null || options.Rolling };
        if (subset is not null)
        {
            options = subset.Contains('/', StringComparison.Ordinal) ? options with { Part = ParsePart(subset, flag) }
                : subset.EndsWith('%') ? options with { Share = PercentText.Parse(subset, flag) }
                : options with { Bytes = ParseSize(subset, flag) };
        }

        if (options.Rolling && options.Part is not null) throw UsageError.Of($"--rolling and {flag} {subset}: the parts would be read in their own order", "give 5% or 10G instead");
        if (options.MaxAge is not null && !options.Rolling) throw UsageError.Of("--max-age has no meaning without --rolling", "leave it out");
        if (options.MaxTime is not null && !options.ReadData) throw UsageError.Of("--max-time has no meaning where no data is read", "give --read-data or --rolling");
        if (options.Repair is not null && (options.Rolling || subset is not null || options.MaxTime is not null))
        {
            throw UsageError.Of("--repair: what is repaired is looked for in all of the vault", "give it alone, or with --read-data");
        }

        return options;
    }

    private static RepairOptions? ReadRepair(bool repairs, bool readsData, string? from, string? fromPasswordFile)
    {
        if (repairs) return RepairCommand.Validate(new RepairOptions { ReadData = readsData, From = from, FromPasswordFile = fromPasswordFile });
        if (from is not null) throw UsageError.Of("--from has no meaning without --repair", "leave it out");
        if (fromPasswordFile is not null) throw UsageError.Of("--from-password-file has no meaning without --repair", "leave it out");
        return null;
    }

    private static long ParseSize(string text, string flag) =>
        SizeText.TryParse(text, out long bytes) && bytes > 0
            ? bytes
            : throw UsageError.Of($"{flag}: '{text}' is neither a percentage, nor a size, nor a part", "write 5%, 10G or 3/7");

    private static (int Number, int Count) ParsePart(string text, string flag)
    {
        string[] numbers = text.Split('/');
        if (numbers.Length != 2) throw UsageError.Of($"{flag}: '{text}' is no part", "write 3/7 for the third of seven");
        int count = NumberText.Parse(numbers[1], flag, 1, MaxParts);
        return (NumberText.Parse(numbers[0], flag, 1, count), count);
    }

    private static async Task<int> RunAsync(CheckOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        if (options.Repair is { } repair) return await RepairCommand.RunAsync(repair, context, cancellationToken).ConfigureAwait(false);
        long started = context.Clock.GetTimestamp();
        using OpenVault vault = await context.OpenVaultAsync(options.ReadData ? VaultUse.ReadData : VaultUse.ReadTrees, cancellationToken).ConfigureAwait(false);
        var request = new CheckRequest
        {
            ReadData = options.ReadData,
            Subset = options.Share,
            MaxBytes = options.Bytes,
            Part = options.Part,
            MaxTime = options.MaxTime,
            Rolling = options.Rolling,
            RecordsDamage = options.ReadData,
            Workers = context.Workers,
            TableBytes = context.TableBytes,
            // What is damaged the report names, with what it affects.
            OnNotice = notice =>
            {
                if (!notice.IsError) context.Tell(notice);
            },
        };
        if (options.MaxAge is { } age) request = request with { MaxAge = age };
        CheckReport report;
        using (context.Output.ShowProgress(request.Progress))
        {
            report = await CheckRun.RunAsync(vault, request, cancellationToken).ConfigureAwait(false);
        }

        CheckResult.Write(context.Output, report, context.Clock.GetElapsedTime(started));
        if (report.Damages.Count > 0) return CheckResult.CodeOf(report);
        return report.PacksOverdue > 0 ? ExitCodes.Of(ErrorKind.Unverified) : ExitCodes.Done;
    }
}
