namespace Holdfast.Bitcask.Records;

/// <summary>Times as records hold them: nanoseconds since 1970-01-01 UTC.</summary>
internal static class UnixTime
{
    private const long NanosecondsPerTick = 100;

    /// <summary>A time; one too far for 64 bits is the last or the first there is.</summary>
    public static long ToNanoseconds(DateTimeOffset time)
    {
        Int128 nanoseconds = (Int128)(time - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;
        return (long)Int128.Clamp(nanoseconds, long.MinValue, long.MaxValue);
    }

    /// <inheritdoc cref="ToNanoseconds(DateTimeOffset)"/>
    public static long? ToNanoseconds(DateTimeOffset? time) => time is { } given ? ToNanoseconds(given) : null;

    /// <summary>The time, rounded down to 100 ns.</summary>
    public static DateTimeOffset ToTime(long nanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(Math.DivRem(nanoseconds, NanosecondsPerTick) is var (quotient, rest) && rest < 0
            ? quotient - 1
            : nanoseconds / NanosecondsPerTick);
}
