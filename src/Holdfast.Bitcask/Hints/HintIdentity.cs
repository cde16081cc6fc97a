using Holdfast.Log;

namespace Holdfast.Bitcask.Hints;

/// <summary>Which file of which log a hint speaks of. A hint of any other is of no use.</summary>
/// <param name="LogId">Of the log.</param>
/// <param name="Segment">Number of the segment.</param>
/// <param name="Incarnation">Of the segment.</param>
/// <param name="SegmentBytes">Length of the segment's file.</param>
internal readonly record struct HintIdentity(LogId LogId, uint Segment, ulong Incarnation, long SegmentBytes);
