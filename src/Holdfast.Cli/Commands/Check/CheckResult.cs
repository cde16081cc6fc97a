using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Check;

/// <summary>Says what a check found: each damaged thing, and what it affects.</summary>
internal static class CheckResult
{
    public static void Write(CommandOutput output, CheckReport report, TimeSpan elapsed)
    {
        WriteDamages(output, report);
        string dropped = report.DroppedPoints > 0 ? Invariant($" ({report.DroppedPoints:N0} of them dropped, and not pruned yet)") : "";
        output.SummaryLine(Invariant(
            $"checked {report.Points:N0} restore points{dropped}, {report.Files:N0} files, {report.Packs:N0} packs in {TimeText.ShowTaken(elapsed)}"));
        output.SummaryLine(report.PacksRead > 0
            ? Invariant($"packs read: {report.PacksRead:N0}, {SizeText.Show(report.BytesRead)}")
            : "the data itself was not read: --read-data does that");
        if (report.OldestVerified is { } oldest)
        {
            string overdue = report.PacksOverdue > 0 ? Invariant($"; {report.PacksOverdue:N0} packs are overdue") : "";
            output.SummaryLine($"everything was verified or stored within the last {DurationText.Show(oldest)}{overdue}");
        }

        int unreadable = report.Damages.Count(static damage => damage.IsUnreadable);
        output.SummaryLine((report.Damages.Count - unreadable) switch
        {
            0 when unreadable > 0 => "no damage found in what this key can read",
            0 => "no damage found",
            1 => "1 thing is damaged: see above",
            var count => $"{Things(count)} are damaged: see above",
        });
        if (unreadable > 0)
        {
            output.SummaryLine(Invariant(
                $"{Things(unreadable)} cannot be read with this key, which lacks a key epoch: see above; \"holdfast repair\" with the first admin's key delivers it"));
        }

        output.Record("summary", (report, elapsed), WriteSummary);
    }

    /// <summary>The exit code by what was found: damage goes before what this key cannot read.</summary>
    public static int CodeOf(CheckReport report) =>
        report.Damages.Any(static damage => !damage.IsUnreadable) ? ExitCodes.Of(ErrorKind.Damage)
        : report.Damages.Count > 0 ? ExitCodes.Of(ErrorKind.WrongKey)
        : ExitCodes.Done;

    /// <summary>So many things, in words.</summary>
    public static string Things(int count) => Invariant($"{count:N0} {(count == 1 ? "thing" : "things")}");

    /// <summary>Each damaged thing, and what it affects.</summary>
    public static void WriteDamages(CommandOutput output, CheckReport report)
    {
        foreach (DamagedThing damage in report.Damages) Write(output, damage);
    }

    private static void Write(CommandOutput output, DamagedThing damage)
    {
        output.Line($"{(damage.IsUnreadable ? "unreadable with this key" : "damaged")}: {damage.ObjectName}: {damage.What}");
        foreach (AffectedPath affected in damage.Affected) output.Line("  " + Describe(output, affected, damage.IsUnreadable));
        if (damage.Affected.Count == 0 && !damage.IsUnreadable) output.Line("  no restore point needs it");
        output.Record("damage", damage, WriteDamage);
    }

    private static string Describe(CommandOutput output, AffectedPath affected, bool isUnreadable)
    {
        string point = "restore point " + affected.Point.ToShortString() + (affected.IsForgotten ? " (dropped, goes with the next prune)" : "");
        if (isUnreadable) return affected.Path.IsEmpty ? point : $"{point}: {output.Shown(SurrogateEscape.Decode(affected.Path.Span))}";
        string path = output.Shown(SurrogateEscape.Decode(affected.Path.Span));
        string what = affected.Kind switch
        {
            AffectedKind.Point => "is lost",
            AffectedKind.Changes => "its list of changes is lost; it can be restored whole",
            AffectedKind.References => "its list of what it needs has to be made anew (\"holdfast repair\"); nothing that it holds is lost by that",
            AffectedKind.Tree when affected.Ranges.Count == 0 => "entries of this directory are lost",
            _ => "",
        };
        string ranges = string.Join(", ", affected.Ranges.Select(static range => Invariant($"{range.Offset}-{range.Offset + range.Length - 1}")));
        if (ranges.Length > 0) what = "bytes " + ranges;
        return string.Join(": ", new[] { point, path, what }.Where(static part => part.Length > 0));
    }

    private static string NameOf(AffectedKind kind) => kind switch
    {
        AffectedKind.Data => "data",
        AffectedKind.Tree => "tree",
        AffectedKind.Changes => "changes",
        AffectedKind.References => "references",
        _ => "point",
    };

    private static void WriteDamage(Utf8JsonWriter writer, DamagedThing damage)
    {
        writer.WriteString("object", damage.ObjectName);
        JsonNames.WriteText(writer, "message", damage.What);
        writer.WriteBoolean("unreadable", damage.IsUnreadable);
        writer.WriteStartArray("affected");
        foreach (AffectedPath affected in damage.Affected)
        {
            writer.WriteStartObject();
            writer.WriteString("point", affected.Point.ToString());
            if (!affected.Path.IsEmpty) JsonNames.WritePath(writer, SurrogateEscape.Decode(affected.Path.Span));
            writer.WriteString("kind", NameOf(affected.Kind));
            writer.WriteBoolean("forgotten", affected.IsForgotten);
            writer.WriteStartArray("ranges");
            foreach (ByteRange range in affected.Ranges)
            {
                writer.WriteStartObject();
                writer.WriteNumber("offset", range.Offset);
                writer.WriteNumber("length", range.Length);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteSummary(Utf8JsonWriter writer, (CheckReport Report, TimeSpan Elapsed) result)
    {
        CheckReport report = result.Report;
        writer.WriteNumber("damages", report.Damages.Count);
        writer.WriteNumber("unreadable", report.Damages.Count(static damage => damage.IsUnreadable));
        writer.WriteNumber("points", report.Points);
        writer.WriteNumber("pointsDropped", report.DroppedPoints);
        writer.WriteNumber("files", report.Files);
        writer.WriteNumber("directories", report.Directories);
        writer.WriteNumber("keys", report.KeySlots);
        writer.WriteNumber("indexObjects", report.IndexObjects);
        writer.WriteNumber("packs", report.Packs);
        writer.WriteNumber("packsRead", report.PacksRead);
        writer.WriteNumber("chunks", report.Chunks);
        writer.WriteNumber("chunksRead", report.ChunksRead);
        writer.WriteNumber("bytesRead", report.BytesRead);
        writer.WriteNumber("unfinishedSessions", report.UnfinishedSessions);
        if (report.OldestVerified is { } oldest)
        {
            writer.WriteNumber("oldestVerifiedSeconds", Math.Ceiling(oldest.TotalSeconds));
            writer.WriteNumber("packsOverdue", report.PacksOverdue);
        }

        writer.WriteNumber("seconds", Math.Round(result.Elapsed.TotalSeconds, 3));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
