using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Opening;
using Holdfast.Bitcask.Reading;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Opening and closing.</summary>
public sealed partial class BitcaskStore
{
    private readonly SegmentHints hints;

    private BitcaskStore(Host host, BitcaskOptions options, SegmentedLog log, ActiveReplay replay)
    {
        this.host = host;
        this.options = options;
        this.log = log;
        hashSeed = log.Id.High;
        epochs = new ReadEpochs();
        hints = new SegmentHints(host.Disk, log.Id);
        int degree = options.OpenThreads > 0 ? options.OpenThreads : Environment.ProcessorCount;
        firstOwnSegment = log.Segments.Count == 0 ? 1 : log.Segments[^1].Number + 1;
        match = RecordReader.Create(log, firstOwnSegment, epochs);
        keydir = Recover(replay, degree);
        if (options is { ReadOnly: false, MaintainInBackground: true }) StartMaintainer();
    }

    /// <summary>What was damaged when the store was opened, or was found to be since by making hints.</summary>
    public IReadOnlyList<LogDamage> Damages => [.. log.Damages.Concat(hints.Damages).DistinctBy(d => (d.Segment, d.Offset))];

    /// <summary>Opens a store, or makes one.</summary>
    /// <param name="directory">Its directory; made if it is missing, its parent must exist.</param>
    /// <param name="options">How; null = with the defaults.</param>
    /// <exception cref="HoldfastException">
    /// There is none and <see cref="BitcaskOptions.Create"/> is not set; another process has it open (which one is
    /// said); it is something else; the disk failed. Damage is no error here: see <see cref="Damages"/>.
    /// </exception>
    public static BitcaskStore Open(string directory, BitcaskOptions? options = null) =>
        Open(Host.CreateReal(), Path.GetFullPath(directory), options ?? new BitcaskOptions());

