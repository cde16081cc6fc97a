using System.Collections.Concurrent;
using Holdfast.Bitcask.Merging;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Merging: space that dead records take comes back, while others read and write.</summary>
public sealed partial class BitcaskStore
{
    private readonly Lock mergeGate = new();
    private readonly ConcurrentQueue<LogSegment> unread = new();

    /// <summary>Merges segments, whatever the time of day; waits for a merge that is going on.</summary>
    /// <param name="scope">Which segments.</param>
    /// <param name="cancellationToken">Cancelling leaves what was merged so far.</param>
    /// <remarks>Space is free when it returns, but for what snapshots, leases and checkpoints in the making still hold.</remarks>
    public MergeReport Merge(MergeScope scope = MergeScope.Due, CancellationToken cancellationToken = default)
    {
        using Work work = BeginWork(cancellationToken);
        lock (mergeGate)
        {
            work.Token.ThrowIfCancellationRequested();
            if (scope == MergeScope.All) _ = log.Seal();
            MergePolicy policy = CreatePolicy();
            List<LogSegment> chosen = [.. Mergeable().Where(s => scope == MergeScope.All || policy.TakesPart(s))];
            MergeReport report = MergeReport.Nothing;
            foreach (List<LogSegment> group in MergePolicy.Group(chosen, options.SegmentBytes))
            {
                // One that is clean, alone and of good size would only be copied.
                bool isClean = group.Count == 1 && policy.DeadBytes(group[0]) == 0
                    && SegmentTally.Of(group[0]).TombstoneBytes == 0;
                if (isClean) continue;
                report = report.And(CreateMerger().Run(group, work.Token));
            }

            _ = epochs.TryReclaim();
            ReleaseUnread();
            // What was active when a merge began was sealed, and wants a hint.
            if (report.SegmentsBefore > 0 && maintainer is not null) maintenanceWanted.Set();
            return report;
        }
    }

    private bool IsMergeDue()
    {
        MergePolicy policy = CreatePolicy();
        return policy.IsInWindow(TimeOnly.FromDateTime(host.Clock.GetLocalNow().DateTime)) && policy.IsTriggered(Mergeable());
    }

    private IEnumerable<LogSegment> Mergeable() => log.Segments.Where(segment =>
        segment.IsSealed && !segment.HasReplaced
        && segment.Tag is SegmentTally { IsDamaged: false, IsReplaced: false });

    private MergePolicy CreatePolicy() => new(
        options.Merge, options.SegmentBytes, log.Segments.Count > 0 ? log.Segments[0].Number : 0);

    private Merger CreateMerger() => new(
        log, keydir, epochs, hints, RentMatch, moveGate, UnixTime.ToNanoseconds(host.Clock.GetUtcNow()), Sequence,
        new MergePace(host.Clock, options.Merge.BytesPerSecond), OnUnread);

    // Called by whoever finds that no read is left, a writer perhaps: unmapping and removing a file takes too long
    // there.
    private void OnUnread(LogSegment segment)
    {
        unread.Enqueue(segment);
        if (maintainer is not null) maintenanceWanted.Set();
    }

    private void ReleaseUnread()
    {
        while (unread.TryDequeue(out LogSegment? segment)) segment.Release();
    }
}
