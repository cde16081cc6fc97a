using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Forget;

/// <summary>Says what is kept and what is dropped, and why.</summary>
internal sealed class ForgetReport(CommandOutput output, bool isDryRun)
{
    public void Write(ForgetPlan plan, TimeSpan elapsed)
    {
        foreach (ForgetGroup group in plan.Groups) Write(group);
        WriteTotals(plan);
        output.Record("summary", (plan, elapsed, isDryRun), WriteSummary);
    }

    private void Write(ForgetGroup group)
    {
        if (output.Json)
        {
            foreach (RetentionDecision decision in group.Decisions) output.Record("point", decision, WriteDecision, flush: false);
            return;
        }

        // Without --dry-run the points that are gone, and the others only where each item is asked for.
        RetentionDecision[] shown = [.. group.Decisions.Where(decision => isDryRun || output.Verbose || !decision.Keep)];
        if (output.Quiet || shown.Length == 0) return;
        string title = TitleOf(group.Group);
        if (title.Length > 0) output.Heading(output.Shown(title));
        var table = new Table(("", Align.Left), ("Id", Align.Left), ("Time", Align.Left), ("Tags", Align.Left), ("Why", Align.Left));
        foreach (RetentionDecision decision in shown)
        {
            RestorePoint point = decision.Point;
            table.Add(
                decision.Keep ? "keep" : "drop", point.Id.ToShortString(), TimeText.Show(point.EffectiveTime, output.Zone), string.Join(' ', point.Tags),
                string.Join("; ", decision.Reasons.Select(Describe)));
        }

        table.WriteTo(output);
        output.Line("");
    }

    private void WriteTotals(ForgetPlan plan)
    {
        int dropped = plan.Dropped.Count(), kept = plan.Groups.Sum(static group => group.Decisions.Count) - dropped;
        output.SummaryLine(isDryRun
            ? Invariant($"would keep {kept:N0} and drop {dropped:N0} restore points; nothing was changed")
            : Invariant($"kept {kept:N0} and dropped {dropped:N0} restore points"));
        if (plan.Freed is { } freed && dropped > 0)
        {
            string about = freed.IsEstimate ? "about " : "";
            output.SummaryLine(Invariant(
                $"{about}{SizeText.Show(freed.Bytes)} would come free: {freed.WholePacks:N0} packs whole, parts of {freed.PartPacks:N0}"));
        }

        if (!isDryRun && dropped > 0) output.SummaryLine("\"holdfast undelete\" brings them back until they are pruned");
    }

    private static string TitleOf(PointGroup group)
    {
        var parts = new List<string>();
        if (group.Host is { } host) parts.Add(host);
        if (group.Roots is { } roots) parts.Add(string.Join(' ', roots.Select(static root => SurrogateEscape.Decode(root.Span))));
        if (group.Tags is { } tags) parts.Add(tags.Count == 0 ? "(no tags)" : string.Join(' ', tags));
        return string.Join("  ", parts);
    }

    private static string Describe(RetentionReason reason)
    {
        string rule = reason.Rule is null ? "" : RetentionFlags.Describe(reason.Rule);
        string period = reason.Text.Length > 0 ? " of " + reason.Text : "";
        return reason.Verdict switch
        {
            RetentionVerdict.Chosen => reason.Rule!.Count == RetentionRule.Unlimited ? $"{rule}{period}" : Invariant($"{rule}: no. {reason.Ordinal}{period}"),
            RetentionVerdict.Oldest => $"{rule}: the oldest",
            RetentionVerdict.Tagged => $"tag {reason.Text}",
            RetentionVerdict.OnHold => reason.Text.Length > 0 ? $"on hold: {reason.Text}" : "on hold",
            RetentionVerdict.InFuture => "in the future",
            RetentionVerdict.Superseded => $"{rule}: {reason.By!.Value.ToShortString()} stands for {reason.Text}",
            RetentionVerdict.Beyond => $"{rule}: has as many newer ones",
            RetentionVerdict.TooOld => $"{rule}: is older",
            RetentionVerdict.Named => "named",
            _ => "has no tag to keep",
        };
    }

    private static string NameOf(RetentionVerdict verdict) => verdict switch
    {
        RetentionVerdict.Chosen => "chosen",
        RetentionVerdict.Oldest => "oldest",
        RetentionVerdict.Tagged => "tagged",
        RetentionVerdict.OnHold => "onHold",
        RetentionVerdict.InFuture => "inFuture",
        RetentionVerdict.Superseded => "superseded",
        RetentionVerdict.Beyond => "beyond",
        RetentionVerdict.TooOld => "tooOld",
        RetentionVerdict.Named => "named",
        _ => "untagged",
    };

    private static void WriteDecision(Utf8JsonWriter writer, RetentionDecision decision)
    {
        RestorePoint point = decision.Point;
        writer.WriteString("id", point.Id.ToString());
        writer.WriteString("time", TimeText.ShowExact(point.EffectiveTime));
        writer.WriteString("host", point.Host);
        JsonNames.WritePaths(writer, "paths", "pathsBase64", [.. point.Roots.Select(static root => SurrogateEscape.Decode(root.Span))]);
        writer.WriteStartArray("tags");
        foreach (string tag in point.Tags) writer.WriteStringValue(tag);
        writer.WriteEndArray();
        writer.WriteBoolean("keep", decision.Keep);
        writer.WriteStartArray("reasons");
        foreach (RetentionReason reason in decision.Reasons)
        {
            writer.WriteStartObject();
            writer.WriteString("verdict", NameOf(reason.Verdict));
            if (reason.Rule is { } rule) writer.WriteString("rule", RetentionFlags.NameOf(rule));
            if (reason.Text.Length > 0) writer.WriteString("text", reason.Text);
            if (reason.Ordinal > 0) writer.WriteNumber("ordinal", reason.Ordinal);
            if (reason.By is { } by) writer.WriteString("by", by.ToString());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteSummary(Utf8JsonWriter writer, (ForgetPlan Plan, TimeSpan Elapsed, bool IsDryRun) result)
    {
        int dropped = result.Plan.Dropped.Count();
        writer.WriteBoolean("dryRun", result.IsDryRun);
        writer.WriteNumber("groups", result.Plan.Groups.Count);
        writer.WriteNumber("kept", result.Plan.Groups.Sum(static group => group.Decisions.Count) - dropped);
        writer.WriteNumber("dropped", dropped);
        if (result.Plan.Freed is { } freed)
        {
            writer.WriteNumber("bytesFreed", freed.Bytes);
            writer.WriteNumber("packsFreed", freed.WholePacks);
            writer.WriteNumber("bytesOfPacksFreed", freed.WholePackBytes);
            writer.WriteNumber("packsInPart", freed.PartPacks);
            writer.WriteNumber("chunksFreed", freed.Chunks);
            writer.WriteBoolean("isEstimate", freed.IsEstimate);
        }

        writer.WriteNumber("seconds", Math.Round(result.Elapsed.TotalSeconds, 3));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
