using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Segments come and go.</summary>
public sealed partial class SegmentedLog
{
    private readonly Stack<string> freeFiles = new();

    // Dropped, but somebody reads them.
    private readonly HashSet<LogSegment> heldDropped = [];
    private bool isDirectoryDirty = true;
    private LogSegment? retiredEmpty;

    /// <summary>
    /// Lets go of a sealed segment: its file is removed, or in a ring used again, once nobody holds it. Not durable
    /// before the next segment is begun: after a crash it may be back.
    /// </summary>
    public void Drop(LogSegment segment)
    {
        ArgumentNullException.ThrowIfNull(segment);
        lock (Gate)
        {
            ThrowIfUnusable();
            if (!segment.IsSealed) throw new ArgumentException($"{segment.Path} is not sealed", nameof(segment));
            if (Find(segment.Number) != segment) return;
            // The highest number stays in the directory, or it would be used again when the log is opened the next
            // time.
            while (IsHighestInDirectory(segment))
            {
                if (isTurning) Monitor.Wait(Gate);
                else if (turn is not null) EndTurn();
                else _ = TurnTo(0);
                ThrowIfUnusable();
            }

            if (Find(segment.Number) != segment) return;
            Unlist(segment);
        }

        segment.Release();
    }

    /// <summary>
    /// Begins a segment that will stand for others. Appends go on meanwhile, to a segment of a higher number.
    /// </summary>
    /// <param name="replaced">
    /// Sealed segments of this log, 1 to 1,024, none of which has itself <see cref="LogSegment.HasReplaced"/>.
    /// </param>
    /// <returns>Null when one of them is gone.</returns>
    /// <remarks>Seals the active segment as <see cref="Seal"/> does, and is not for one who holds the gate either.</remarks>
    public LogReplacement? TryBeginReplacement(IReadOnlyList<LogSegment> replaced)
    {
        ArgumentNullException.ThrowIfNull(replaced);
        ArgumentOutOfRangeException.ThrowIfZero(replaced.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replaced.Count, SegmentHeader.MaxReplaced);
        uint[] numbers = [.. replaced.Select(segment => segment.Number).Distinct().Order()];
        if (numbers.Length != replaced.Count) throw new ArgumentException("a segment twice", nameof(replaced));

        SegmentHeader? header = null;
        try
        {
            // What is appended from the turn on lies above the replacement.
            _ = Seal(() =>
            {
                if (!replaced.All(segment => Find(segment.Number) == segment)) return;
                header = DrawReplacement(replaced, numbers);
                if (active is { IsEmpty: true }) RetireEmpty();
            });
            return header is null
                ? null
                : new LogReplacement(this, header, replaced, CreateFile(header), options.BufferBytes);
        }
        catch
        {
            if (header is not null) Abandon(replaced);
            throw;
        }
    }

    private SegmentHeader DrawReplacement(IReadOnlyList<LogSegment> replaced, uint[] numbers)
    {
        foreach (LogSegment segment in replaced)
        {
            if (segment.IsSealed && !segment.IsBeingReplaced && !segment.HasReplaced) continue;
            throw new InvalidOperationException($"{segment.Path} cannot be replaced now");
        }

        SegmentHeader header = DrawHeader() with { IsReplacement = true, Replaced = numbers };
        foreach (LogSegment segment in replaced) segment.IsBeingReplaced = true;
        return header;
    }

    internal void Abandon(IReadOnlyList<LogSegment> replaced)
    {
        lock (Gate)
        {
            foreach (LogSegment segment in replaced) segment.IsBeingReplaced = false;
        }
    }

    // Names a replacement that is sealed and synced.
    internal LogSegment Publish(
        IDiskFile file, SegmentHeader header, SegmentSeal seal, byte[]? fileHash, IReadOnlyList<LogSegment> replaced)
    {
        lock (Gate)
        {
            ThrowIfUnusable();
            workers++;
        }

        try
        {
            string path = SegmentFiles.PathOf(Directory, header.Number);
            PublishNew(file, path);
            IDiskFile reader = AfterNaming(path);
            lock (Gate)
            {
                ThrowIfUnusable();
                var segment = new LogSegment(
                    this, path, header, reader, seal, seal.End.Offset, seal.End.Offset + SegmentSeal.Size)
                {
                    FileHash = fileHash,
                };
                segments = segments.With(segment);
                segment.AddReplaced(replaced.Count);
                foreach (LogSegment old in replaced) old.ReplacedBy = segment;
                return segment;
            }
        }
        finally
        {
            EndWork();
        }
    }

    // The last holder of a segment let go: its file is closed.
    internal void OnReleased(LogSegment segment)
    {
        if (!segment.IsDropped) return;
        try
        {
            Remove(segment);
        }
        catch (DiskException)
        {
            // It stays until the log is opened the next time; what it replaced, or what replaces it, stays in order,
            // since a replacement with segments left is not replaced.
            return;
        }

        if (segment.ReplacedBy is not { } heir) return;
        heir.AddReplaced(-1);
        if (!heir.HasReplaced && heir.EntryCount == 0) DropIfUnused(heir);
    }

    private void Unlist(LogSegment segment)
    {
        segments = segments.Without(segment);
        segment.IsDropped = true;
        _ = heldDropped.Add(segment);
    }