    /// <summary>The same on a given disk, clock and source of randomness.</summary>
    /// <inheritdoc cref="Open(string, BitcaskOptions?)"/>
    public static BitcaskStore Open(Host host, string directory, BitcaskOptions options)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(options);
        using var replay = new ActiveReplay();
        SegmentedLog log = SegmentedLog.Open(host, directory, LogOptionsOf(options), replay.Begin);
        try
        {
            return new BitcaskStore(host, options, log, replay);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a store in a directory.</summary>
    public static bool Exists(string directory) => SegmentedLog.Exists(new HostDisk(), Path.GetFullPath(directory));

    /// <summary>Closes the store. What was not durable is made so first.</summary>
    /// <remarks>
    /// Merges and checkpoints that are going on are cancelled and waited for, reads are waited for. Snapshots and
    /// leases stay readable.
    /// </remarks>
    public void Dispose()
    {
        lock (log.Gate)
        {
            if (isDisposed) return;
            isDisposed = true;
        }

        EndAllWork();
        EndWatches();
        EndReads();
        try
        {
            SealAtClose();
        }
        finally
        {
            Release();
        }
    }

    private void Release()
    {
        try
        {
            foreach (LogSegment segment in log.Segments) (segment.Tag as SegmentTally)?.Collected?.Dispose();
            log.Dispose();
        }
        finally
        {
            keydir.Dispose();
            epochs.Drain();
            maintenanceWanted.Dispose();
        }
    }

    private static LogOptions LogOptionsOf(BitcaskOptions options) => new()
    {
        Purpose = Purpose,
        Create = options.Create,
        ReadOnly = options.ReadOnly,
        SegmentBytes = options.SegmentBytes,
        Durability = options.Durability,
        Interval = options.SyncInterval,
        GroupDelay = options.GroupDelay,
    };

    private Keydir Recover(ActiveReplay replay, int degree)
    {
        IReadOnlyList<LogSegment> segments = log.Segments;
        foreach (LogSegment segment in segments) segment.Tag = new SegmentTally();
        var sources = new IHintSource?[segments.Count];
        var sequences = new ulong[segments.Count];
        try
        {
            int next = -1;
            OnThreads.Run(Math.Clamp(sources.Length, 1, degree), _ =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < sources.Length;)
                {
                    sources[i] = OpenHints(segments[i], replay, out sequences[i]);
                }
            });
            ScanOthers(segments, sources, sequences, degree);
            foreach (ulong highest in sequences) sequence = Math.Max(sequence, highest);
            Keydir filled = TryLoadImage(segments, sources, degree) ?? Fill(new RecoveryMerge(sources!, degree));
            if (!options.ReadOnly && segments.Count > 0 && !segments[^1].IsSealed)
            {
                SegmentTally.Of(segments[^1]).Collected = replay.Take(segments[^1].Number);
            }

            return filled;
        }
        finally
        {
            foreach (IHintSource? source in sources)
            {
                if (source is RepairedHints { Rebuilt: not null } repaired) SegmentTally.Of(log.Find(repaired.Segment)!).HasHint = false;
                (source as IDisposable)?.Dispose();
            }
        }
    }

    // Reads the segments that have no source yet.
    private void ScanOthers(IReadOnlyList<LogSegment> segments, IHintSource?[] sources, ulong[] sequences, int degree)
    {
        var indexes = new Dictionary<LogSegment, int>();
        for (int i = 0; i < sources.Length; i++)
        {
            if (sources[i] is null) indexes.Add(segments[i], i);
        }

        if (indexes.Count == 0) return;
        new PieceScan(hashSeed, degree, PieceScan.DefaultMinPieceBytes).Run([.. indexes.Keys], (segment, found, damages) =>
        {
            int index = indexes[segment];
            sources[index] = found;
            sequences[index] = found.HighestSequence;
            hints.Note(segment, damages);
        });
    }

    // Null when the segment has to be read.
    private IHintSource? OpenHints(LogSegment segment, ActiveReplay replay, out ulong highestSequence)
    {
        if (!segment.IsSealed)
        {
            hints.CheckUnsealed(segment, options.ReadOnly);
            HintData data = replay.Build(segment.Number);
            highestSequence = data.HighestSequence;
            return data;
        }

        if (hints.TryOpen(segment) is { } file)
        {
            segment.FileHash = file.Header.SegmentHash.ToArray();
            SegmentTally.Of(segment).HasHint = true;
            highestSequence = file.Header.HighestSequence;
            return new RepairedHints(file, () => hints.Rebuild(segment, CancellationToken.None));
        }

        highestSequence = 0;
        return null;
    }

    private Keydir Fill(RecoveryMerge merge)
    {
        Keydir filled;
        if (options.Keydir == KeydirKind.Ordered)
        {
            var ordered = new OrderedKeydir();
            OrderedFill fill = ordered.BeginFill();
            merge.FillByKey(fill.Append);
            fill.Complete();
            filled = ordered;
        }
        else
        {
            var compact = new CompactKeydir(epochs);
            compact.BeginFill(merge.MaxKeys);
            try
            {
                merge.FillByHash(compact.Fill);
            }
            catch
            {
                compact.Dispose();
                epochs.Drain();
                throw;
            }
            finally
            {
                compact.EndFill();
            }

            filled = compact;
        }

        foreach (SegmentUsage usage in merge.Usage)
        {
            SegmentTally.Of(log.Find(usage.Segment)!).Set(usage.LiveBytes, usage.LiveRecords, usage.TombstoneBytes);
        }

        return filled;
    }

    private void SealAtClose()
    {
        if (options.ReadOnly) return;
        LogSegment? sealing = null;
        try
        {
            bool isImageDue = IsImageDue();
            if (log.ActiveBytes >= (isImageDue ? 1 : options.SealAtCloseBytes)) sealing = log.SealLast();
            if (sealing?.Tag is not null) hints.Write(sealing, CancellationToken.None);
            if (isImageDue) WriteImage();
        }
        catch (HoldfastException)
        {
            // What matters is said by closing the log itself; a hint or an image can be made at the next open or close.
        }
    }
}
