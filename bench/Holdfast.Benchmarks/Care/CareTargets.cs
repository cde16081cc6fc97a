using Holdfast.Benchmarks.Reporting;
using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Care;

/// What is asked of the care of a vault.
internal static class CareTargets
{
    public static IEnumerable<Target> All(CareOptions options)
    {
        string half = HalfFreedPart.Work(options.SourceBytes);
        yield return new("prune that frees half of a vault", half, HalfFreedPart.Step, Metric.Wall, half, [ResticTool.ToolName], 1 / 2.0, null);
        yield return new("prune that frees half of a vault", half, HalfFreedPart.Step, Metric.Written, half, [ResticTool.ToolName], 1.0, null);
        yield return new("prune that frees half of a vault", half, HalfFreedPart.Step, Metric.Wall, half, [BorgTool.ToolName], null, null);
        yield return new("forget --keep-last 1 --prune of the tree", TreePart.Work, TreePart.ForgetStep, Metric.Wall, TreePart.Work, [ResticTool.ToolName], 1 / 2.0, null);
        yield return new("forget --keep-last 1 --prune of the tree", TreePart.Work, TreePart.ForgetStep, Metric.Wall, TreePart.Work, [BorgTool.ToolName], null, null);
        yield return new("check of structure", TreePart.Work, TreePart.CheckStep, Metric.Cpu, TreePart.Work, [ResticTool.ToolName], 1 / 3.0, null);
        yield return new("check of structure", TreePart.Work, TreePart.CheckStep, Metric.Cpu, TreePart.Work, [BorgTool.ToolName], null, null);
        foreach (string step in (string[])[ManyPointsPart.PlanStep, ManyPointsPart.ForgetStep, ManyPointsPart.PruneStep])
        {
            yield return new(
                $"{step}, {options.Points} points and {ManyPointsPart.Few}", ManyPointsPart.Work(options.Points), step, Metric.Wall, ManyPointsPart.Work(ManyPointsPart.Few),
                [HoldfastTool.ToolName], (double)options.Points / ManyPointsPart.Few, null);
        }
    }
}