    private bool IsHighestInDirectory(LogSegment segment)
    {
        LogSegment[] items = segments.Items;
        for (int i = items.Length - 1; items[i] != segment; i--)
        {
            if (items[i].HasFile) return false;
        }

        return true;
    }

    private void DropIfUnused(LogSegment segment)
    {
        lock (Gate)
        {
            if (isDisposed || failure is not null || segment.IsBeingReplaced || Find(segment.Number) != segment) return;
            if (IsHighestInDirectory(segment)) return;
            Unlist(segment);
        }

        segment.Release();
    }

    private void Remove(LogSegment segment)
    {
        bool isReused = false;
        lock (Gate)
        {
            // Another may own the directory since this log was closed; it has removed what was dropped then.
            if (!heldDropped.Remove(segment) || isDisposed) return;
            if (IsReusable(segment))
            {
                string free = $"{Directory}/{SegmentFiles.NameOfFree(host.Entropy)}";
                host.Disk.Rename(segment.Path, free);
                freeFiles.Push(free);
                isReused = isDirectoryDirty = true;
            }

            workers++;
        }

        try
        {
            if (!isReused) SegmentFiles.DeleteWithHint(host.Disk, segment.Path);
            if (segment.ReplacedBy is not null) host.Disk.SyncDirectory(Directory);
        }
        finally
        {
            EndWork();
        }
    }

    private void EndWork()
    {
        lock (Gate)
        {
            workers--;
            Monitor.PulseAll(Gate);
        }
    }

    private bool IsReusable(LogSegment segment) =>
        segment.Header.IsRing && !segment.IsLinked && freeFiles.Count < options.RingSegments
        && host.Disk.TryStat(segment.Path) is { LinkCount: 1 } stat && stat.Length == options.SegmentBytes;

    // At closing: who reads a dropped segment has its file open and does not need its name.
    private void RemoveDropped()
    {
        try
        {
            foreach (LogSegment segment in heldDropped) SegmentFiles.DeleteWithHint(host.Disk, segment.Path);
        }
        catch (DiskException)
        {
            // As after a crash: they are back when the log is opened the next time.
        }

        heldDropped.Clear();
    }

    private SegmentHeader DrawHeader()
    {
        if (nextNumber == uint.MaxValue)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{Directory}: all segment numbers are used", "copy what it holds to a new one");
        }

        Span<byte> incarnation = stackalloc byte[sizeof(ulong)];
        host.Entropy.Fill(incarnation);
        return new SegmentHeader
        {
            Number = nextNumber++,
            Log = Id,
            Incarnation = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(incarnation),
            Purpose = options.Purpose,
        };
    }

    // A file without a name that begins with a header.
    private IDiskFile CreateFile(SegmentHeader header)
    {
        IDiskFile file = host.Disk.CreateUnnamed(Directory);
        try
        {
            file.Write(0, header.Encode());
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // A file gets its name.
    private void PublishNew(IDiskFile file, string path)
    {
        if (host.Disk.TryPublish(file, path)) return;
        throw new HoldfastException(
            ErrorKind.Failed, $"{path}: exists already", "another program writes here; find out which");
    }

    // What has its name is a part of the log: if it cannot be used, nothing may be appended that relies on its absence.
    private IDiskFile AfterNaming(string path)
    {
        try
        {
            host.Disk.SyncDirectory(Directory);
            return OpenNamed(path, DiskAccess.Read);
        }
        catch (HoldfastException reason)
        {
            lock (Gate) Fail(reason);
            throw;
        }
    }

    private IDiskFile OpenNamed(string path, DiskAccess access) => host.Disk.TryOpen(path, access)
        ?? throw new HoldfastException(ErrorKind.Failed, $"{path}: vanished", "another program removes files here");

    private void Activate(IDiskFile file, LogSegment segment, long capacity, long allocated)
    {
        var hash = new ContentHash();
        hash.Append(segment.Header.Encode());
        active = new SegmentAppender(
            Gate, file, segment.Header, segment.Header.Length, segment.Header.Length, entryCount: 0, capacity,
            options.BufferBytes, hash, allocated);
        activeSegment = segment;
        segment.Attach(active);
    }

    // Makes a file of the full size for the ring, all of it written, so that later syncs change no metadata.
    private string CreateFreeFile()
    {
        string path = $"{Directory}/{SegmentFiles.NameOfFree(host.Entropy)}";
        using IDiskFile file = host.Disk.CreateUnnamed(Directory);
        SegmentFiles.WriteZeros(file, 0, options.SegmentBytes);
        file.Sync();
        PublishNew(file, path);
        return path;
    }

    // Another is to begin in the place of an active one without entries. That is sealed all the same: of two unsealed
    // ones the lower would be damaged. Its number stays in the directory until the next one is there.
    private void RetireEmpty()
    {
        retiredEmpty = activeSegment;
        _ = SealActive();
    }

    // Under the gate.
    private LogSegment? TakeRetiredEmpty()
    {
        LogSegment? retired = retiredEmpty;
        if (retired is null || IsHighestInDirectory(retired)) return null;
        retiredEmpty = null;
        if (Find(retired.Number) != retired) return null;
        Unlist(retired);
        return retired;
    }
}
