using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Restore;

/// <summary>Says what a restore did.</summary>
internal static class RestoreReport
{
    public static void Write(CommandOutput output, RestorePoint point, RestoreSummary summary, RestoreOptions options)
    {
        output.SummaryLine(options.DryRun
            ? $"nothing was written; restoring {point.Id.ToShortString()} would do this to {output.Shown(options.Target)}"
            : $"restored {point.Id.ToShortString()} to {output.Shown(options.Target)}");
        output.SummaryLine(Invariant(
            $"files: {summary.FilesAdded:N0} added, {summary.FilesModified:N0} modified, {summary.FilesUnmodified:N0} unmodified, {summary.FilesSkipped:N0} left as they are"));
        if (options.Delete) output.SummaryLine(Invariant($"deleted: {summary.Deleted:N0}"));
        if (!options.DryRun) output.SummaryLine($"wrote {SizeText.Show(summary.BytesWritten)} in {TimeText.ShowTaken(summary.Duration)}");
        if (options is { Verify: true, DryRun: false } && summary.Unverified == 0) output.SummaryLine("verified: what was restored reads back as it should");
        if (summary.Damaged > 0) output.SummaryLine(Invariant($"{Items(summary.Damaged)} not restored whole: damaged in the vault"));
        if (summary.Unverified > 0) output.SummaryLine(Invariant($"{Items(summary.Unverified)} not read back as written"));
        long others = summary.Errors - summary.Damaged - summary.Unverified;
        if (others > 0) output.SummaryLine(Invariant($"{Items(others)} not as in the point: see above"));
        output.Record("summary", (point, summary), WriteJson);
    }

    private static FormattableString Items(long count) => $"{count:N0} {(count == 1 ? "item is" : "items are")}";

    private static void WriteJson(Utf8JsonWriter writer, (RestorePoint Point, RestoreSummary Summary) report)
    {
        RestoreSummary summary = report.Summary;
        writer.WriteString("point", report.Point.Id.ToString());
        writer.WriteNumber("filesAdded", summary.FilesAdded);
        writer.WriteNumber("filesModified", summary.FilesModified);
        writer.WriteNumber("filesUnmodified", summary.FilesUnmodified);
        writer.WriteNumber("filesSkipped", summary.FilesSkipped);
        writer.WriteNumber("deleted", summary.Deleted);
        writer.WriteNumber("directories", summary.Directories);
        writer.WriteNumber("bytesWritten", summary.BytesWritten);
        writer.WriteNumber("errors", summary.Errors);
        writer.WriteNumber("damaged", summary.Damaged);
        writer.WriteNumber("unverified", summary.Unverified);
        writer.WriteNumber("seconds", Math.Round(summary.Duration.TotalSeconds, 3));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
