using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>An append-only log in a directory of segment files. Format: docs/formats/log.md.</summary>
/// <remarks>
/// For any number of threads. Positions grow with the order of appends. Whoever must do more in the order of the
/// appends does it under <see cref="Gate"/>, which the log itself takes for each append.
///
/// What is durable when an append returns is told by its <see cref="Durability"/>. A sync that failed, or a write other
/// than for lack of space, is final: every later append throws, what was durable stays readable.
/// </remarks>
public sealed partial class SegmentedLog : IDisposable
{
    private readonly Host host;
    private readonly LogOptions options;
    private readonly List<LogDamage> damages = [];
    private ITimer? timer;
    private IDiskLock? directoryLock;
    private volatile LogSegmentList segments = LogSegmentList.Empty;
    private SegmentAppender? active;
    private LogSegment? activeSegment;
    private uint nextNumber = 1;

    // Set when the log was closed without its last appends: they are not durable, though no segment is active.
    private LogPosition? durableAtClose;
    private Exception? failure;
    private bool isDisposed;

    private SegmentedLog(Host host, string directory, LogOptions options)
    {
        this.host = host;
        this.options = options;
        Directory = directory;
    }

    /// <summary>Names this log among all others.</summary>
    public LogId Id { get; private set; }

    /// <summary>Where it lies.</summary>
    public string Directory { get; }

    /// <summary>Whether it was opened for reading only.</summary>
    public bool IsReadOnly => options.ReadOnly;

    /// <summary>Taken for each append. Whoever holds it keeps all appenders waiting.</summary>
    public object Gate { get; } = new();

    /// <summary>
    /// Called each time when a segment was sealed because it was full, by the appender that met its end, under <see cref="Gate"/>.
    /// </summary>
    public Action? OnFull { get; set; }

    /// <summary>All segments by number, lowest first, the active one included.</summary>
    public IReadOnlyList<LogSegment> Segments => segments.Items;

    /// <summary>What was damaged when the log was opened.</summary>
    public IReadOnlyList<LogDamage> Damages => damages;

    /// <summary>
    /// What open cut off; null when there was no torn tail. Opened for reading only: what an owner would cut off, or is
    /// just writing.
    /// </summary>
    public LogTornTail? TornTail { get; private set; }

    /// <summary>Where the next entry will go, at the earliest. Compare it, do not read there.</summary>
    public LogPosition Appended
    {
        get
        {
            lock (Gate) return EndLocked();
        }
    }

    /// <summary>How much the active segment holds, bytes; 0 when none was begun.</summary>
    public long ActiveBytes
    {
        get
        {
            lock (Gate) return active is null || active.IsEmpty ? 0 : active.Appended;
        }
    }

    /// <summary>Everything before it is durable.</summary>
    public LogPosition Durable
    {
        get
        {
            lock (Gate) return DurableLocked();
        }
    }

    /// <summary>The segment of a number; null when there is none, or none any more.</summary>
    public LogSegment? Find(uint number) => segments.Find(number);

    /// <summary>Appends an entry whose payload is up to three pieces one after the other.</summary>
    /// <param name="first">First piece.</param>
    /// <param name="second">Second piece.</param>
    /// <param name="third">Third piece.</param>
    /// <param name="durability">What is durable when it returns; null = as the log was opened.</param>
    /// <returns>Where its frame begins.</returns>
    /// <exception cref="DiskException">Nothing was appended (no space), or the log has failed for good.</exception>
    public LogPosition Append(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default, ReadOnlySpan<byte> third = default,
        Durability? durability = null)
    {
        Durability wanted = durability ?? options.Durability;
        LogPosition position;
        LogPosition end;
        lock (Gate)
        {
            position = AppendLocked(first, second, third);
            end = EndLocked();
            HonourLocked(wanted);
        }

        if (wanted == Durability.Group) Commit(end);
        return position;
    }

    /// <summary>The same without waiting on the calling thread.</summary>
    public async ValueTask<LogPosition> AppendAsync(
        ReadOnlyMemory<byte> payload, Durability? durability = null)
    {
        Durability wanted = durability ?? options.Durability;
        LogPosition position;
        LogPosition end;
        lock (Gate)
        {
            position = AppendLocked(payload.Span, default, default);
            end = EndLocked();
            if (wanted == Durability.Interval) StartTimer();
        }

        if (wanted is Durability.Group or Durability.Each) await CommitAsync(end).ConfigureAwait(false);
        return position;
    }

    /// <summary>Appends entries that are there together or not at all, whatever happens.</summary>
    /// <param name="group">Gets the positions.</param>
    /// <param name="durability">What is durable when it returns; null = as the log was opened.</param>
    public void Append(LogGroup group, Durability? durability = null)
    {
        Durability wanted = durability ?? options.Durability;
        LogPosition end;
        lock (Gate)
        {
            AppendLocked(group);
            end = EndLocked();
            HonourLocked(wanted);
        }

        if (wanted == Durability.Group) Commit(end);
    }

