using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Work that nobody waits for: hints, merges, freeing of what readers have let go.</summary>
public sealed partial class BitcaskStore
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromDays(20);

    private readonly AutoResetEvent maintenanceWanted = new(initialState: false);
    private Thread? maintainer;

    /// <summary>What the last work in the background failed with; null when it did not.</summary>
    public Exception? MaintenanceFailure { get; private set; }

    /// <summary>
    /// Does what is due: writes hints of sealed segments, merges by <see cref="BitcaskOptions.Merge"/>. Called in the
    /// background unless the store was opened without.
    /// </summary>
    public void Maintain(CancellationToken cancellationToken = default)
    {
        using Work work = BeginWork(cancellationToken);
        _ = epochs.TryReclaim();
        HoldfastException? unwritten = WriteHints(work.Token);
        if (IsMergeDue()) _ = Merge(MergeScope.Due, work.Token);
        _ = epochs.TryReclaim();
        ReleaseUnread();
        if (unwritten is not null) throw new HoldfastException(unwritten.Kind, unwritten.Message, unwritten.Hint, unwritten);
    }

    private HoldfastException? WriteHints(CancellationToken cancellationToken)
    {
        HoldfastException? unwritten = null;
        foreach (LogSegment segment in log.Segments)
        {
            if (!segment.IsSealed || segment.Tag is not SegmentTally { HasHint: false, IsDamaged: false }) continue;
            try
            {
                hints.Write(segment, cancellationToken);
            }
            catch (HoldfastException reason)
            {
                // One that cannot be read must not keep the others from their hints, nor all of them from merges.
                unwritten ??= reason;
            }
        }

        return unwritten;
    }

    private void StartMaintainer()
    {
        maintainer = new Thread(RunMaintainer) { IsBackground = true, Name = "bitcask maintenance" };
        // The full one wants a hint; whoever seals one on purpose sees to that.
        log.OnFull = () => maintenanceWanted.Set();
        maintainer.Start();
    }

    private void RunMaintainer()
    {
        // A wait has a limit of its own, in milliseconds.
        TimeSpan interval = options.Merge.CheckInterval < MaxWait ? options.Merge.CheckInterval : MaxWait;
        while (true)
        {
            _ = maintenanceWanted.WaitOne(interval);
            if (closing.IsCancellationRequested) return;
            try
            {
                Maintain(closing.Token);
                MaintenanceFailure = null;
            }
            catch (Exception reason)
            {
                // Everything here can be done later; what a failed disk means to writers, the next write says.
                if (!closing.IsCancellationRequested) MaintenanceFailure = reason;
            }
        }
    }

    private void StopMaintainer()
    {
        maintenanceWanted.Set();
        maintainer?.Join();
    }
}
