namespace Holdfast.Bitcask.Merging;

/// <summary>Keeps a merge to its budget of bytes a second.</summary>
/// <param name="clock">Tells the time.</param>
/// <param name="bytesPerSecond">0 = no limit.</param>
internal sealed class MergePace(TimeProvider clock, long bytesPerSecond)
{
    // Looked at now and then, so that a record costs an addition.
    private const long StepBytes = 256 << 10;

    private readonly long start = clock.GetTimestamp();
    private long spent;
    private long sinceLook;

    /// <summary>Notes that bytes were read or written, and waits when that was too fast.</summary>
    public void Spend(long bytes, CancellationToken cancellationToken)
    {
        sinceLook += bytes;
        if (sinceLook < StepBytes) return;
        spent += sinceLook;
        sinceLook = 0;
        cancellationToken.ThrowIfCancellationRequested();
        if (bytesPerSecond == 0) return;
        TimeSpan due = TimeSpan.FromSeconds((double)spent / bytesPerSecond);
        TimeSpan ahead = due - clock.GetElapsedTime(start);
        if (ahead > TimeSpan.Zero) Wait(ahead, cancellationToken);
    }

    private void Wait(TimeSpan time, CancellationToken cancellationToken)
    {
        if (clock == TimeProvider.System)
        {
            // The thread itself sleeps. A timer and an event would keep the pool's threads spinning, a thousand times
            // a second, on a processor that a writer wants.
            if (cancellationToken.WaitHandle.WaitOne(time)) cancellationToken.ThrowIfCancellationRequested();
            return;
        }

        using var end = new ManualResetEventSlim();
        using ITimer timer = clock.CreateTimer(static e => ((ManualResetEventSlim)e!).Set(), end, time, Timeout.InfiniteTimeSpan);
        end.Wait(cancellationToken);
    }
}
