using System.CommandLine;
using Holdfast.Cli.Output;
using Holdfast.Databases;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Db;

/// <summary>What <c>db checkpoint</c> is asked for.</summary>
/// <param name="Database">The database.</param>
/// <param name="Target">Absolute path of the copy.</param>
/// <param name="Options">How.</param>
internal sealed record DbCheckpointOptions(DatabaseAddress Database, string Target, CheckpointOptions Options);

/// <summary><c>holdfast db checkpoint</c>: a consistent copy of a database that may be in use.</summary>
internal static class DbCheckpointCommand
{
    public static VerbCommand Create()
    {
        Argument<string> database = DbArguments.Database();
        var target = new Argument<string>("TARGET") { Description = "what to make: a directory, of SQLite a file" };
        Option<bool> replace = Flag("--replace", "replace a database that is there, once the copy is complete");
        Option<bool> noFlush = DbArguments.NoFlush();
        Option<bool> noVerify = Flag("--no-verify", "do not have the engine check the copy");
        Option<bool> all = Flag("--verify-all", "read and check also what an earlier checkpoint had");
        Option<string?> limit = DbArguments.Limit();
        return new VerbCommand("checkpoint", "make a consistent copy of a database that may be in use")
        {
            Synopsis = "ENGINE:PATH TARGET",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "Complete and durable when the command returns; until then nothing has the name TARGET, or what had it before. Files that never " +
                "change are linked where TARGET lies on the same file system, so a copy takes hardly any space or time; others are copied.",
                "The copy is checked before it gets its name: of files that never change, those that are new since the last checkpoint.",
                DbArguments.Help,
            ],
            Examples =
            [
                new("holdfast db checkpoint rocksdb:/srv/index /srv/index.friday", "keep it as it is now"),
                new("holdfast db checkpoint sqlite:/var/lib/app/app.db /tmp/app.db --replace", "a copy to look into"),
            ],
        }.With(database, target, replace, noFlush, noVerify, all, limit)
        .Does(
            (parse, _) => new DbCheckpointOptions(
                DbArguments.Read(parse.One(database)), DbArguments.ReadPath(parse.One(target), "TARGET"),
                new CheckpointOptions
                {
                    Capture = DbArguments.ReadCapture(parse, noFlush, limit),
                    Replace = parse.GetValue(replace),
                    Verify = !parse.GetValue(noVerify),
                    ReadAll = parse.GetValue(all),
                }),
            RunAsync);
    }

    private static Task<int> RunAsync(DbCheckpointOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        ICheckpointSource source = DbContext.Find(options.Database);
        var progress = new WorkProgress();
        CheckpointManifest manifest;
        using (CopyProgress.Show(context.Output, progress))
        {
            CheckpointOptions shown = CopyProgress.In(context.Output, progress, options.Options);
            manifest = DbContext.Checkpointer(context).Checkpoint(source, options.Target, shown, cancellationToken);
        }

        DbContext.TellWay(context, manifest);
        context.Output.SummaryLine($"checkpoint {context.Output.Shown(options.Target)} of {context.Output.Shown(options.Database.ToString())}");
        DbReport.Write(context.Output, manifest);
        context.Output.Record("summary", (options.Target, manifest), static (writer, done) =>
        {
            JsonNames.WriteName(writer, "target", "targetBase64", done.Target);
            DbReport.WriteJson(writer, done.manifest, withFiles: true);
            writer.WriteNumber("seconds", Math.Round(done.manifest.Duration.TotalSeconds, 3));
        });
        return Task.FromResult(ExitCodes.Done);
    }
}
