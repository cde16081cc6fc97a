using System.CommandLine;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Databases;
using Holdfast.Files;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Db;

/// <summary>What <c>db restore</c> is asked for.</summary>
/// <param name="Point">Which point.</param>
/// <param name="Target">Absolute path of what is made.</param>
/// <param name="Replace">Whether a database that is there may go.</param>
internal sealed record DbRestoreOptions(PointSelector Point, string Target, bool Replace);

/// <summary><c>holdfast db restore</c>: brings a database back.</summary>
internal static class DbRestoreCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT") { Description = "the restore point", Arity = ArgumentArity.ZeroOrMore };
        Option<string?> at = At();
        Option<string?> to = One("--to", "PATH", "what to make: a directory, of SQLite a file (required)", "-t");
        Option<bool> replace = Flag("--replace", "replace a database that is there and that nobody has open");
        to.Required = true;
        return new VerbCommand("restore", "bring a database back as it was at a restore point")
        {
            IsWork = true,
            Synopsis = "POINT --to PATH",
            Details =
            [
                "Restores beside PATH, has the engine read all of it, and then gives it its name: until then nothing is at PATH, or what was there " +
                "before. POINT is as for \"restore\", among points of databases only.",
                PointHelp.Points,
                PointHelp.Times,
            ],
            Examples =
            [
                new("holdfast db restore latest --to /srv/index.back", "the newest"),
                new("holdfast db restore --at 2026-11-20T09:00 --to /srv/index --replace", "in the place of the one that is there"),
            ],
        }.With(words, at, to, replace)
        .Does(
            (parse, clock) =>
            {
                (PointSelector point, IReadOnlyList<string> rest) = PointHelp.Take(parse, words, at, clock);
                PointHelp.None(rest);
                return new DbRestoreOptions(point, DbArguments.ReadPath(parse.GetValue(to) ?? "", to.Name), parse.GetValue(replace));
            },
            RunAsync);
    }

    private static async Task<int> RunAsync(DbRestoreOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.ReadData, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<RestorePoint> databases = options.Point.IsById ? points : [.. points.Where(static point => point.Database is not null)];
        RestorePoint point = PointFinder.Find(vault, databases, options.Point);
        var progress = new WorkProgress();
        DatabaseRestoreSummary summary;
        using (context.Output.ShowProgress(progress))
        {
            summary = await DatabaseRestore.RunAsync(
                context.Host, vault, point, options.Target, options.Replace, tree => RequestOf(tree, context, progress), cancellationToken).ConfigureAwait(false);
        }

        int code = context.EndWith(vault, options.Point);
        Write(context.Output, point, options.Target, summary, context.Clock.GetElapsedTime(started));
        return code;
    }

    private static RestoreRequest RequestOf(IFileTree target, CommandContext context, WorkProgress progress) => new()
    {
        Target = target,
        KeepOwners = Environment.IsPrivilegedProcess,
        Owners = new OwnerNames(),
        Workers = context.Workers,
        OnNotice = context.Tell,
        Progress = progress,
    };

    private static void Write(CommandOutput output, RestorePoint point, string target, DatabaseRestoreSummary summary, TimeSpan elapsed)
    {
        if (summary.Check.Limits is { } limits) output.Notice(limits);
        output.SummaryLine($"restored {point.Id.ToShortString()} ({point.Database!.Engine}) to {output.Shown(target)}");
        output.SummaryLine($"wrote {SizeText.Show(summary.Restore.BytesWritten)} in {TimeText.ShowTaken(elapsed)}; the engine found it whole");
        output.Record("summary", (point, target, summary, elapsed), static (writer, done) =>
        {
            writer.WriteString("point", done.point.Id.ToString());
            writer.WriteString("engine", done.point.Database!.Engine);
            JsonNames.WriteName(writer, "target", "targetBase64", done.target);
            writer.WriteNumber("files", done.summary.Restore.FilesAdded);
            writer.WriteNumber("bytesWritten", done.summary.Restore.BytesWritten);
            writer.WriteString("limits", done.summary.Check.Limits);
            writer.WriteNumber("seconds", Math.Round(done.elapsed.TotalSeconds, 3));
        });
    }
}
