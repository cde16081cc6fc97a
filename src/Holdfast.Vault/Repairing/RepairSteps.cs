using System.Globalization;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Repairing;

/// <summary>Says in words what a repair is going to do.</summary>
internal static class RepairSteps
{
    /// <summary>The steps in the order in which they are taken.</summary>
    public static List<RepairStep> Of(RepairOrder order)
    {
        var steps = new List<RepairStep>();
        foreach (SalvagedPack pack in order.Salvage)
        {
            steps.Add(new RepairStep(
                RepairAction.Salvage, pack.Pack.ObjectName, Invariant($"its intact chunks go to new packs; {pack.Bad.Count} cannot be read")));
        }

        foreach (IGrouping<string, HealedChunk> healed in order.Heal.GroupBy(static chunk => chunk.Spare.Name, StringComparer.Ordinal))
        {
            steps.Add(new RepairStep(RepairAction.Heal, "", Invariant($"{healed.Count()} lost chunks are brought back from {healed.Key}")));
        }

        if (order.RebuildsIndex) steps.Add(new RepairStep(RepairAction.RebuildIndex, "", "packs that no sound index object lists are listed anew, by their footers"));
        foreach (string name in order.BringBack) steps.Add(new RepairStep(RepairAction.BringBack, name, name == VaultDescriptor.Name ? "is written anew" : "is brought back from the copy of the vault"));
        if (order.DeliverTo.Count > 0)
        {
            string keys = string.Join(", ", order.DeliverTo.Select(static writer => writer.Shown));
            steps.Add(new RepairStep(RepairAction.DeliverEpochs, "", $"key epochs are delivered anew to the keys of {keys}"));
        }

        foreach (RebuiltReferences references in order.References)
        {
            steps.Add(new RepairStep(RepairAction.RebuildReferences, ReferenceSet.Name(references.Session), "is written anew, from the trees of its points"));
        }

        foreach (RestorePoint point in order.Rewrite)
        {
            steps.Add(new RepairStep(RepairAction.RewritePoint, PointCodec.Name(point.Id), "is written anew without what is lost, and forgotten"));
        }

        foreach (string name in order.Quarantine) steps.Add(new RepairStep(RepairAction.Quarantine, name, WhyQuarantined(name)));
        foreach (string name in order.ClearRecords) steps.Add(new RepairStep(RepairAction.ClearRecords, name, "is removed: what it says was broken is gone"));
        return steps;
    }

    private static string WhyQuarantined(string name) =>
        name.StartsWith(PointCodec.Prefix, StringComparison.Ordinal) ? "goes to quarantine; what only it needs may be pruned then"
        : name.StartsWith(PointMark.Prefix, StringComparison.Ordinal) ? "goes to quarantine; what it said is not known: points that it held are on hold no more, points that it dropped are back"
        : "goes to quarantine";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
