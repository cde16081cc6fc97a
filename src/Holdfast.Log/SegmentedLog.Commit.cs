using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;
using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Durability: many appends made durable by one sync.</summary>
public sealed partial class SegmentedLog
{
    // Who finds nobody syncing leads: it takes what all have appended so far, writes and syncs it without the gate, and
    // wakes those who waited for it. Who comes meanwhile waits for the next round, which one of them leads. So each
    // sync serves all who came during the one before, and everybody is woken once.
    private const long GroupIsLargeBytes = 256 << 10;

    [ThreadStatic]
    private static CommitWaiter? threadWaiter;

    private List<CommitWaiter> waiting = [];
    private List<CommitWaiter>? spare;
    private bool isLeading;

    /// <summary>Returns when everything before a position is durable.</summary>
    /// <param name="end">Such as <see cref="Appended"/>, read after the append.</param>
    public void Commit(LogPosition end)
    {
        CommitWaiter waiter;
        lock (Gate)
        {
            if (IsCommitted(end)) return;
            if (!isLeading)
            {
                isLeading = true;
                waiter = CommitWaiter.Leader;
            }
            else
            {
                waiter = threadWaiter ??= new CommitWaiter();
                waiter.Reset(isBlocking: true);
                waiting.Add(waiter);
            }
        }

        if (waiter != CommitWaiter.Leader && waiter.WaitForTurn() == CommitTurn.Served)
        {
            lock (Gate) ThrowUnlessCommitted(end);
            return;
        }

        Lead(mayDelay: true);
        lock (Gate) ThrowUnlessCommitted(end);
    }

    /// <summary>Completes when everything before a position is durable.</summary>
    /// <param name="end">Such as <see cref="Appended"/>, read after the append.</param>
    public async ValueTask CommitAsync(LogPosition end)
    {
        CommitWaiter waiter;
        lock (Gate)
        {
            if (IsCommitted(end)) return;
            waiter = new CommitWaiter();
            waiter.Reset(isBlocking: false);
            waiting.Add(waiter);
            if (!isLeading)
            {
                isLeading = true;
                ThreadPool.UnsafeQueueUserWorkItem(static log => log.LeadAll(), this, preferLocal: false);
            }
        }

        await waiter.Task.ConfigureAwait(false);
        lock (Gate) ThrowUnlessCommitted(end);
    }

    /// <summary>Makes all that was appended durable.</summary>
    public void Sync() => Commit(Appended);

    /// <summary>Makes all that was appended durable.</summary>
    public ValueTask SyncAsync() => CommitAsync(Appended);

    private bool IsCommitted(LogPosition end)
    {
        if (DurableLocked() >= end) return true;
        ThrowIfUnusable();
        return false;
    }

    private void ThrowUnlessCommitted(LogPosition end)
    {
        if (IsCommitted(end)) return;
        throw new InvalidOperationException($"{Directory}: {end} is not durable after a commit");
    }

    // A leader without a thread of its own goes on until nobody waits.
    private void LeadAll()
    {
        while (Lead(mayDelay: true, handsOver: false))
        {
        }
    }

    // One round. Says whether this thread leads the next one too.
    private bool Lead(bool mayDelay, bool handsOver = true)
    {
        SegmentAppender? appender = null;
        List<CommitWaiter> round;
        long end = 0;
        Exception? reason = null;
        lock (Gate)
        {
            if (mayDelay && options.GroupDelay > TimeSpan.Zero) DelayForOthers();
            round = waiting;
            waiting = spare ?? [];
            spare = null;
            reason = TryWaitForWriters();
            if (failure is null && reason is null && active is not null && active.Durable < active.Appended)
            {
                appender = active;
                end = appender.Take();
            }
        }

        try
        {
            appender?.WriteTaken();
        }
        catch (Exception caught)
        {
            // Whatever it is: those who wait must be woken, and are told of it.
            reason = caught;
        }

        CommitWaiter? next = null;
        bool goesOn = false;
        lock (Gate)
        {
            appender?.Release(end, reason is null);
            if (reason is not null) Fail(reason);
            if (waiting.Count == 0)
            {
                isLeading = false;
            }
            else if (!handsOver)
            {
                goesOn = true;
            }
            else
            {
                next = TakeNextLeader();
                if (next is null) ThreadPool.UnsafeQueueUserWorkItem(static log => log.LeadAll(), this, false);
            }

            Signal();
        }

        next?.Wake(CommitTurn.Lead);
        foreach (CommitWaiter waiter in round) waiter.Wake(CommitTurn.Served);
        round.Clear();
        lock (Gate) spare = round;
        // What is no error of the disk is one of the program: its own thread shows it as it is.
        if (handsOver && reason is not (null or DiskException or ObjectDisposedException)) ExceptionDispatchInfo.Throw(reason);
        return goesOn;
    }

    // Who waits for durability is told why there is none.
    private Exception? TryWaitForWriters()
    {
        try
        {
            WaitForWriters();
            return null;
        }
        catch (Exception reason)
        {
            // Whatever it is: those who wait must be woken, and are told of it.
            return reason;
        }
    }

    private CommitWaiter? TakeNextLeader()
    {
        for (int i = 0; i < waiting.Count; i++)
        {
            CommitWaiter waiter = waiting[i];
            if (!waiter.IsBlocking) continue;
            waiting.RemoveAt(i);
            return waiter;
        }

        return null;
    }

    private void DelayForOthers()
    {
        long start = host.Clock.GetTimestamp();
        TimeSpan left = options.GroupDelay;
        while (left > TimeSpan.Zero && active is not null && active.Appended - active.Durable < GroupIsLargeBytes)
        {
            // Nobody pulses for an append: it simply waits, and others get the gate.
            if (!Monitor.Wait(Gate, left)) return;
            left = options.GroupDelay - host.Clock.GetElapsedTime(start);
        }
    }

    /// <summary>
    /// Makes all that was appended durable, by a sync that nobody shares; the caller holds <see cref="Gate"/>.
    /// </summary>
    public void SyncLocked()
    {
        ThrowIfUnusable();
        Guard(WaitForWriters);
        if (active is null) return;
        Guard(() => active.Sync());
        Signal();
    }

    private enum CommitTurn
    {
        Waiting,
        Served,
        Lead,
    }

    // Somebody who waits for a sync: a thread, or a task.
    private sealed class CommitWaiter : IValueTaskSource
    {
        public static readonly CommitWaiter Leader = new();

        private ManualResetValueTaskSourceCore<bool> source = new() { RunContinuationsAsynchronously = true };
        private CommitTurn turn;

        public bool IsBlocking { get; private set; }

        public ValueTask Task => new(this, source.Version);

        public void Reset(bool isBlocking)
        {
            IsBlocking = isBlocking;
            turn = CommitTurn.Waiting;
        }

        public CommitTurn WaitForTurn()
        {
            lock (this)
            {
                while (turn == CommitTurn.Waiting) Monitor.Wait(this);
                return turn;
            }
        }

        public void Wake(CommitTurn given)
        {
            if (!IsBlocking)
            {
                source.SetResult(true);
                return;
            }

            lock (this)
            {
                turn = given;
                Monitor.Pulse(this);
            }
        }

        public void GetResult(short token) => source.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => source.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            source.OnCompleted(continuation, state, token, flags);
    }
}
