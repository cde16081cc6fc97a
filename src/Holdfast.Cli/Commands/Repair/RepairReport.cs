using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Commands.Check;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Repair;

/// <summary>Says what is damaged, what is done about it, and what stays.</summary>
internal sealed class RepairReport(CommandOutput output)
{
    private int damagesBefore;
    private int steps;
    private long salvaged;
    private long healed;
    private int quarantined;
    private int rewritten;

    /// <summary>The plan of a round; what it rests on is told once, and what is left of it at the end.</summary>
    public void WritePlan(RepairPlan plan, bool isFirst)
    {
        if (isFirst)
        {
            damagesBefore = plan.Report.Damages.Count;
            CheckResult.WriteDamages(output, plan.Report);
        }

        foreach (RepairStep step in plan.Steps) Write(step);
    }

    /// <summary>Counts what was done in a round.</summary>
    public void Add(RepairSummary summary)
    {
        salvaged += summary.ChunksSalvaged;
        healed += summary.ChunksHealed;
        quarantined += summary.Quarantined.Count;
        rewritten += summary.Rewritten.Count;
        foreach ((SessionId old, SessionId written) in summary.Rewritten) output.Line($"restore point {old.ToShortString()} is now {written.ToShortString()}");
    }

    /// <summary>What stays, and the totals.</summary>
    /// <param name="last">The last plan: of a dry run the only one, else what is damaged now.</param>
    /// <param name="isDryRun">Whether nothing was done.</param>
    /// <param name="elapsed">How long it took.</param>
    public void WriteEnd(RepairPlan last, bool isDryRun, TimeSpan elapsed)
    {
        if (!isDryRun && steps > 0) CheckResult.WriteDamages(output, last.Report);
        foreach (RepairStep left in last.Left)
        {
            output.Line($"stays: {(left.ObjectName.Length > 0 ? left.ObjectName + ": " : "")}{left.What}");
            output.Record("left", left, static (writer, step) =>
            {
                writer.WriteString("object", step.ObjectName);
                JsonNames.WriteText(writer, "message", step.What);
            });
        }

        WriteTotals(last, isDryRun, elapsed);
        output.Record("summary", (last, elapsed), WriteSummary);
    }

    private void Write(RepairStep step)
    {
        steps++;
        output.Line($"{NameOf(step.Action)}: {(step.ObjectName.Length > 0 ? step.ObjectName + " " : "")}{step.What}");
        output.Record("step", step, static (writer, written) =>
        {
            writer.WriteString("action", NameOf(written.Action));
            writer.WriteString("object", written.ObjectName);
            JsonNames.WriteText(writer, "message", written.What);
        });
    }

    private void WriteTotals(RepairPlan last, bool isDryRun, TimeSpan elapsed)
    {
        int damages = last.Report.Damages.Count;
        if (damagesBefore == 0 && steps == 0)
        {
            output.SummaryLine("no damage found");
            return;
        }

        if (isDryRun)
        {
            output.SummaryLine(Invariant($"{CheckResult.Things(damages)} {(damages == 1 ? "is" : "are")} damaged, {steps:N0} {(steps == 1 ? "step" : "steps")} would be taken; nothing was changed"));
            return;
        }

        output.SummaryLine(Invariant(
            $"chunks saved from damaged packs: {salvaged:N0}, brought back: {healed:N0}; objects in quarantine: {quarantined:N0}; {TimeText.ShowTaken(elapsed)}"));
        output.SummaryLine(damages == 0 ? "the vault is whole again" : $"{CheckResult.Things(damages)} {(damages == 1 ? "stays" : "stay")} damaged: see above");
    }

    private void WriteSummary(Utf8JsonWriter writer, (RepairPlan Last, TimeSpan Elapsed) result)
    {
        writer.WriteNumber("damagesBefore", damagesBefore);
        writer.WriteNumber("damages", result.Last.Report.Damages.Count);
        writer.WriteNumber("steps", steps);
        writer.WriteNumber("chunksSalvaged", salvaged);
        writer.WriteNumber("chunksHealed", healed);
        writer.WriteNumber("chunksLost", result.Last.ChunksLost);
        writer.WriteNumber("quarantined", quarantined);
        writer.WriteNumber("rewritten", rewritten);
        writer.WriteNumber("seconds", Math.Round(result.Elapsed.TotalSeconds, 3));
    }

    private static string NameOf(RepairAction action) => action switch
    {
        RepairAction.BringBack => "bring back",
        RepairAction.Salvage => "save",
        RepairAction.Heal => "heal",
        RepairAction.RebuildIndex => "index",
        RepairAction.RebuildReferences => "references",
        RepairAction.RewritePoint => "rewrite",
        RepairAction.Quarantine => "quarantine",
        RepairAction.DeliverEpochs => "deliver",
        _ => "clear",
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
