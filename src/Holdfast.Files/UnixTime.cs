namespace Holdfast.Files;

/// <summary>A moment as file systems keep it: nanoseconds since 1970 UTC, before it negative, far beyond the range of DateTime.</summary>
/// <param name="Seconds">Whole seconds since 1970-01-01T00:00:00Z, rounded down.</param>
/// <param name="Nanoseconds">0 to 999,999,999, added to <paramref name="Seconds"/>.</param>
public readonly record struct UnixTime(long Seconds, int Nanoseconds) : IComparable<UnixTime>
{
    /// <summary>Converts a moment of .NET's range.</summary>
    public static UnixTime From(DateTimeOffset moment)
    {
        long ticks = moment.UtcTicks - DateTime.UnixEpoch.Ticks;
        long seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out long rest);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }

        return new UnixTime(seconds, (int)rest * 100);
    }

    /// <summary>The same moment, to 100 ns, moved into .NET's range where it lies outside.</summary>
    public DateTimeOffset ToDateTimeOffset()
    {
        const long min = -62_135_596_800, max = 253_402_300_799;
        return DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(Seconds, min, max)).AddTicks(Nanoseconds / 100);
    }

    /// <inheritdoc/>
    public int CompareTo(UnixTime other)
    {
        int bySeconds = Seconds.CompareTo(other.Seconds);
        return bySeconds != 0 ? bySeconds : Nanoseconds.CompareTo(other.Nanoseconds);
    }

    /// <summary>Earlier.</summary>
    public static bool operator <(UnixTime left, UnixTime right) => left.CompareTo(right) < 0;

    /// <summary>Later.</summary>
    public static bool operator >(UnixTime left, UnixTime right) => left.CompareTo(right) > 0;

    /// <summary>Not later.</summary>
    public static bool operator <=(UnixTime left, UnixTime right) => left.CompareTo(right) <= 0;

    /// <summary>Not earlier.</summary>
    public static bool operator >=(UnixTime left, UnixTime right) => left.CompareTo(right) >= 0;
}