    /// <summary>
    /// Makes room for what <see cref="AppendLocked(ReadOnlySpan{byte}, ReadOnlySpan{byte}, ReadOnlySpan{byte})"/> will
    /// append next, so that it does not wait; the caller holds <see cref="Gate"/>. This may wait, and others may append
    /// meanwhile: what is decided by the order of appends is decided afterwards.
    /// </summary>
    /// <param name="payloadBytes">Length of the payload.</param>
    public void ReserveLocked(long payloadBytes)
    {
        long frameBytes = Frame.SizeOf(payloadBytes);
        if (!HasRoom(active, frameBytes)) _ = MakeRoom(frameBytes, tells: false);
    }

    /// <summary>The same for a group.</summary>
    public void ReserveLocked(LogGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        ThrowIfTooLarge(group);
        if (group.Count > 0) _ = MakeRoom(group.FrameBytes, tells: false);
    }

    /// <summary>
    /// Appends an entry; the caller holds <see cref="Gate"/>, and waits for durability by <see cref="Commit"/> after
    /// letting go of it.
    /// </summary>
    /// <remarks>
    /// It may have to wait for a write: then the gate is open for a while, before anything is appended. Whoever must
    /// decide under the gate what to append decides again when <see cref="Appended"/> is not where it was.
    /// </remarks>
    /// <inheritdoc cref="Append(ReadOnlySpan{byte}, ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability?)"/>
    public LogPosition AppendLocked(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default, ReadOnlySpan<byte> third = default)
    {
        long payload = (long)first.Length + second.Length + third.Length;
        if (payload > Frame.MaxPayloadBytes)
        {
            throw new ArgumentException($"an entry of {payload} bytes, at most {Frame.MaxPayloadBytes} are possible");
        }

        long frameBytes = Frame.SizeOf(payload);
        SegmentAppender? appender = active;
        if (!HasRoom(appender, frameBytes) || appender.OwesWatermark) appender = MakeRoom(frameBytes);
        long before = appender.Appended;
        long count = appender.EntryCount;
        try
        {
            long offset = appender.Append(FrameKind.Entry, first, second, third);
            if (followed is not null) Signal();
            return new LogPosition(activeSegment!.Number, offset);
        }
        catch (DiskException reason)
        {
            Withdraw(appender, before, count, reason);
            throw;
        }
    }

    /// <summary>Appends a group; the caller holds <see cref="Gate"/>.</summary>
    /// <inheritdoc cref="Append(LogGroup, Durability?)"/>
    public void AppendLocked(LogGroup group)
    {
        ArgumentNullException.ThrowIfNull(group);
        if (group.Count == 0) return;
        ThrowIfTooLarge(group);

        SegmentAppender appender = MakeRoom(group.FrameBytes);
        long before = appender.Appended;
        long count = appender.EntryCount;
        try
        {
            for (int i = 0; i < group.Count; i++)
            {
                FrameKind kind = i == group.Count - 1 ? FrameKind.Entry : FrameKind.EntryOfGroup;
                long offset = appender.Append(kind, group.PayloadAt(i), default, default);
                group.SetPosition(i, new LogPosition(activeSegment!.Number, offset));
            }

            if (followed is not null) Signal();
        }
        catch (DiskException reason)
        {
            Withdraw(appender, before, count, reason);
            throw;
        }
    }

    /// <summary>Closes the log. What was not synced is written and synced first.</summary>
    /// <exception cref="DiskException">
    /// That failed: the log is closed all the same. A log that has failed before is closed as it is, without a word.
    /// </exception>
    public void Dispose()
    {
        lock (Gate)
        {
            if (isDisposed) return;
            timer?.Dispose();
            try
            {
                Exception? reason = TryWaitForWriters();
                bool isLoss = reason is not null && failure is null && active is { IsEmpty: false };
                if (reason is not null) Fail(reason);
                if (active is not null) CloseActive();
                if (isLoss) ExceptionDispatchInfo.Throw(reason!);
            }
            finally
            {
                isDisposed = true;
                while (workers > 0) Monitor.Wait(Gate);
                turn?.Dispose();
                _ = TakeRetiredEmpty();
                Signal();
                RemoveDropped();
                foreach (LogSegment segment in segments.Items) segment.Release();
                directoryLock?.Dispose();
                directoryLock = null;
            }
        }
    }

    private void CloseActive()
    {
        durableAtClose = DurableLocked();
        try
        {
            if (failure is null)
            {
                Guard(() => active!.Sync(isLast: true));
                durableAtClose = null;
                active!.TryTrim();
            }
        }
        finally
        {
            activeSegment!.Detach(active!.Written);
            active.Dispose();
            active = null;
        }
    }

