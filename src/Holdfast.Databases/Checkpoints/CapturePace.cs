namespace Holdfast.Databases.Checkpoints;

/// <summary>Keeps copying to a speed, and tells how far it is. Not for several threads at once.</summary>
/// <param name="clock">What time passes by.</param>
/// <param name="options">How fast, and whom to tell.</param>
internal sealed class CapturePace(TimeProvider clock, CaptureOptions options)
{
    private const int MaxStepBytes = 1 << 20;
    private const int StepsPerSecond = 20;

    private readonly long started = clock.GetTimestamp();
    private long bytes;

    /// <summary>
    /// How much is copied at once, bytes: in rollback mode writers wait for so long, and the speed is even at a scale of this.
    /// </summary>
    public int StepBytes => (int)Math.Clamp((options.MaxBytesPerSecond ?? long.MaxValue) / StepsPerSecond, 512, MaxStepBytes);

    /// <summary>Some bytes were copied: waits until they may have been.</summary>
    /// <param name="count">Bytes since the last call.</param>
    /// <param name="done">Bytes of the copy that are there.</param>
    /// <param name="total">Bytes that it will have.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public void Copied(long count, long done, long total, CancellationToken cancellationToken)
    {
        options.OnCopied?.Invoke(done, total);
        Heed(count, cancellationToken);
    }

    /// <summary>The same, of which nobody is told.</summary>
    public void Heed(long count, CancellationToken cancellationToken)
    {
        bytes += count;
        cancellationToken.ThrowIfCancellationRequested();
        if (options.MaxBytesPerSecond is not { } limit) return;
        TimeSpan ahead = TimeSpan.FromSeconds((double)bytes / limit) - clock.GetElapsedTime(started);
        if (ahead > TimeSpan.Zero) Pause(clock, ahead, cancellationToken);
    }

    /// <summary>Lets time pass by a clock.</summary>
    public static void Pause(TimeProvider clock, TimeSpan time, CancellationToken cancellationToken)
    {
        if (clock == TimeProvider.System)
        {
            // The thread itself sleeps: a timer would wake others of the pool.
            if (cancellationToken.WaitHandle.WaitOne(time)) cancellationToken.ThrowIfCancellationRequested();
            return;
        }

        using var end = new ManualResetEventSlim();
        using ITimer timer = clock.CreateTimer(static e => ((ManualResetEventSlim)e!).Set(), end, time, Timeout.InfiniteTimeSpan);
        end.Wait(cancellationToken);
    }
}
