using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Which segments a merge takes.</summary>
public enum MergeScope
{
    /// <summary>Those that pass a threshold of <see cref="MergeOptions"/>.</summary>
    Due,

    /// <summary>All, the active one included.</summary>
    All,
}

/// <summary>What a merge did.</summary>
/// <param name="SegmentsBefore">Segments that were replaced.</param>
/// <param name="SegmentsAfter">Segments that replace them.</param>
/// <param name="BytesBefore">Size of those that were replaced, bytes.</param>
/// <param name="BytesAfter">Size of those that replace them, bytes.</param>
/// <param name="RecordsCopied">Current records.</param>
/// <param name="TombstonesKept">Tombstones that may still hide an older record somewhere.</param>
/// <param name="Damages">Damage met; the segments that have it were left as they are.</param>
public sealed record MergeReport(
    int SegmentsBefore, int SegmentsAfter, long BytesBefore, long BytesAfter, long RecordsCopied, long TombstonesKept,
    IReadOnlyList<LogDamage> Damages)
{
    internal static MergeReport Nothing { get; } = new(0, 0, 0, 0, 0, 0, []);

    internal MergeReport And(MergeReport other) => new(
        SegmentsBefore + other.SegmentsBefore, SegmentsAfter + other.SegmentsAfter, BytesBefore + other.BytesBefore,
        BytesAfter + other.BytesAfter, RecordsCopied + other.RecordsCopied, TombstonesKept + other.TombstonesKept,
        [.. Damages, .. other.Damages]);
}
