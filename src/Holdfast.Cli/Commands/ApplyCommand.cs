using System.CommandLine;
using System.Globalization;
using Holdfast.Cli.Commands.Restore;
using Holdfast.Cli.Output;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>apply</c> is asked for.</summary>
/// <param name="File">What <c>export</c> wrote; <c>-</c> is standard input.</param>
/// <param name="Target">The directory to change.</param>
/// <param name="DryRun">Write nothing, say what would be done.</param>
internal sealed record ApplyOptions(string File, string Target, bool DryRun);

/// <summary><c>holdfast apply</c>: brings a directory to the state of an exported restore point.</summary>
internal static class ApplyCommand
{
    public static VerbCommand Create()
    {
        var file = new Argument<string>("FILE") { Description = "what \"holdfast export\" wrote (- is standard input)" };
        Option<string?> to = One("--to", "DIR", "the directory to change (required)", "-t");
        Option<bool> dryRun = Flag("--dry-run", "write nothing; say what would be done", "-n");
        to.Required = true;

        return new VerbCommand("apply", "bring a directory to the state of an exported restore point")
        {
            IsWork = true,
            Synopsis = "FILE --to DIR",
            Needs = Needs.Password | Needs.Budgets,
            Details =
            [
                "Needs no vault, but the password that opened it when the file was written. Differences (export --since) apply to a directory that is in the state of the older point; " +
                "one that is not is refused before anything is changed.",
            ],
            Examples =
            [
                new("holdfast apply site.hfx --to /srv/site", "everything"),
                new("holdfast apply changes.hfx --to /srv/site --dry-run", "see first what would change"),
            ],
        }.With(file, to, dryRun)
        .Does(
            (parse, _) => new ApplyOptions(
                parse.One(file) is { Length: > 0 } path ? path : throw UsageError.Of("FILE is empty"),
                parse.GetValue(to) is { Length: > 0 } target ? target : throw UsageError.Of("--to: the name is empty"),
                parse.GetValue(dryRun)),
            RunAsync);
    }

    private static async Task<int> RunAsync(ApplyOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        long started = context.Clock.GetTimestamp();
        FileStream input = await ApplyInput.OpenAsync(options.File, cancellationToken).ConfigureAwait(false);
        await using (input.ConfigureAwait(false))
        {
            using Password password = await context.GetPasswordOfAsync(options.File, cancellationToken).ConfigureAwait(false);
            using var secret = new VaultSecret(password.Bytes.Span);
            using RestoreTarget target = RestoreTarget.Open(options.Target, options.DryRun);
            var request = new ApplyRequest
            {
                Name = options.File,
                DryRun = options.DryRun,
                KeepOwners = Environment.IsPrivilegedProcess,
                Owners = new OwnerNames(),
                OnNotice = context.Tell,
                OnChange = context.Output.Verbose ? context.Tell : null,
            };
            ApplySummary summary;
            using (context.Output.ShowProgress(request.Progress))
            {
                summary = await ApplyRun.RunAsync(input, secret, target.Tree, request, cancellationToken).ConfigureAwait(false);
            }

            Report(context, options, summary, context.Clock.GetElapsedTime(started));
            return summary.Errors > 0 ? ExitCodes.Of(ErrorKind.Incomplete) : ExitCodes.Done;
        }
    }

    private static void Report(CommandContext context, ApplyOptions options, ApplySummary summary, TimeSpan elapsed)
    {
        CommandOutput output = context.Output;
        string what = $"{summary.Point.ToShortString()} of {summary.Host}, {TimeText.Show(summary.Time, output.Zone)}";
        output.SummaryLine(options.DryRun
            ? $"nothing was written; {output.Shown(options.Target)} would become {what}"
            : $"{output.Shown(options.Target)} is now {what}");
        output.SummaryLine(string.Create(
            CultureInfo.InvariantCulture,
            $"paths: {summary.Added:N0} added, {summary.Modified:N0} modified, {summary.Deleted:N0} deleted, {summary.AlreadyApplied:N0} as they should be"));
        if (!options.DryRun) output.SummaryLine($"wrote {SizeText.Show(summary.BytesWritten)} in {TimeText.ShowTaken(elapsed)}");
        output.Record("summary", (summary, elapsed), static (writer, report) =>
        {
            writer.WriteString("point", report.summary.Point.ToString());
            writer.WriteString("base", report.summary.Base?.ToString());
            writer.WriteNumber("added", report.summary.Added);
            writer.WriteNumber("modified", report.summary.Modified);
            writer.WriteNumber("deleted", report.summary.Deleted);
            writer.WriteNumber("alreadyApplied", report.summary.AlreadyApplied);
            writer.WriteNumber("bytesWritten", report.summary.BytesWritten);
            writer.WriteNumber("errors", report.summary.Errors);
            writer.WriteNumber("seconds", Math.Round(report.elapsed.TotalSeconds, 3));
        });
    }
}
