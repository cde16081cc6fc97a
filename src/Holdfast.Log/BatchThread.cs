namespace Holdfast.Log;

/// <summary>Has the calling thread scheduled as one that works through a batch.</summary>
/// <remarks>
/// When it wakes up, it does not push another thread off its processor: what a writer would notice most of a merge on a
/// machine with few processors. It gets as much of the processors as before.
/// </remarks>
public readonly struct BatchThread : IDisposable
{
    private readonly bool isChanged;

    private BatchThread(bool isChanged) => this.isChanged = isChanged;

    /// <summary>Begins; a thread with another policy than the usual one keeps it.</summary>
    /// <returns>To be disposed of by the same thread.</returns>
    public static BatchThread Begin() => new(
        LibC.GetScheduler(0) == LibC.ScheduleNormal && LibC.SetScheduler(0, LibC.ScheduleBatch, in LibC.NoPriority) == 0);

    /// <summary>The thread is scheduled as before.</summary>
    public void Dispose()
    {
        if (isChanged) _ = LibC.SetScheduler(0, LibC.ScheduleNormal, in LibC.NoPriority);
    }
}
