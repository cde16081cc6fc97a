namespace Holdfast.Erasure.Kernels;

/// <summary>What a kernel computes in one pass.</summary>
/// <param name="tables">For each source, one after another, a table for each target.</param>
/// <param name="sources">Where each source lies; none overlaps a target.</param>
/// <param name="sourceCount">At least 1.</param>
/// <param name="targets">Where each target lies.</param>
/// <param name="rows">Count of targets, 1 to <see cref="Kernel.MaxRows"/>.</param>
/// <param name="isAdding">Whether the sums are added to what the targets hold, rather than replacing it.</param>
internal readonly unsafe struct Sums(
    byte* tables, byte** sources, int sourceCount, byte** targets, int rows, bool isAdding)
{
    public readonly byte* Tables = tables;
    public readonly byte** Sources = sources;
    public readonly int SourceCount = sourceCount;
    public readonly byte** Targets = targets;
    public readonly int Rows = rows;
    public readonly bool IsAdding = isAdding;
}
