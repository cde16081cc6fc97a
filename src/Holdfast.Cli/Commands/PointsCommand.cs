using System.CommandLine;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>points</c> is asked for.</summary>
/// <param name="Filter">Which points are shown.</param>
/// <param name="Changes">Show what each point changed.</param>
/// <param name="Last">Only so many newest points of each source; null for all.</param>
internal sealed record PointsOptions(PointFilter Filter, bool Changes, int? Last);

/// <summary><c>holdfast points</c>: lists restore points.</summary>
internal static class PointsCommand
{
    public static VerbCommand Create()
    {
        (Option<string?> host, Option<string?> path, Option<string[]> tags) = PointFilter.Options("only points of");
        Option<bool> changes = Flag("--changes", "show how many files each point added, changed and deleted");
        Option<string?> last = One("--last", "N", "only the newest N points of each source");

        var verb = new VerbCommand("points", "list restore points")
        {
            Details = ["Lists the restore points of the vault, oldest first. Other verbs take the id shown, or the beginning of it."],
            Examples =
            [
                new("holdfast points", "list all points"),
                new("holdfast points --host web1 --last 3 --changes", "the newest three of a host, with what they changed"),
                new("holdfast points --json", "the same for a program"),
            ],
        }.With(host, path, tags, changes, last)
        .Does(
            (parse, _) => new PointsOptions(
                PointFilter.Read(parse, host, path, tags),
                parse.GetValue(changes),
                parse.GetValue(last) is { } count ? NumberText.Parse(count, last.Name, 1, int.MaxValue) : null),
            RunAsync);
        verb.Aliases.Add("snapshots");
        return verb;
    }

    private static async Task<int> RunAsync(PointsOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(options.Changes ? VaultUse.ReadTrees : VaultUse.SeePoints, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        var list = new PointList(context.Output, options.Changes);
        foreach (RestorePoint point in Select(points, options))
        {
            PointChanges? changes = options.Changes
                ? await PointChanges.ReadAsync(vault, point, cancellationToken).ConfigureAwait(false)
                : null;
            list.Add(point, changes);
        }

        list.End();

        // A point that cannot be read is missing in the list: that must not look like success.
        return context.EndWith(vault, DamageReach.Result);
    }

    private static IEnumerable<RestorePoint> Select(IReadOnlyList<RestorePoint> points, PointsOptions options)
    {
        IEnumerable<RestorePoint> selected = points.Where(options.Filter.Passes);
        if (options.Last is not { } last) return selected;
        var newest = selected.GroupBy(static point => point.Source).SelectMany(source => source.TakeLast(last)).ToHashSet();
        return points.Where(newest.Contains);
    }
}
