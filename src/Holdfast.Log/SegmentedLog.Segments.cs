using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Segments come and go.</summary>
public sealed partial class SegmentedLog
{
    private const int ZeroBytes = 1 << 20;

    private readonly Stack<string> freeFiles = new();

    // Dropped, but somebody reads them.
    private readonly HashSet<LogSegment> heldDropped = [];
    private bool isDirectoryDirty = true;

    /// <summary>
    /// Lets go of a sealed segment: its file is removed, or in a ring used again, once nobody holds it. Not durable before the next
    /// segment is begun: after a crash it may be back.
    /// </summary>
    public void Drop(LogSegment segment)
    {
        ArgumentNullException.ThrowIfNull(segment);
        lock (Gate)
        {
            ThrowIfUnusable();
            if (!segment.IsSealed) throw new ArgumentException($"{segment.Path} is not sealed", nameof(segment));
            if (Find(segment.Number) != segment) return;
            // The highest number stays in the directory, or it would be used again when the log is opened the next time.
            if (active is null && segment == segments.Items[^1]) StartSegment(0);
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
    public LogReplacement BeginReplacement(IReadOnlyList<LogSegment> replaced)
    {
        ArgumentNullException.ThrowIfNull(replaced);
        ArgumentOutOfRangeException.ThrowIfZero(replaced.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replaced.Count, SegmentHeader.MaxReplaced);
        lock (Gate)
        {
            ThrowIfUnusable();
            foreach (LogSegment segment in replaced)
            {
                if (Find(segment.Number) == segment && segment.IsSealed && !segment.IsBeingReplaced && !segment.HasReplaced)
                {
                    continue;
                }

                throw new InvalidOperationException($"{segment.Path} cannot be replaced now");
            }

            uint[] numbers = [.. replaced.Select(segment => segment.Number).Distinct().Order()];
            if (numbers.Length != replaced.Count) throw new ArgumentException("a segment twice", nameof(replaced));
            _ = SealLocked();
            SegmentHeader header = DrawHeader() with { IsReplacement = true, Replaced = numbers };
            // What is appended from now on must lie above the replacement.
            if (active is not null) ReplaceEmpty(0);
            var replacement = new LogReplacement(this, header, replaced, CreateFile(header), options.BufferBytes);
            foreach (LogSegment segment in replaced) segment.IsBeingReplaced = true;
            return replacement;
        }
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
            LogSegment segment = Name(file, header, seal, seal.End.Offset, seal.End.Offset + SegmentSeal.Size);
            segment.FileHash = fileHash;
            segment.AddReplaced(replaced.Count);
            foreach (LogSegment old in replaced) old.ReplacedBy = segment;
            return segment;
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
            // It stays until the log is opened the next time; what it replaced, or what replaces it, stays in order, since a
            // replacement with segments left is not replaced.
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

    private void DropIfUnused(LogSegment segment)
    {
        lock (Gate)
        {
            if (isDisposed || failure is not null || segment.IsBeingReplaced || Find(segment.Number) != segment) return;
            if (active is null && segment == segments.Items[^1]) return;
            Unlist(segment);
        }

        segment.Release();
    }

    private void Remove(LogSegment segment)
    {
        lock (Gate)
        {
            // Another may own the directory since this log was closed; it has removed what was dropped then.
            if (!heldDropped.Remove(segment) || isDisposed) return;
            if (IsReusable(segment))
            {
                string free = $"{Directory}/{SegmentFiles.NameOfFree(host.Entropy)}";
                host.Disk.Rename(segment.Path, free);
                freeFiles.Push(free);
                isDirectoryDirty = true;
            }
            else
            {
                SegmentFiles.DeleteWithHint(host.Disk, segment.Path);
            }
        }

        if (segment.ReplacedBy is not null) host.Disk.SyncDirectory(Directory);
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

    // Gives a synced file its name and puts it among the segments.
    private LogSegment Name(IDiskFile file, SegmentHeader header, SegmentSeal? seal, long readable, long mappedBytes)
    {
        string path = SegmentFiles.PathOf(Directory, header.Number);
        if (!host.Disk.TryPublish(file, path))
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{path}: exists already", "another program writes here; find out which");
        }

        return List(path, header, seal, readable, mappedBytes);
    }

    // What has its name is a part of the log: if it cannot be used, nothing may be appended that relies on its absence.
    private LogSegment List(string path, SegmentHeader header, SegmentSeal? seal, long readable, long mappedBytes)
    {
        IDiskFile? reader = null;
        Guard(() =>
        {
            host.Disk.SyncDirectory(Directory);
            isDirectoryDirty = false;
            reader = host.Disk.TryOpen(path, DiskAccess.Read)
                ?? throw new HoldfastException(ErrorKind.Failed, $"{path}: vanished", "another program removes files here");
        });
        var segment = new LogSegment(this, path, header, reader!, seal, readable, mappedBytes);
        segments = segments.With(segment);
        return segment;
    }

    // Begins the next active segment. The one before is sealed.
    private void StartSegment(long frameBytes)
    {
        SegmentHeader header = DrawHeader();
        long needed = header.Length + Frame.WatermarkBytes + frameBytes + SegmentSeal.Size;
        if (options.RingSegments > 0 && needed <= options.SegmentBytes)
        {
            StartInRing(header with { IsRing = true });
            return;
        }

        IDiskFile file = CreateFile(header);
        try
        {
            file.Sync();
            long capacity = Math.Max(options.SegmentBytes, needed);
            Activate(file, Name(file, header, null, header.Length, capacity), capacity);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void StartInRing(SegmentHeader header)
    {
        if (isDirectoryDirty)
        {
            // Before the header changes, the file must not be found under its old number.
            Guard(() => host.Disk.SyncDirectory(Directory));
            isDirectoryDirty = false;
        }

        if (freeFiles.Count == 0) AddFreeFile();
        string free = freeFiles.Peek();
        IDiskFile file = host.Disk.TryOpen(free, DiskAccess.ReadWrite)
            ?? throw new HoldfastException(ErrorKind.Failed, $"{free}: vanished", "another program removes files here");
        try
        {
            file.Write(0, header.Encode());
            file.Sync();
            string path = SegmentFiles.PathOf(Directory, header.Number);
            host.Disk.Rename(free, path);
            _ = freeFiles.Pop();
            LogSegment segment = List(path, header, null, header.Length, options.SegmentBytes);
            Activate(file, segment, options.SegmentBytes);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void Activate(IDiskFile file, LogSegment segment, long capacity)
    {
        var hash = new ContentHash();
        hash.Append(segment.Header.Encode());
        active = new SegmentAppender(
            Gate, file, segment.Header, segment.Header.Length, segment.Header.Length, entryCount: 0, capacity,
            options.BufferBytes, hash);
        activeSegment = segment;
        segment.Attach(active);
    }

    // Adds a file of the full size to the ring, all of it written, so that later syncs change no metadata.
    private void AddFreeFile()
    {
        string path = $"{Directory}/{SegmentFiles.NameOfFree(host.Entropy)}";
        using IDiskFile file = host.Disk.CreateUnnamed(Directory);
        byte[] zeros = new byte[Math.Min(ZeroBytes, options.SegmentBytes)];
        for (long at = 0; at < options.SegmentBytes; at += zeros.Length)
        {
            file.Write(at, zeros.AsSpan(0, (int)Math.Min(zeros.Length, options.SegmentBytes - at)));
        }

        file.Sync();
        if (!host.Disk.TryPublish(file, path)) throw new InvalidOperationException($"{path} exists already");
        freeFiles.Push(path);
    }

    // Begins another active segment in the place of one without entries. That is sealed all the same: of two unsealed ones
    // the lower would be damaged. Its number stays in the directory until the next one is there. No appender is writing.
    private void ReplaceEmpty(long frameBytes)
    {
        LogSegment empty = SealActive();
        StartSegment(frameBytes);
        Unlist(empty);
        empty.Release();
    }
}
