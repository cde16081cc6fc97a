using System.Globalization;

namespace Holdfast.Log;

/// <summary>Where a frame of a log begins. Positions never repeat, and a later append has a higher one.</summary>
/// <param name="Value">Number of the segment in the upper 32 bits, offset in its file in the lower; 0 = none.</param>
public readonly record struct LogPosition(ulong Value) : IComparable<LogPosition>
{
    /// <summary>The frame at an offset of a segment.</summary>
    /// <param name="segment">Number of the segment, 1 or more.</param>
    /// <param name="offset">Offset in its file, bytes.</param>
    public LogPosition(uint segment, long offset)
        : this(((ulong)segment << 32) | checked((uint)offset))
    {
    }

    /// <summary>Number of the segment; 0 = none.</summary>
    public uint Segment => (uint)(Value >> 32);

    /// <summary>Offset in the segment's file, bytes.</summary>
    public uint Offset => (uint)Value;

    /// <inheritdoc/>
    public int CompareTo(LogPosition other) => Value.CompareTo(other.Value);

    /// <summary>Whether <paramref name="left"/> was appended before <paramref name="right"/>.</summary>
    public static bool operator <(LogPosition left, LogPosition right) => left.Value < right.Value;

    /// <summary>Whether <paramref name="left"/> was appended after <paramref name="right"/>.</summary>
    public static bool operator >(LogPosition left, LogPosition right) => left.Value > right.Value;

    /// <summary>Whether <paramref name="left"/> is <paramref name="right"/> or was appended before it.</summary>
    public static bool operator <=(LogPosition left, LogPosition right) => left.Value <= right.Value;

    /// <summary>Whether <paramref name="left"/> is <paramref name="right"/> or was appended after it.</summary>
    public static bool operator >=(LogPosition left, LogPosition right) => left.Value >= right.Value;

    /// <summary>Such as <c>00000003:4096</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Segment:x8}:{Offset}");
}
