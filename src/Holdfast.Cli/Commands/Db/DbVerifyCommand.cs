using System.CommandLine;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Databases;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Db;

/// <summary>What <c>db verify</c> is asked for.</summary>
/// <param name="Database">The database or checkpoint.</param>
/// <param name="Capture">How the copy is taken that is verified.</param>
/// <param name="Staging">Where it lies meanwhile.</param>
internal sealed record DbVerifyOptions(DatabaseAddress Database, CaptureOptions Capture, string? Staging);

/// <summary><c>holdfast db verify</c>: reads a database or checkpoint whole.</summary>
internal static class DbVerifyCommand
{
    public static VerbCommand Create()
    {
        Argument<string> database = DbArguments.Database();
        Option<bool> noFlush = DbArguments.NoFlush();
        Option<string?> limit = DbArguments.Limit();
        Option<string?> staging = DbArguments.Staging();
        return new VerbCommand("verify", "look for damage in a database, live or not, or in a checkpoint")
        {
            Synopsis = "ENGINE:PATH",
            Needs = Needs.None,
            IsWork = true,
            Details =
            [
                "Takes a copy, reads it whole, has the engine check it, and removes it; the database itself is never written to. A checkpoint " +
                "is also compared with its manifest. What is damaged is named; the exit code is then 13.",
                DbArguments.Help,
            ],
            Examples = [new("holdfast db verify rocksdb:/srv/index", "every byte of it, also while it is used")],
        }.With(database, noFlush, limit, staging)
        .Does(
            (parse, _) => new DbVerifyOptions(
                DbArguments.Read(parse.One(database)), DbArguments.ReadCapture(parse, noFlush, limit),
                parse.GetValue(staging) is { } directory ? DbArguments.ReadPath(directory, staging.Name) : null),
            RunAsync);
    }

    private static Task<int> RunAsync(DbVerifyOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        ICheckpointSource source = DbContext.Find(options.Database);
        var progress = new WorkProgress();
        DatabaseVerification found;
        using (CopyProgress.Show(context.Output, progress))
        {
            found = DatabaseVerifier.Verify(
                context.Host, source, options.Staging, CopyProgress.In(context.Output, progress, options.Capture), cancellationToken);
        }

        DbContext.TellWay(context, found.Checkpoint);
        Write(context.Output, found, context.Clock.GetElapsedTime(started));
        return Task.FromResult(found.Problems.Count == 0 ? ExitCodes.Done : ExitCodes.Of(ErrorKind.Damage));
    }

    private static void Write(CommandOutput output, DatabaseVerification found, TimeSpan elapsed)
    {
        if (found.Limits is { } limits) output.Notice(limits);
        if (found.ChangedSince) output.Notice("a program opened the checkpoint since it was made: only files that never change are compared with its manifest");
        foreach (string problem in found.Problems)
        {
            output.Line($"damaged: {output.Shown(problem)}");
            output.Record("damage", problem, static (writer, text) => JsonNames.WriteText(writer, "message", text));
        }

        CheckpointManifest checkpoint = found.Checkpoint;
        output.SummaryLine($"verified {output.Shown(checkpoint.Source.ToString())} in {TimeText.ShowTaken(elapsed)}, {SizeText.Show(checkpoint.Bytes)} read");
        output.SummaryLine(found.Problems.Count switch
        {
            0 => "no damage found",
            1 => "1 thing is damaged: see above",
            var count => FormattableString.Invariant($"{count:N0} things are damaged: see above"),
        });
        output.Record("summary", (found, elapsed), static (writer, done) =>
        {
            writer.WriteNumber("damages", done.found.Problems.Count);
            writer.WriteBoolean("changedSince", done.found.ChangedSince);
            writer.WriteString("limits", done.found.Limits);
            DbReport.WriteJson(writer, done.found.Checkpoint, withFiles: false);
            writer.WriteNumber("seconds", Math.Round(done.elapsed.TotalSeconds, 3));
        });
    }
}
