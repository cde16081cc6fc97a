namespace Holdfast.Log;

/// <summary>Reading, also at the tail.</summary>
public sealed partial class SegmentedLog
{
    private TaskCompletionSource? followed;

    /// <summary>Whether it was closed.</summary>
    public bool IsClosed
    {
        get
        {
            lock (Gate) return isDisposed;
        }
    }

    /// <summary>Reads entries in the order of their positions.</summary>
    /// <param name="from">Where an entry begins, or ended; or the beginning of a segment (offset 0); the default value is the beginning.</param>
    /// <param name="bound">How far.</param>
    public LogReader OpenReader(LogPosition from = default, LogReadBound bound = LogReadBound.Durable) =>
        new(this, from, bound);

    /// <summary>Writes what is buffered to the file, without making it durable.</summary>
    public void Flush()
    {
        lock (Gate)
        {
            WaitForWriters();
            if (active is not null && failure is null) Guard(active.Flush);
        }
    }

    // How far a segment may be read, bytes.
    internal long ReadableEnd(LogSegment segment, LogReadBound bound)
    {
        lock (Gate)
        {
            if (bound == LogReadBound.Durable && segment == turn?.BeforeSegment) return turn.Before!.Durable;
            if (segment == activeSegment && bound == LogReadBound.Durable && active is not null) return active.Durable;
            if (segment == activeSegment || segment == turn?.BeforeSegment) WaitForWriters();
            if (segment != activeSegment || active is null) return segment.Readable;
            if (failure is null) Guard(active.Flush);
            return active.Written;
        }
    }

    // Completes when something was appended or made durable after the call, or the log was closed.
    internal Task ChangeAsync()
    {
        lock (Gate)
        {
            if (isDisposed) return Task.CompletedTask;
            followed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return followed.Task;
        }
    }

    private void Signal()
    {
        followed?.TrySetResult();
        followed = null;
    }
}
