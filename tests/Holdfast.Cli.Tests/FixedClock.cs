namespace Holdfast.Cli.Tests;

/// <summary>A clock that stands still until moved; its timers run when it is moved.</summary>
internal sealed class FixedClock(DateTimeOffset now, TimeZoneInfo? zone = null) : TimeProvider
{
    private readonly List<FixedTimer> timers = [];
    private DateTimeOffset now = now;
    private long timestamps;

    public override TimeZoneInfo LocalTimeZone => zone ?? TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => now.ToUniversalTime();

    /// <summary>How much later each time stamp is than the one before. Passwords are made as dear as fits into 100 ms: where no time passes, very dear.</summary>
    public TimeSpan TimestampStep { get; set; }

    public override long GetTimestamp() => now.UtcTicks + (TimestampStep.Ticks * Interlocked.Increment(ref timestamps));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FixedTimer(() => callback(state), period) { Due = now + dueTime };
        timers.Add(timer);
        return timer;
    }

    /// <summary>Moves on, and runs what falls due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        DateTimeOffset end = now + by;
        while (timers.Where(timer => !timer.Disposed && timer.Due <= end).MinBy(timer => timer.Due) is { } next)
        {
            now = next.Due;
            next.Due += next.Period;
            next.Callback();
        }

        now = end;
    }

    private sealed class FixedTimer(Action callback, TimeSpan period) : ITimer
    {
        public Action Callback { get; } = callback;

        public TimeSpan Period { get; } = period;

        public DateTimeOffset Due { get; set; }

        public bool Disposed { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => Disposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
