using System.CommandLine;
using System.Globalization;
using Holdfast.Cli.Terminals;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>export</c> is asked for.</summary>
/// <param name="Point">The restore point.</param>
/// <param name="Since">The point that the receiver has; null to export everything.</param>
/// <param name="OutputFile">Where to write; <c>-</c> is standard output.</param>
internal sealed record ExportOptions(PointSelector Point, PointSelector? Since, string OutputFile);

/// <summary><c>holdfast export</c>: writes a restore point, or what it changed, into one file.</summary>
internal static class ExportCommand
{
    public static VerbCommand Create()
    {
        var words = new Argument<string[]>("POINT") { Description = "restore point", Arity = ArgumentArity.ZeroOrMore };
        Option<string?> at = At();
        Option<string?> since = One("--since", "POINT", "only what changed since this point");
        Option<string?> file = One("--output", "FILE", "where to write (required; - is standard output)", "-o");
        file.Required = true;

        return new VerbCommand("export", "write a restore point, or what it changed, into one file")
        {
            IsWork = true,
            Synopsis = "POINT [--since POINT] -o FILE",
            Details =
            [
                "The file can be carried to a machine that cannot reach the vault and applied there with \"holdfast apply\". " +
                "With --since it holds the differences only. The file is sealed with the password that opened the vault.",
                PointHelp.Points,
            ],
            Examples =
            [
                new("holdfast export latest -o site.hfx", "everything"),
                new("holdfast export latest --since 3f9a -o changes.hfx", "what changed since a point"),
            ],
        }.With(words, at, since, file)
        .Does(
            (parse, clock) =>
            {
                (PointSelector point, IReadOnlyList<string> rest) = PointHelp.Take(parse, words, at, clock);
                PointHelp.None(rest);
                return new ExportOptions(
                    point,
                    parse.GetValue(since) is { } name ? new PointSelector(name, null) : null,
                    parse.GetValue(file) is { Length: > 0 } path ? path : throw UsageError.Of("--output: the name is empty"));
            },
            RunAsync);
    }

    private static async Task<int> RunAsync(ExportOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        bool isStandardOutput = options.OutputFile == InputFile.StandardInputName;
        if (isStandardOutput && context.Output.Json)
        {
            throw UsageError.Of("--json: standard output is taken by the export", "name a file with -o, or leave out --json");
        }

        long started = context.Clock.GetTimestamp();
        (OpenVault vault, VaultSecret secret) = await context.OpenVaultWithSecretAsync(VaultUse.ReadData, cancellationToken).ConfigureAwait(false);
        using (vault)
        using (secret)
        {
            IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false);
            RestorePoint point = PointFinder.Find(vault, points, options.Point);
            RestorePoint? since = options.Since is null ? null : PointFinder.Find(vault, points, options.Since);
            var progress = new WorkProgress();
            ExportSummary summary;
            using (OutputFile? file = isStandardOutput ? null : await OutputFile.CreateAsync(options.OutputFile).ConfigureAwait(false))
            using (context.Output.ShowProgress(progress))
            {
                Stream output = file?.Stream ?? (Stream)DescriptorStream.Output();
                summary = await ExportRun.RunAsync(vault, point, since, output, secret, progress, cancellationToken).ConfigureAwait(false);
                file?.Commit();
                await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            int code = context.EndWith(vault, options.Since is null ? [options.Point] : [options.Point, options.Since]);

            // Standard output is the export itself.
            if (!isStandardOutput) Report(context, options, summary, context.Clock.GetElapsedTime(started));
            return code;
        }
    }

    private static void Report(CommandContext context, ExportOptions options, ExportSummary summary, TimeSpan elapsed)
    {
        string over = summary.Base is { } id ? $", to be applied to a directory in the state of {id.ToShortString()}" : "";
        context.Output.SummaryLine($"exported {summary.Point.ToShortString()} to {context.Output.Shown(options.OutputFile)}{over}");
        context.Output.SummaryLine(string.Create(
            CultureInfo.InvariantCulture,
            $"paths: {summary.Added:N0} added, {summary.Modified:N0} modified, {summary.Deleted:N0} deleted; {SizeText.Show(summary.BytesWritten)} in {TimeText.ShowTaken(elapsed)}"));
        context.Output.Record("summary", (summary, elapsed), static (writer, report) =>
        {
            writer.WriteString("point", report.summary.Point.ToString());
            writer.WriteString("base", report.summary.Base?.ToString());
            writer.WriteNumber("added", report.summary.Added);
            writer.WriteNumber("modified", report.summary.Modified);
            writer.WriteNumber("deleted", report.summary.Deleted);
            writer.WriteNumber("bytesWritten", report.summary.BytesWritten);
            writer.WriteNumber("seconds", Math.Round(report.elapsed.TotalSeconds, 3));
        });
    }
}
