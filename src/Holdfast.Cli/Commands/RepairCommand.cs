using System.CommandLine;
using Holdfast.Cli.Commands.Check;
using Holdfast.Cli.Commands.Repair;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>repair</c> is asked for.</summary>
internal sealed record RepairOptions
{
    /// <summary>Whether all content is read.</summary>
    public bool ReadData { get; init; }

    /// <summary>The vault to take from; null for none.</summary>
    public string? From { get; init; }

    /// <summary>Holds its password; null where that is the same.</summary>
    public string? FromPasswordFile { get; init; }

    /// <summary>Whether the files that were backed up are looked into.</summary>
    public bool Source { get; init; }

    /// <summary>Whether points and marks that cannot be read are put away.</summary>
    public bool DropUnreadable { get; init; }

    /// <summary>Whether points are written anew without what is lost.</summary>
    public bool RewritePoints { get; init; }

    /// <summary>Whether nothing is written.</summary>
    public bool DryRun { get; init; }
}

/// <summary><c>holdfast repair</c>: makes good what is damaged in a vault, as far as it can be.</summary>
internal static class RepairCommand
{
    /// <summary>What comes back may lead to more that is lost; each round finds less.</summary>
    private const int MaxRounds = 8;

    public static VerbCommand Create()
    {
        Option<bool> readData = Flag("--read-data", "read every stored byte to find what has rotted");
        Option<string?> from = One("--from", "URL", "bring lost content back from this vault: a copy, or any other with the same files");
        Option<string?> fromPassword = One("--from-password-file", "FILE", "its password, where it is another");
        Option<bool> source = Flag("--source", "bring lost content back from the files that were backed up, where they still have it");
        Option<bool> drop = Flag("--drop-unreadable", "put restore points and marks into quarantine that cannot be read");
        Option<bool> rewrite = Flag("--rewrite-points", "write restore points anew without what stays lost, and forget the old ones");
        Option<bool> dryRun = Flag("--dry-run", "change nothing; say what is damaged and what would be done", "-n");

        return new VerbCommand("repair", "make good what is damaged in the vault")
        {
            IsWork = true,
            Details =
            [
                "Looks for damage as \"holdfast check\" does, says what can be done about it, and does it: lists packs anew whose index is lost, writes lists anew of what " +
                "points need, saves what is intact in damaged packs, and brings back what is lost from where --from and --source allow. What is damaged goes to the vault's " +
                "directory quarantine/; nothing is removed before what replaces it is safe.",
                "When something stays damaged or lost, it is named, and the exit code is 13. With --rewrite-points the points are then written anew without it: with the same time, " +
                "host and tags, by the admin's key only.",
                "Cut off at any moment, it leaves nothing worse; run it again.",
            ],
            Examples =
            [
                new("holdfast repair --read-data --dry-run", "what is damaged, and what would be done"),
                new("holdfast repair --read-data --from /mnt/copy --source", "with all that may help"),
            ],
        }.With(readData, from, fromPassword, source, drop, rewrite, dryRun)
        .Does(
            (parse, _) => Validate(new RepairOptions
            {
                ReadData = parse.GetValue(readData),
                From = parse.GetValue(from),
                FromPasswordFile = parse.GetValue(fromPassword),
                Source = parse.GetValue(source),
                DropUnreadable = parse.GetValue(drop),
                RewritePoints = parse.GetValue(rewrite),
                DryRun = parse.GetValue(dryRun),
            }),
            RunAsync);
    }

    /// <summary>Refuses what does not go together.</summary>
    /// <exception cref="HoldfastException">Kind Usage.</exception>
    public static RepairOptions Validate(RepairOptions options)
    {
        if (options.From is { Length: 0 }) throw UsageError.Of("--from: the address is empty");
        if (options.FromPasswordFile is not null && options.From is null) throw UsageError.Of("--from-password-file has no meaning without --from", "leave it out");
        return options;
    }

    /// <summary>Repairs.</summary>
    public static async Task<int> RunAsync(RepairOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        using VaultSecret secret = await context.GetSecretForRepairAsync(cancellationToken).ConfigureAwait(false);
        using OpenVault? from = options.From is null
            ? null
            : await context.OpenOtherAsync(options.From, options.FromPasswordFile, cancellationToken).ConfigureAwait(false);
        var report = new RepairReport(context.Output);
        RepairPlan plan;
        for (int round = 0; ; round++)
        {
            // A repair changes what is found where: each round sees the vault anew.
            using OpenVault vault = await context.OpenForRepairAsync(secret, from, cancellationToken).ConfigureAwait(false);
            RepairRequest request = RequestOf(options, context, from);
            using (context.Output.ShowProgress(request.Progress))
            {
                plan = await RepairRun.PlanAsync(vault, request, cancellationToken).ConfigureAwait(false);
            }

            report.WritePlan(plan, isFirst: round == 0);
            if (options.DryRun || plan.Steps.Count == 0 || round == MaxRounds) break;
            report.Add(await RepairRun.ApplyAsync(vault, plan, request with { OnNotice = context.Tell }, cancellationToken).ConfigureAwait(false));
        }

        report.WriteEnd(plan, options.DryRun, context.Clock.GetElapsedTime(started));
        return CheckResult.CodeOf(plan.Report);
    }

    private static RepairRequest RequestOf(RepairOptions options, CommandContext context, OpenVault? from) => new()
    {
        ReadData = options.ReadData,
        From = from,
        ReadsSource = options.Source,
        DropsUnreadable = options.DropUnreadable,
        RewritesPoints = options.RewritePoints,
        Host = Environment.MachineName,
        Workers = context.Workers,
        TableBytes = context.TableBytes,
    };
}
