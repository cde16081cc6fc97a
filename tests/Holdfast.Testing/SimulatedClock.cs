namespace Holdfast.Testing;

/// <summary>A clock that moves only when it is told to: time of day, monotonic time and timers.</summary>
public sealed class SimulatedClock : TimeProvider
{
    /// <summary>When a clock starts that is told nothing else.</summary>
    public static readonly DateTimeOffset DefaultStart = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private DateTimeOffset now;
    private TimeSpan elapsed;

    /// <summary>A clock that stands at <see cref="DefaultStart"/>.</summary>
    public SimulatedClock()
        : this(DefaultStart)
    {
    }

    /// <summary>A clock that stands at a given time.</summary>
    public SimulatedClock(DateTimeOffset start) => now = start;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (gate) return now;
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (gate) return elapsed.Ticks;
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>
    /// Lets time pass; timers that become due are called in order, each at its moment, before it returns.
    /// </summary>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        TimeSpan end;
        lock (gate) end = elapsed + time;
        while (true)
        {
            Timer? due;
            lock (gate)
            {
                due = timers.Where(t => t.Due <= end).MinBy(t => t.Due);
                MoveTo(due?.Due > elapsed ? due.Due : due is null ? end : elapsed);
                due?.Rearm();
            }

            if (due is null) return;
            due.Ring();
        }
    }

    /// <summary>Sets the time of day, as an administrator or NTP does; monotonic time stands.</summary>
    public void SetTimeOfDay(DateTimeOffset time)
    {
        lock (gate) now = time;
    }

    private void MoveTo(TimeSpan moment)
    {
        now += moment - elapsed;
        elapsed = moment;
    }

    private sealed class Timer(SimulatedClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan period;

        public TimeSpan Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
        {
            lock (clock.gate)
            {
                period = newPeriod;
                clock.timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = clock.elapsed + dueTime;
                clock.timers.Add(this);
                return true;
            }
        }

        /// <summary>Under the clock's lock.</summary>
        public void Rearm()
        {
            if (period > TimeSpan.Zero) Due += period;
            else clock.timers.Remove(this);
        }

        public void Ring() => callback(state);

        public void Dispose()
        {
            lock (clock.gate) clock.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
