using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>From one active segment to the next, while appends go on.</summary>
/// <remarks>
/// From the instant of a turn on entries go to the next segment, but only into its buffer: nothing of it is written,
/// and it has no name, before the one before is sealed and durable. So what a crash leaves is the same as if all
/// appenders had waited.
/// </remarks>
public sealed partial class SegmentedLog
{
    // The turn that has not ended: a thread is at it, or it lacked space and waits for one who needs its end.
    private Turn? turn;

    // A thread is at a turn, or about to begin one.
    private bool isTurning;

    // How many are at the disk for the log without the gate, apart from those who write or turn.
    private int workers;

    /// <summary>Seals the active segment, unless it is empty, while appends go on to the next one.</summary>
    /// <param name="atTurn">
    /// Called under <see cref="Gate"/> at the instant after which entries go to the next segment: all entries so far
    /// lie in <see cref="Segments"/>, below that. Also when there is nothing to seal. What it throws ends the call,
    /// and nothing has happened.
    /// </param>
    /// <returns>The segment that was sealed; null when there was nothing to seal.</returns>
    /// <remarks>Not for one who holds the gate.</remarks>
    public LogSegment? Seal(Action? atTurn = null)
    {
        lock (Gate)
        {
            WaitUntilIdle();
            if (active is { IsEmpty: false })
            {
                try
                {
                    return TurnTo(0, atTurn);
                }
                catch (DiskException reason) when (reason.IsNoSpace && failure is null)
                {
                    // What is sealed can be merged, which makes space: the next segment waits for it.
                    if (turn is { BeforeSegment: { } before }) return before;
                }

                WaitUntilIdle();
            }

            atTurn?.Invoke();
            return active is null || active.IsEmpty ? null : SealActive();
        }
    }

    /// <summary>The same without a next segment: for one who closes the log then.</summary>
    public LogSegment? SealLast()
    {
        lock (Gate)
        {
            WaitUntilIdle();
            return active is null || active.IsEmpty ? null : SealActive();
        }
    }

    private void WaitUntilIdle()
    {
        ThrowIfUnusable();
        WaitForWriters();
        ThrowIfUnusable();
    }

    // Under the gate, which is open in between; nobody is turning, and the active segment, if there is one, is not
    // empty. When it returns, the next one has room for frames of some bytes, unless others were faster.
    private LogSegment? TurnTo(long frameBytes, Action? atTurn = null)
    {
        LogSegment? before = activeSegment;
        isTurning = true;
        NextFile? next = null;
        try
        {
            next = TakeNextFile(frameBytes);
            while (active is { IsWriting: true }) Monitor.Wait(Gate);
            ThrowIfUnusable();
            atTurn?.Invoke();
            Begin(next);
            next = null;
            RunTurn();
            return before;
        }
        finally
        {
            if (next is not null) GiveBack(next);
            isTurning = false;
            Monitor.PulseAll(Gate);
        }
    }

    // Ends a turn that lacked space. Under the gate.
    private void EndTurn()
    {
        isTurning = true;
        try
        {
            RunTurn();
        }
        finally
        {
            isTurning = false;
            Monitor.PulseAll(Gate);
        }
    }

    private void Begin(NextFile next)
    {
        SegmentHeader header = DrawHeader() with { IsRing = next.FreePath is not null };
        turn = new Turn(active, activeSegment, active?.Take(isLast: true) ?? 0, next, header);
        var segment = new LogSegment(this, SegmentFiles.PathOf(Directory, header.Number), header);
        segments = segments.With(segment);
        Activate(next.File, segment, next.Capacity, next.Allocated);
        active!.Hold();
        // Some may wait for room.
        Monitor.PulseAll(Gate);
    }

    private void RunTurn()
    {
        Turn current = turn!;
        try
        {
            WithoutGate(() =>
            {
                if (!current.IsSealed) SealBefore(current);
                NameNext(current);
            });
        }
        catch (Exception reason)
        {
            // Without space for the name it can be tried again.
            if (!current.IsSealed || reason is not DiskException { IsNoSpace: true }) Fail(reason);
            throw;
        }
    }

