namespace Holdfast.Vault;

/// <summary>What some restore points take of a vault.</summary>
/// <param name="Points">The points, oldest first.</param>
/// <param name="Referenced">What they refer to: each chunk once, however many of them need it.</param>
/// <param name="Unique">What no other point of the vault refers to: what a prune would free if all of them were dropped.</param>
public sealed record SpaceShare(IReadOnlyList<RestorePoint> Points, ChunkTotals Referenced, ChunkTotals Unique)
{
    /// <summary>Bytes of all files, each point counted whole: what they would take as plain copies, holes included.</summary>
    public long PointBytes { get; } = Points.Aggregate(0L, static (sum, point) => Trees.TreeAllowance.Sum(sum, point.Counts.Bytes));

    /// <summary>How many times <see cref="PointBytes"/> is of the raw bytes that are referred to. 1 without any.</summary>
    public double DedupRatio => Referenced.RawBytes == 0 ? 1 : (double)PointBytes / Referenced.RawBytes;

    /// <summary>How many times the raw bytes that are referred to are of their stored bytes. 1 without any.</summary>
    public double CompressionRatio => Referenced.StoredBytes == 0 ? 1 : (double)Referenced.RawBytes / Referenced.StoredBytes;
}
