using Holdfast.Bitcask.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Copies of the store, taken while it is used.</summary>
public sealed partial class BitcaskStore
{
    /// <summary>
    /// Makes a directory with the store as it is at one instant of the call, by hard links where it can: it costs
    /// hardly any space or time, shares files with the store, and opens as a store of its own.
    /// </summary>
    /// <param name="directory">Nothing is there, or an empty directory; its parent exists.</param>
    /// <param name="cancellationToken">Cancelling leaves nothing.</param>
    /// <remarks>
    /// Complete and durable when it returns. Writers go on while the active segment is sealed. Since it shares files,
    /// it protects against mistakes, not against a disk that dies: for that use <see cref="Backup"/>.
    /// </remarks>
    /// <exception cref="HoldfastException">
    /// The directory is there and not empty, lies inside the store, or the disk refused. Nothing is left of it then.
    /// </exception>
    public CheckpointReport Checkpoint(string directory, CancellationToken cancellationToken = default) =>
        Copy(Path.GetFullPath(directory), previous: null, links: true, cancellationToken);

    /// <summary>
    /// Makes a full copy of the store as it is at one instant of the call, which shares nothing with it.
    /// </summary>
    /// <inheritdoc cref="Checkpoint"/>
    public CheckpointReport Backup(string directory, CancellationToken cancellationToken = default) =>
        Copy(Path.GetFullPath(directory), previous: null, links: false, cancellationToken);

    /// <summary>
    /// The same as <see cref="Backup"/>, but segments that an earlier backup has are linked from there: only new ones
    /// are copied.
    /// </summary>
    /// <param name="directory">Nothing is there, or an empty directory; its parent exists.</param>
    /// <param name="previous">An earlier backup of this store; where links to it cannot be made, all is copied.</param>
    /// <param name="cancellationToken">Cancelling leaves nothing.</param>
    /// <remarks>Segments are recognised by store, number, incarnation, length and hash, not by name.</remarks>
    public CheckpointReport BackupTo(string directory, string previous, CancellationToken cancellationToken = default)
    {
        string path = Path.GetFullPath(previous);
        Manifest manifest = Manifest.TryRead(host.Disk, path)
            ?? throw new HoldfastException(
                ErrorKind.NotThere, $"{path}: there is no backup here", "name one that was made before, or make a full one");
        if (manifest.Store != Id.ToString())
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{path}: is a backup of another store, {manifest.Store}", "make a full one");
        }

        return Copy(Path.GetFullPath(directory), (path, manifest), links: false, cancellationToken);
    }

    private CheckpointReport Copy(
        string directory, (string Path, Manifest Manifest)? previous, bool links, CancellationToken cancellationToken)
    {
        using Work work = BeginWork(cancellationToken);
        using CheckpointTarget target = CheckpointTarget.Begin(host, directory, Directory);
        var held = new List<LogSegment>();
        try
        {
            ulong atSequence = 0;
            long keys = 0;
            // Not while keys move: the count of keys would be between that of what is replaced and that of what
            // replaces it.
            lock (moveGate)
            {
                _ = log.Seal(() =>
                {
                    Hold(held, links);
                    atSequence = sequence;
                    keys = Count;
                });
            }

            return Ship(target, directory, held, atSequence, keys, previous, links, work.Token);
        }
        finally
        {
            foreach (LogSegment segment in held) segment.Release();
        }
    }

    // Under the gate: all segments but an active one without entries.
    private void Hold(List<LogSegment> held, bool links)
    {
        foreach (LogSegment segment in log.Segments)
        {
            if (!segment.IsSealed && segment.End == segment.FirstOffset) continue;
            if (!segment.TryAcquire()) continue;
            // One that has no record was not tallied.
            segment.Tag ??= new SegmentTally();
            held.Add(segment);
            if (links) segment.MarkLinked();
        }
    }

    private CheckpointReport Ship(
        CheckpointTarget target, string directory, List<LogSegment> held, ulong atSequence, long keys,
        (string Path, Manifest Manifest)? previous, bool links, CancellationToken cancellationToken)
    {
        var shipper = new FileShipper(host.Disk, links);
        var segments = new List<ManifestSegment>();
        foreach (LogSegment segment in held)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hints.Write(segment, cancellationToken);
            segments.Add(Ship(segment, target.Staged, shipper, previous));
        }

        var manifest = new Manifest
        {
            Store = Id.ToString(),
            Sequence = atSequence,
            Keys = keys,
            Created = host.Clock.GetUtcNow(),
            Segments = segments,
        };
        manifest.Write(host.Disk, target.Staged);
        cancellationToken.ThrowIfCancellationRequested();
        target.Commit();
        long bytes = segments.Sum(s => s.Data.Bytes + (s.Hint?.Bytes ?? 0));
        return new CheckpointReport(
            directory, atSequence, keys, segments.Count, bytes, shipper.LinkedBytes, shipper.ClonedBytes, shipper.CopiedBytes);
    }

    private ManifestSegment Ship(
        LogSegment segment, string staged, FileShipper shipper, (string Path, Manifest Manifest)? previous)
    {
        // Made once: checkpoints of many segments, one after the other, leave no garbage whose collection would stop
        // writers.
        SegmentTally tally = SegmentTally.Of(segment);
        ManifestSegment described = tally.Description ??= Describe(segment);
        ManifestFile data = described.Data;
        ManifestSegment? earlier = previous?.Manifest.Segments.FirstOrDefault(described.IsSameAs);
        if (earlier is not null && shipper.TryLink($"{previous!.Value.Path}/{earlier.Data.Name}", $"{staged}/{data.Name}", data.Bytes))
        {
            described = described with { Verified = earlier.Verified };
        }
        else
        {
            shipper.Bring(segment.Path, $"{staged}/{data.Name}", data);
        }

        if (described.Hint is not { } hint) return described;
        // Hints can be made again; somebody may have removed them.
        if (host.Disk.TryStat(segment.HintPath)?.Length != hint.Bytes) return described with { Hint = null };
        shipper.Bring(segment.HintPath, $"{staged}/{hint.Name}", hint);
        return described;
    }

    private ManifestSegment Describe(LogSegment segment) => new(
        segment.Number, segment.Incarnation, Describe(segment.Path, segment.Length, segment.GetFileHash()), DescribeHint(segment),
        Verified: null);

    private ManifestFile? DescribeHint(LogSegment segment)
    {
        if (!SegmentTally.Of(segment).HasHint) return null;
        using IDiskFile? file = host.Disk.TryOpen(segment.HintPath, DiskAccess.Read);
        return file is null ? null : Describe(segment.HintPath, file.Length, ContentHash.Of(file, file.Length));
    }

    private static ManifestFile Describe(string path, long bytes, byte[] hash) =>
        new(Path.GetFileName(path), bytes, Convert.ToHexStringLower(hash));
}
