using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Backup;

/// <summary>Says what a backup did.</summary>
internal static class BackupReport
{
    public static void Write(CommandOutput output, BackupSummary summary, long errors, TimeSpan elapsed)
    {
        Describe(output, summary, errors, elapsed);
        output.Record("summary", (summary, errors, elapsed), WriteJson);
    }

    /// <summary>In words.</summary>
    public static void Describe(CommandOutput output, BackupSummary summary, long errors, TimeSpan elapsed)
    {
        BackupCounts counts = summary.Counts;
        output.SummaryLine(Headline(summary));
        output.SummaryLine(Invariant(
            $"files: {counts.FilesNew:N0} new, {counts.FilesChanged:N0} changed, {counts.FilesUnmodified:N0} unmodified, {counts.FilesDeleted:N0} deleted"));
        output.SummaryLine(summary.Point is null
            ? $"source: {SizeText.Show(counts.Bytes)}, in {TimeText.ShowTaken(elapsed)}"
            : $"read {SizeText.Show(counts.BytesRead)}, added {SizeText.Show(counts.BytesAdded)}, stored {SizeText.Show(counts.BytesStored)} in {TimeText.ShowTaken(elapsed)}");
        if (errors > 0) output.SummaryLine(Invariant($"{errors:N0} {(errors == 1 ? "item is" : "items are")} missing or not as it was: see above"));
    }

    private static string Headline(BackupSummary summary)
    {
        string comparedWith = summary.Base is { } id ? $", compared with {id.ToShortString()}" : "";
        string kind = PointList.NameOf(summary.Kind);
        return summary.Point is { } point
            ? $"restore point {point.ToShortString()} ({kind}{comparedWith})"
            : $"nothing was written; the restore point would be {kind}{comparedWith}";
    }

    /// <summary>For programs: the members of an object.</summary>
    public static void WriteJson(Utf8JsonWriter writer, (BackupSummary Summary, long Errors, TimeSpan Elapsed) report)
    {
        (BackupSummary summary, BackupCounts counts) = (report.Summary, report.Summary.Counts);
        writer.WriteString("point", summary.Point?.ToString());
        writer.WriteString("kind", PointList.NameOf(summary.Kind));
        writer.WriteString("base", summary.Base?.ToString());
        writer.WriteNumber("filesNew", counts.FilesNew);
        writer.WriteNumber("filesChanged", counts.FilesChanged);
        writer.WriteNumber("filesUnmodified", counts.FilesUnmodified);
        writer.WriteNumber("filesDeleted", counts.FilesDeleted);
        writer.WriteNumber("files", counts.Files);
        writer.WriteNumber("bytes", counts.Bytes);
        writer.WriteNumber("bytesRead", counts.BytesRead);
        writer.WriteNumber("bytesAdded", counts.BytesAdded);
        writer.WriteNumber("bytesStored", counts.BytesStored);
        writer.WriteNumber("errors", report.Errors);
        writer.WriteNumber("seconds", Math.Round(report.Elapsed.TotalSeconds, 3));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
