using System.CommandLine;
using Holdfast.Cli.Commands.Stats;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>By what a vault is shared out.</summary>
internal enum StatsBy
{
    /// <summary>Not at all.</summary>
    Nothing,

    /// <summary>By host and roots.</summary>
    Source,

    /// <summary>By host.</summary>
    Host,

    /// <summary>Each point by itself.</summary>
    Point,

    /// <summary>By the days, weeks and so on in which points were made.</summary>
    Period,
}

/// <summary>What <c>stats</c> is asked for.</summary>
/// <param name="Point">The restore point; null for the whole vault.</param>
/// <param name="By">How the whole vault is shared out.</param>
/// <param name="Period">By what, if by periods.</param>
/// <param name="Zone">Whose days, weeks and so on; null for the local ones.</param>
internal sealed record StatsOptions(
    PointSelector? Point, StatsBy By = StatsBy.Nothing, RetentionPeriod Period = RetentionPeriod.Each, TimeZoneInfo? Zone = null);

/// <summary><c>holdfast stats</c>: shows how much a vault or a restore point holds.</summary>
internal static class StatsCommand
{
    private static readonly string[] Groupings = ["source", "host", "point", "day", "week", "month", "year"];

    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT")
        {
            Description = "restore point (default: the whole vault)",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> at = At();
        Option<string?> by = One("--by", "WHAT", $"share the vault out: {string.Join(", ", Groupings[..^1])} or {Groupings[^1]}");
        by.CompletionSources.Add(Groupings);
        Option<string?> zone = One("--time-zone", "ZONE", "days, weeks and so on are those of this zone, such as UTC or Europe/Berlin (default: the local one)");

        return new VerbCommand("stats", "show how much the vault or a restore point holds")
        {
            Synopsis = "[POINT]",
            Details =
            [
                "Shows the size of what can be restored, of what is stored for it, and how much deduplication and compression save.",
                "--by source, host or point shows for each what it refers to, and what it alone refers to: so much would come free if its points were dropped and the vault was pruned. " +
                "--by day, week, month or year shows how the vault grew: what the points of that time brought. Points that are gone are not in it.",
            ],
            Examples =
            [
                new("holdfast stats", "the whole vault"), new("holdfast stats latest", "the newest point"),
                new("holdfast stats --by source", "who takes the room"), new("holdfast stats --by month", "how it grew"),
            ],
        }.With(words, at, by, zone)
        .Does(
            (parse, clock) =>
            {
                (StatsBy grouping, RetentionPeriod period) = ParseBy(parse.GetValue(by));
                TimeZoneInfo? named = parse.GetValue(zone) is { } name ? ZoneText.Parse("--time-zone", name) : null;
                if (named is not null && grouping != StatsBy.Period) throw UsageError.Of("--time-zone: nothing is counted by days", "give --by day, week, month or year too");
                if (parse.All(words).Count == 0 && !parse.Has(at)) return new StatsOptions(null, grouping, period, named);
                if (grouping != StatsBy.Nothing) throw UsageError.Of("stats: a point is named, and --by is given", "give one of the two");
                (PointSelector point, IReadOnlyList<string> rest) = PointHelp.Take(parse, words, at, clock);
                PointHelp.None(rest);
                return new StatsOptions(point);
            },
            RunAsync);
    }

    private static (StatsBy By, RetentionPeriod Period) ParseBy(string? text) => text switch
    {
        null => (StatsBy.Nothing, RetentionPeriod.Each),
        "source" => (StatsBy.Source, RetentionPeriod.Each),
        "host" => (StatsBy.Host, RetentionPeriod.Each),
        "point" => (StatsBy.Point, RetentionPeriod.Each),
        "day" => (StatsBy.Period, RetentionPeriod.Day),
        "week" => (StatsBy.Period, RetentionPeriod.Week),
        "month" => (StatsBy.Period, RetentionPeriod.Month),
        "year" => (StatsBy.Period, RetentionPeriod.Year),
        _ => throw UsageError.Of($"--by: '{text}' is nothing to share a vault out by", $"write one of {string.Join(", ", Groupings)}"),
    };

    private static async Task<int> RunAsync(StatsOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.SeePoints, cancellationToken).ConfigureAwait(false);
        CommandOutput output = context.Output;
        if (options.Point is not null)
        {
            RestorePoint point = await PointFinder.FindAsync(vault, options.Point, cancellationToken).ConfigureAwait(false);
            StatsReport.Write(output, point, await VaultStats.OfPointAsync(vault, point, cancellationToken).ConfigureAwait(false));
        }
        else
        {
            await WriteVaultAsync(options, context, vault, cancellationToken).ConfigureAwait(false);
        }

        return context.EndWith(vault, DamageReach.Result);
    }

    private static async Task WriteVaultAsync(StatsOptions options, CommandContext context, OpenVault vault, CancellationToken cancellationToken)
    {
        CommandOutput output = context.Output;
        switch (options.By)
        {
            case StatsBy.Source:
                SharesReport.WriteSources(output, await VaultSpace.ByAsync(vault, static point => point.Source, cancellationToken).ConfigureAwait(false));
                break;
            case StatsBy.Host:
                SharesReport.WriteHosts(output, await VaultSpace.ByAsync(vault, static point => point.Host, cancellationToken).ConfigureAwait(false));
                break;
            case StatsBy.Point:
                SharesReport.WritePoints(output, await VaultSpace.ByAsync(vault, static point => point.Id, cancellationToken).ConfigureAwait(false));
                break;
            case StatsBy.Period:
                IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
                GrowthReport.Write(output, GrowthPeriod.Of(points, options.Period, options.Zone ?? context.Clock.LocalTimeZone));
                break;
            default:
                StatsReport.Write(output, await VaultStats.OfVaultAsync(vault, cancellationToken).ConfigureAwait(false));
                break;
        }
    }
}
