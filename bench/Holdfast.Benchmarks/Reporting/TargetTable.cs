using Holdfast.Benchmarks.Tools;

namespace Holdfast.Benchmarks.Reporting;

/// The targets for the vault's speed and size, in the order in which they are shown.
internal static class TargetTable
{
    public const string ReferenceCopy = "cp -a";
    public const double MustPeakBytes = 256 << 20;
    public const double ReachPeakBytes = 128 << 20;
    public const double MustGen0PerGibibyte = 5;
    public const double ReachGen0PerGibibyte = 0;

    private const string Tree = "linux";
    private const string Image = "image";

    /// <summary>All targets.</summary>
    /// <param name="withPoints">The name of the work in a vault with many points.</param>
    /// <param name="withIndex">The name of the work in a vault with a large index.</param>
    public static IEnumerable<Target> All(string withPoints, string withIndex) =>
    [
        .. FirstBackup(Tree, ""),
        new("bytes stored for it", Tree, "first", Metric.Stored, Tree, [ResticTool.ToolName], 1.0, 0.85),
        .. Unchanged(Tree, ""),
        new("image, first", Image, "first", Metric.Cpu, Image, [ResticTool.ToolName], 1 / 1.8, 1 / 2.5),
        new("image, only mtime changed", Image, "touched", Metric.Cpu, Image, [ResticTool.ToolName], 1 / 2.5, 1 / 4.0),
        new("image, 1 000 small edits", Image, "edited", Metric.Cpu, Image, [ResticTool.ToolName], 1 / 3.0, 1 / 4.5),
        new("image, 1 000 small edits", Image, "edited", Metric.Stored, Image, [ResticTool.ToolName], 1 / 3.0, 1 / 5.5),
        new("restore of the tree", Tree, "restore", Metric.Wall, Tree, [ResticTool.ToolName, BorgTool.ToolName], 1 / 1.5, 1 / 2.5),
        new("restore of the tree", Tree, "restore", Metric.Wall, Tree, [ReferenceCopy], null, 1.3),
        new("check of all data", Tree, "check", Metric.Cpu, Tree, [ResticTool.ToolName], 1 / 1.5, 1 / 3.0),
        .. Unchanged(withPoints, ", many earlier points"),
        Growth(withPoints, "unchanged", "nothing changed, many earlier points"),
        Growth(withPoints, "changed", "1 % changed, many earlier points"),
        .. FirstBackup(withIndex, ", large index"),
        .. Unchanged(withIndex, ", large index"),
        Growth(withIndex, "first", "first backup of the tree, large index"),
        Growth(withIndex, "unchanged", "nothing changed, large index"),
        Growth(withIndex, "restore", "restore of the tree, large index"),
    ];

    // Against ourselves in a new vault: 1.00 is what is wanted, but a limit would judge the machine's mood.
    private static Target Growth(string work, string step, string text) =>
        new(text, work, step, Metric.Cpu, Tree, [HoldfastTool.ToolName], null, null);

    // Peers are measured in a vault without those points or chunks, which is to their advantage.
    private static Target[] FirstBackup(string work, string addition) =>
    [
        new($"first backup of the tree{addition}", work, "first", Metric.Cpu, Tree, [ResticTool.ToolName], 1 / 1.7, 1 / 3.0),
        new($"first backup of the tree{addition}", work, "first", Metric.Wall, Tree, [ResticTool.ToolName], 1 / 1.5, 1 / 2.5),
        new($"first backup of the tree{addition}", work, "first", Metric.Cpu, Tree, [BorgTool.ToolName], 1 / 2.0, 1 / 3.0),
        new($"first backup of the tree{addition}", work, "first", Metric.Wall, Tree, [BorgTool.ToolName], 1 / 3.0, 1 / 5.0),
    ];

    private static Target[] Unchanged(string work, string addition) =>
    [
        new($"nothing changed{addition}", work, "unchanged", Metric.Wall, Tree, [ResticTool.ToolName], 1 / 7.0, 1 / 12.0),
        new($"nothing changed{addition}", work, "unchanged", Metric.Wall, Tree, [BorgTool.ToolName], 1 / 10.0, 1 / 18.0),
    ];
}