    private LogSegment SealActive()
    {
        LogSegment sealing = activeSegment!;
        Guard(() =>
        {
            SegmentSeal seal = active!.Seal(out byte[]? fileHash);
            sealing.MarkSealed(seal, fileHash);
        });
        active!.Dispose();
        active = null;
        activeSegment = null;
        Signal();
        return sealing;
    }

    /// <summary>
    /// Does at once what a durability asks of one who appended and holds <see cref="Gate"/>: a sync of its own, or a
    /// timer for the interval. For a group it waits by <see cref="Commit"/> afterwards, without the gate.
    /// </summary>
    public void HonourLocked(Durability wanted)
    {
        if (wanted == Durability.Each) SyncLocked();
        else if (wanted == Durability.Interval) StartTimer();
    }

    private void StartTimer() => timer ??= host.Clock.CreateTimer(
        static log => ((SegmentedLog)log!).SyncByTimer(), this, options.Interval, options.Interval);

    // Whether nothing is left to do for frames of some bytes but to append them.
    private bool HasRoom([NotNullWhen(true)] SegmentAppender? appender, long frameBytes) =>
        appender is not null && appender.HasRoom(frameBytes) && failure is null && (turn is null || isTurning);

    // The active segment with room for frames of some bytes in its file and in its buffer.
    private SegmentAppender MakeRoom(long frameBytes, bool tells = true)
    {
        try
        {
            return MakeRoomOrThrow(frameBytes, tells);
        }
        catch (HoldfastException reason) when (failure is null && reason is not DiskException { IsNoSpace: true })
        {
            Fail(reason);
            throw;
        }
    }

    private SegmentAppender MakeRoomOrThrow(long frameBytes, bool tells)
    {
        while (true)
        {
            ThrowIfUnusable();
            if (turn is not null && !isTurning)
            {
                EndTurn();
            }
            else if (active is null)
            {
                if (isTurning) Monitor.Wait(Gate);
                else _ = TurnTo(frameBytes);
            }
            else if (!active.HasCapacity(frameBytes))
            {
                if (isTurning || active.IsWriting)
                {
                    Monitor.Wait(Gate);
                    continue;
                }

                // An empty one that is too small for a large group is not worth keeping.
                if (active.IsEmpty) RetireEmpty();
                else if (TurnTo(frameBytes) is not null) OnFull?.Invoke();
            }
            else if (active.TryMakeRoom(frameBytes, tells))
            {
                return active;
            }
        }
    }

    private void Withdraw(SegmentAppender appender, long before, long count, DiskException reason)
    {
        bool isWithdrawn = false;
        if (reason.IsNoSpace) Guard(() => isWithdrawn = appender.TryRollback(before, count));
        // What is left of it may look like the beginning of whatever came next.
        if (!isWithdrawn) Fail(reason);
    }

    // Does what ends the log for good when it fails.
    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (HoldfastException reason)
        {
            Fail(reason);
            throw;
        }
    }

    private void Fail(Exception reason)
    {
        failure ??= reason;
        Monitor.PulseAll(Gate);
    }

    // Until nobody writes, so that the caller may.
    private void WaitForWriters()
    {
        while (true)
        {
            if (turn is not null && !isTurning && failure is null) EndTurn();
            else if (isTurning || (turn is null && active is { IsWriting: true })) Monitor.Wait(Gate);
            else return;
        }
    }

    private void ThrowIfUnusable()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (options.ReadOnly) throw new InvalidOperationException($"{Directory} was opened for reading only");
        if (failure is null) return;
        throw new HoldfastException(
            ErrorKind.Failed,
            $"{Directory}: an earlier write failed: {failure.Message}",
            "what was durable is safe; look at the disk, then open it again",
            failure);
    }

    /// <summary><see cref="Appended"/>, for one who holds <see cref="Gate"/>.</summary>
    public LogPosition EndLocked() =>
        active is null ? new LogPosition(nextNumber, 0) : new LogPosition(activeSegment!.Number, active.Appended);

    private static void ThrowIfTooLarge(LogGroup group)
    {
        if (group.FrameBytes <= LogGroup.MaxFrameBytes) return;
        throw new ArgumentException($"a group of {group.FrameBytes} bytes, at most {LogGroup.MaxFrameBytes} are possible");
    }

    private LogPosition DurableLocked()
    {
        if (durableAtClose is { } end) return end;
        if (turn is { IsSealed: false } turning) return new LogPosition(turning.BeforeSegment!.Number, turning.Before!.Durable);
        return active is null ? new LogPosition(nextNumber, 0) : new LogPosition(activeSegment!.Number, active.Durable);
    }
}