    private void SealBefore(Turn current)
    {
        SegmentAppender before = current.Before!;
        bool isDurable = false;
        try
        {
            before.WriteTaken();
            isDurable = true;
        }
        finally
        {
            lock (Gate) before.Release(current.End, isDurable);
        }

        SegmentSeal seal = before.Seal(out byte[]? fileHash);
        lock (Gate)
        {
            current.BeforeSegment!.MarkSealed(seal, fileHash);
            current.IsSealed = true;
            Signal();
        }

        // Its buffers are given back to the system, which takes too long under the gate.
        before.Dispose();
    }

    private void NameNext(Turn current)
    {
        NextFile next = current.Next;
        bool isDirty;
        lock (Gate)
        {
            isDirty = next.FreePath is not null && isDirectoryDirty;
            if (isDirty) isDirectoryDirty = false;
        }

        // Before the header changes, the file must not be found under its old number.
        if (isDirty) host.Disk.SyncDirectory(Directory);
        next.File.Write(0, current.Header.Encode());
        next.File.Sync();
        string path = SegmentFiles.PathOf(Directory, current.Header.Number);
        if (next.FreePath is { } free) host.Disk.Rename(free, path);
        else PublishNew(next.File, path);
        IDiskFile reader = AfterNaming(path);
        LogSegment? retired;
        lock (Gate)
        {
            activeSegment!.SetFile(reader, next.Capacity);
            active!.LetGo();
            turn = null;
            retired = TakeRetiredEmpty();
            Signal();
        }

        retired?.Release();
    }

    // Under the gate, which is open in between.
    private NextFile TakeNextFile(long frameBytes)
    {
        long needed = SegmentHeader.FixedBytes + Frame.WatermarkBytes + frameBytes + SegmentSeal.Size;
        if (options.RingSegments == 0 || needed > options.SegmentBytes)
        {
            long capacity = Math.Max(options.SegmentBytes, needed);
            return WithoutGate(() => CreateNext(needed, capacity));
        }

        // Others only add free files, but for one who turns.
        if (freeFiles.Count == 0)
        {
            string created = WithoutGate(CreateFreeFile);
            freeFiles.Push(created);
        }

        string free = freeFiles.Pop();
        try
        {
            return new NextFile(OpenNamed(free, DiskAccess.ReadWrite), free, options.SegmentBytes, 0);
        }
        catch
        {
            freeFiles.Push(free);
            throw;
        }
    }

    // With the disk space for all that may be appended before it has a name.
    private NextFile CreateNext(long needed, long capacity)
    {
        IDiskFile file = host.Disk.CreateUnnamed(Directory);
        try
        {
            long wanted = Math.Min(capacity, SegmentHeader.FixedBytes + options.BufferBytes + SegmentSeal.Size);
            try
            {
                file.Allocate(wanted);
            }
            catch (DiskException reason) when (reason.IsNoSpace && wanted > needed)
            {
                wanted = needed;
                file.Allocate(wanted);
            }

            return new NextFile(file, null, capacity, wanted);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void GiveBack(NextFile next)
    {
        next.File.Dispose();
        if (next.FreePath is { } free) freeFiles.Push(free);
    }

    private void WithoutGate(Action action) => WithoutGate(() =>
    {
        action();
        return true;
    });

    private T WithoutGate<T>(Func<T> action)
    {
        Monitor.Exit(Gate);
        try
        {
            return action();
        }
        finally
        {
            Monitor.Enter(Gate);
        }
    }

    // A file to be the next segment, not yet begun.
    private sealed record NextFile(IDiskFile File, string? FreePath, long Capacity, long Allocated);

    private sealed class Turn(SegmentAppender? before, LogSegment? beforeSegment, long end, NextFile next, SegmentHeader header)
        : IDisposable
    {
        /// <summary>What is sealed; null when there is no segment before.</summary>
        public SegmentAppender? Before { get; } = before;

        public LogSegment? BeforeSegment { get; } = beforeSegment;

        /// <summary>Where the entries of the segment before end.</summary>
        public long End { get; } = end;

        public NextFile Next { get; } = next;

        public SegmentHeader Header { get; } = header;

        /// <summary>Whether the segment before is sealed, and all of it durable.</summary>
        public bool IsSealed { get; set; } = before is null;

        /// <summary>At closing, when the turn has failed.</summary>
        public void Dispose()
        {
            if (IsSealed) return;
            BeforeSegment!.Detach(Before!.Written);
            Before.Dispose();
        }
    }
}
