using Holdfast.Bitcask;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Log;

namespace Holdfast.Cli.Commands.Kv;

/// <summary>Says what a checkpoint or backup holds, and what it cost.</summary>
internal static class KvCopyReport
{
    /// <summary>Writes it.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="what"><c>checkpoint</c> or <c>backup</c>.</param>
    /// <param name="report">What was made.</param>
    /// <param name="elapsed">How long that took.</param>
    public static void Write(CommandOutput output, string what, CheckpointReport report, TimeSpan elapsed)
    {
        string holds = $"{KvText.Count(report.Keys, "key")}, {KvText.Count(report.Segments, "segment")}, {SizeText.Show(report.Bytes)}";
        output.SummaryLine($"{what} {output.Shown(report.Directory)}: {holds} in {TimeText.ShowTaken(elapsed)}");
        output.SummaryLine(
            $"linked {SizeText.Show(report.LinkedBytes)}, cloned {SizeText.Show(report.ClonedBytes)}, copied {SizeText.Show(report.CopiedBytes)}");
        output.Record("summary", (report, elapsed), static (writer, done) =>
        {
            JsonNames.WriteName(writer, "target", "targetBase64", done.report.Directory);
            writer.WriteNumber("sequence", done.report.Sequence);
            writer.WriteNumber("keys", done.report.Keys);
            writer.WriteNumber("segments", done.report.Segments);
            writer.WriteNumber("bytes", done.report.Bytes);
            writer.WriteNumber("linkedBytes", done.report.LinkedBytes);
            writer.WriteNumber("clonedBytes", done.report.ClonedBytes);
            writer.WriteNumber("copiedBytes", done.report.CopiedBytes);
            writer.WriteNumber("seconds", Math.Round(done.elapsed.TotalSeconds, 3));
        });
    }

    /// <summary>What is damaged in the store is so in its copy.</summary>
    public static int ExitCodeOf(BitcaskStore store) => store.Damages.Count > 0 ? ExitCodes.Of(ErrorKind.Damage) : ExitCodes.Done;
}
