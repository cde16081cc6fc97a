using System.CommandLine;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Db;

/// <summary>What <c>db points</c> is asked for.</summary>
/// <param name="Filter">Which points.</param>
internal sealed record DbPointsOptions(PointFilter Filter);

/// <summary><c>holdfast db points</c>: lists restore points of databases.</summary>
internal static class DbPointsCommand
{
    public static VerbCommand Create()
    {
        (Option<string?> host, Option<string?> path, Option<string[]> tags) = PointFilter.Options("only points of");
        return new VerbCommand("points", "list restore points of databases")
        {
            Details = ["Lists the restore points that were made by \"db backup\", oldest first, with the engine's number of the last change in each."],
            Examples = [new("holdfast db points --path /srv/index", "those of one database")],
        }.With(host, path, tags)
        .Does((parse, _) => new DbPointsOptions(PointFilter.Read(parse, host, path, tags)), RunAsync);
    }

    private static async Task<int> RunAsync(DbPointsOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.SeePoints, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        Write(context.Output, [.. points.Where(point => point.Database is not null && options.Filter.Passes(point))]);
        return context.EndWith(vault, DamageReach.Result);
    }

    private static void Write(CommandOutput output, IReadOnlyList<RestorePoint> points)
    {
        if (output.Json)
        {
            var list = new PointList(output, withChanges: false);
            foreach (RestorePoint point in points) list.Add(point, changes: null);
            list.End();
            return;
        }

        var table = new Table(
        [
            ("Id", Align.Left), ("Time", Align.Left), ("Host", Align.Left), ("Engine", Align.Left), ("Path", Align.Left), ("Sequence", Align.Right), ("Size", Align.Right),
            ("Verified", Align.Left), ("Tags", Align.Left),
        ]);
        foreach (RestorePoint point in points)
        {
            PointDatabase database = point.Database!;
            table.Add(
                point.Id.ToShortString(), TimeText.Show(point.EffectiveTime, output.Zone), point.Host, database.Engine,
                string.Join(' ', point.Roots.Select(static root => SurrogateEscape.Decode(root.Span))), FormattableString.Invariant($"{database.Sequence}"),
                SizeText.Show(point.Counts.Bytes), Name(database.Verified), PointList.TagsOf(point, output.Zone));
        }

        if (table.Count > 0) table.WriteTo(output);
        else output.SummaryLine("no restore points of databases");
    }

    private static string Name(CheckDepth depth) => depth switch
    {
        CheckDepth.All => "all",
        CheckDepth.New => "what was new",
        _ => "no",
    };
}
