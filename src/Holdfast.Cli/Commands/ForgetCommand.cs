using System.CommandLine;
using Holdfast.Cli.Commands.Forget;
using Holdfast.Cli.Commands.Prune;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>forget</c> is asked for.</summary>
internal sealed record ForgetOptions
{
    /// <summary>The points to drop; empty to go by the policy.</summary>
    public required IReadOnlyList<PointSelector> Points { get; init; }

    /// <summary>What is kept.</summary>
    public required RetentionPolicy Policy { get; init; }

    /// <summary>Which points the policy is asked about.</summary>
    public required PointFilter Filter { get; init; }

    /// <summary>What the points of a group have in common.</summary>
    public required PointGrouping Grouping { get; init; }

    /// <summary>Whose calendar counts; null for the local zone.</summary>
    public required TimeZoneInfo? Zone { get; init; }

    /// <summary>Whether a group may lose all of its points.</summary>
    public required bool AllowsEmptyGroups { get; init; }

    /// <summary>Whether nothing is changed.</summary>
    public required bool DryRun { get; init; }

    /// <summary>Whether what comes free is pruned.</summary>
    public required bool Prunes { get; init; }
}

/// <summary><c>holdfast forget</c>: drops restore points.</summary>
internal static class ForgetCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT") { Description = "drop these points (default: those that the policy does not keep)", Arity = ArgumentArity.ZeroOrMore };
        var keep = new RetentionFlags();
        (Option<string?> host, Option<string?> path, Option<string[]> tags) = PointFilter.Options("ask the policy only about points of");
        Option<string?> grouping = One("--group-by", "WHAT", "a group has in common: host, path, tags, or several with commas; '' for one group (default: host,path)");
        grouping.CompletionSources.Add("host,path", "host", "path", "tags");
        Option<string?> zone = One("--time-zone", "ZONE", "hours, days and so on are those of this zone, such as UTC or Europe/Berlin (default: the local one)");
        Option<bool> allow = Flag("--allow-remove-all", "let groups lose all of their points");
        Option<bool> prune = Flag("--prune", "delete afterwards what no point needs any more, as \"holdfast prune\" does");
        Option<bool> dryRun = Flag("--dry-run", "change nothing; say what would be dropped and why, and how much would come free", "-n");

        return new VerbCommand("forget", "drop restore points by a policy or by name")
        {
            IsWork = true,
            Synopsis = "[POINT…]",
            Details =
            [
                "Points of one group (by default: of one host and the same paths) compete with each other. A point is kept when any flag keeps it; " +
                "the others are dropped. While there are fewer hours, days and so on than N, the oldest point is kept too. Points on hold and points whose time lies " +
                "in the future are always kept.",
                "SPAN is years, months, weeks, days and hours such as 1y6m or 14d, back from the newest point of the group. N is a number from 1, or unlimited.",
                "A dropped point can be restored no more, but is not gone before it is pruned: until then \"holdfast undelete\" brings it back. Every other point " +
                "restores as before, also where a dropped one is its base.",
                "When a group would keep none of its points, nothing is dropped, and the exit code is 15.",
            ],
            Examples =
            [
                new("holdfast forget --keep-last 3 --keep-daily 14 --keep-monthly 12 --dry-run", "what a policy would drop, and why"),
                new("holdfast forget --keep-within 7d --keep-within-weekly 6m --keep-tag release", "all of a week, one a week of six months, and all releases"),
                new("holdfast forget 3f9a 77d0", "drop two points"),
            ],
        }.With([words, .. keep.All, grouping, host, path, tags, zone, allow, prune, dryRun])
        .Does(
            (parse, _) => Validate(new ForgetOptions
            {
                Points = [.. parse.All(words).Select(static word => new PointSelector(word, null))],
                Policy = keep.Read(parse),
                Filter = PointFilter.Read(parse, host, path, tags),
                Grouping = parse.GetValue(grouping) is { } text ? ParseGrouping(text) : PointGrouping.Source,
                Zone = parse.GetValue(zone) is { } name ? ZoneText.Parse("--time-zone", name) : null,
                AllowsEmptyGroups = parse.GetValue(allow),
                DryRun = parse.GetValue(dryRun),
                Prunes = parse.GetValue(prune),
            }),
            RunAsync);
    }

    private static ForgetOptions Validate(ForgetOptions options)
    {
        bool hasPolicy = !options.Policy.IsEmpty;
        if (options.Points.Count == 0 && !hasPolicy) throw UsageError.Of("forget: nothing says what to keep or to drop", "give --keep-… flags, or name points");
        if (options.Points.Count > 0 && (hasPolicy || !options.Filter.IsEmpty))
        {
            throw UsageError.Of("forget: points are named, and a policy or a choice is given", "give one of the two");
        }

        return options;
    }

    private static async Task<int> RunAsync(ForgetOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        using OpenVault vault = await context.OpenVaultAsync(options.DryRun ? VaultUse.SeePoints : VaultUse.MarkPoints, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = options.Points.Count == 0 ? [] : await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        var request = new ForgetRequest
        {
            Points = [.. options.Points.Select(point => PointFinder.Find(vault, points, point).Id)],
            Policy = options.Policy,
            Selects = options.Filter.IsEmpty ? null : options.Filter.Passes,
            Grouping = options.Grouping,
            Zone = options.Zone ?? context.Clock.LocalTimeZone,
            // A dry run shows the plan that it then refuses.
            AllowsEmptyGroups = options.AllowsEmptyGroups || options.DryRun,
            MeasuresSpace = options.DryRun,
        };
        ForgetPlan plan = options.DryRun
            ? await ForgetRun.PlanAsync(vault, request, cancellationToken).ConfigureAwait(false)
            : await ForgetRun.RunAsync(vault, request, cancellationToken).ConfigureAwait(false);
        new ForgetReport(context.Output, options.DryRun).Write(plan, context.Clock.GetElapsedTime(started));
        if (!options.AllowsEmptyGroups && options.DryRun) plan.ThrowIfAnyLosesAll();
        if (options.Points.Count == 0 && plan.Groups.Count == 0 && !options.Filter.IsEmpty)
        {
            context.Output.Notice("no restore point fits --host, --path and --tag: the policy was asked about none");
        }

        if (options.Prunes && !options.DryRun)
        {
            var prune = new PruneRequest();
            PruneSummary done;
            using (context.Output.ShowProgress(prune.Progress)) done = await PruneRun.RunAsync(vault, prune, cancellationToken).ConfigureAwait(false);
            PruneReport.Write(context.Output, done);
        }

        // A point that cannot be read was not asked about, and is still there.
        return context.EndWith(vault, DamageReach.Result);
    }

    private static PointGrouping ParseGrouping(string text)
    {
        PointGrouping grouping = PointGrouping.None;
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            grouping |= part switch
            {
                "host" or "hosts" => PointGrouping.Host,
                "path" or "paths" => PointGrouping.Path,
                "tag" or "tags" => PointGrouping.Tags,
                _ => throw UsageError.Of($"--group-by: '{part}' is nothing that points have in common", "write host, path, tags, or several with commas"),
            };
        }

        return grouping;
    }
}
