using System.Globalization;
using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Opening: what a crash left is put in order, what is damaged is reported (docs/formats/log.md, "When is it valid").</summary>
public sealed partial class SegmentedLog
{
    /// <summary>Opens a log, or makes one.</summary>
    /// <param name="host">Disk, clock and randomness.</param>
    /// <param name="directory">Absolute path of its directory; made if it is missing, its parent must exist.</param>
    /// <param name="options">How.</param>
    /// <param name="replay">
    /// Makes, from the log's id, what is told of each entry of the active segment, which is read in any case. The others
    /// can be read by <see cref="LogSegment.Scan"/>.
    /// </param>
    /// <exception cref="HoldfastException">
    /// There is none and <see cref="LogOptions.Create"/> is not set; somebody has it open (who is named); it is for
    /// something else; the disk failed.
    /// </exception>
    public static SegmentedLog Open(
        Host host, string directory, LogOptions options, Func<LogId, LogEntryHandler>? replay = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(options);
        if (!directory.StartsWith('/')) throw new ArgumentException($"not an absolute path: '{directory}'", nameof(directory));
        options.Validate();
        var log = new SegmentedLog(host, directory.TrimEnd('/'), options);
        try
        {
            log.Recover(replay);
            return log;
        }
        catch
        {
            log.CloseAfterFailedOpen();
            throw;
        }
    }

    /// <summary>Whether a directory has the segments of a log.</summary>
    public static bool Exists(IDisk disk, string directory)
    {
        ArgumentNullException.ThrowIfNull(disk);
        return disk.TryList(directory) is { } entries && entries.Any(e => !e.IsDirectory && SegmentFiles.TryParse(e.Name, out _));
    }

    private void Recover(Func<LogId, LogEntryHandler>? replay)
    {
        IReadOnlyList<DiskEntry>? entries = host.Disk.TryList(Directory);
        bool exists = entries is not null && entries.Any(e => !e.IsDirectory && SegmentFiles.TryParse(e.Name, out _));
        if (!exists && (options.ReadOnly || !options.Create))
        {
            throw new HoldfastException(
                ErrorKind.NotThere, $"{Directory}: there is no log here", "check the path");
        }

        if (!options.ReadOnly)
        {
            if (entries is null && host.Disk.TryCreateDirectory(Directory))
            {
                host.Disk.SyncDirectory(Path.GetDirectoryName(Directory) ?? "/");
            }

            TakeLock();
            entries = host.Disk.TryList(Directory) ?? [];
            RemoveLeftovers(entries);
        }

        List<FoundSegment> found = ReadHeaders(entries!);
        if (found.Count == 0)
        {
            if (damages.Count > 0) ThrowAllDamaged();
            Id = LogId.Draw(host.Entropy);
            if (!options.ReadOnly) StartSegment(0);
        }
        else
        {
            Id = found[0].Header.Log;
            found = WithoutReplaced(found);
            LogEntryHandler? onActiveEntry = replay?.Invoke(Id);
            foreach (FoundSegment segment in found) Adopt(segment, segment == found[^1], onActiveEntry);
        }

        if (options.ReadOnly) return;
        for (int missing = options.RingSegments - freeFiles.Count - segments.Items.Count(s => s.Header.IsRing); missing > 0; missing--)
        {
            AddFreeFile();
        }

        host.Disk.SyncDirectory(Directory);
    }

    private void TakeLock()
    {
        string note = string.Create(
            CultureInfo.InvariantCulture,
            $"process {Environment.ProcessId} ({Path.GetFileName(Environment.ProcessPath)}) on {Environment.MachineName}");
        directoryLock = host.Disk.TryLock($"{Directory}/{SegmentFiles.LockName}", note, out string holder);
        if (directoryLock is not null) return;
        throw new HoldfastException(
            ErrorKind.Busy,
            $"{Directory}: in use by {(holder.Length > 0 ? holder : "another process")}",
            "wait until it has closed it, or open it for reading only");
    }

    private void RemoveLeftovers(IReadOnlyList<DiskEntry> entries)
    {
        foreach (DiskEntry entry in entries)
        {
            if (entry.IsDirectory) continue;
            string path = $"{Directory}/{entry.Name}";
            if (entry.Name.StartsWith(IDisk.StagingPrefix, StringComparison.Ordinal))
            {
                _ = host.Disk.TryDelete(path);
            }
            else if (SegmentFiles.IsFree(entry.Name))
            {
                bool isWanted = freeFiles.Count < options.RingSegments
                    && host.Disk.TryStat(path) is { LinkCount: 1 } stat && stat.Length == options.SegmentBytes;
                if (isWanted) freeFiles.Push(path);
                else _ = host.Disk.TryDelete(path);
            }
        }
    }

    private List<FoundSegment> ReadHeaders(IReadOnlyList<DiskEntry> entries)
    {
        var found = new List<FoundSegment>();
        foreach (DiskEntry entry in entries)
        {
            if (entry.IsDirectory || !SegmentFiles.TryParse(entry.Name, out uint number)) continue;
            nextNumber = Math.Max(nextNumber, number == uint.MaxValue ? number : number + 1);
            string path = $"{Directory}/{entry.Name}";
            if (ReadHeader(path, number) is { } segment) found.Add(segment);
        }

        found.Sort(static (a, b) => a.Header.Number.CompareTo(b.Header.Number));
        // A segment of another log was put here by hand; most segments tell which log it is.
        LogId? id = found.Count == 0 ? null : found.GroupBy(s => s.Header.Log).MaxBy(g => g.Count())!.Key;
        foreach (FoundSegment segment in found)
        {
            if (segment.Header.Purpose != options.Purpose)
            {
                throw new HoldfastException(
                    ErrorKind.Failed,
                    $"{segment.Path}: belongs to a log for '{segment.Header.Purpose}', not '{options.Purpose}'",
                    "check the path");
            }

            if (segment.Header.Log != id) AddDamage(segment, $"it belongs to another log, {segment.Header.Log}");
        }

        foreach (FoundSegment foreign in found.Where(s => s.Header.Log != id)) foreign.File.Dispose();
        return [.. found.Where(s => s.Header.Log == id)];
    }

    private FoundSegment? ReadHeader(string path, uint number)
    {
        IDiskFile? file = host.Disk.TryOpen(path, DiskAccess.Read);
        // Its owner removed it since the directory was listed.
        if (file is null) return null;
        try
        {
            byte[] bytes = new byte[SegmentHeader.MaxBytes];
            int read = file.Read(0, bytes);
            SegmentHeader? header = SegmentHeader.TryDecode(bytes.AsSpan(0, read), out string fault);
            if (header is null)
            {
                header = SegmentHeader.TryMend(bytes.AsSpan(0, read));
                string mended = header is null ? "its records cannot be read" : "one bit was wrong, the records are read";
                damages.Add(new LogDamage(number, path, 0, header?.Length ?? file.Length, $"{fault}: {mended}"));
            }

            if (header is not null && header.Number != number)
            {
                damages.Add(new LogDamage(number, path, 0, file.Length, $"it is segment {header.Number:x8} by its header"));
                header = null;
            }

            if (header is null)
            {
                file.Dispose();
                return null;
            }

            return new FoundSegment(path, header, file, ReadSeal(file, header));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static SegmentSeal? ReadSeal(IDiskFile file, SegmentHeader header)
    {
        long length = file.Length;
        if (length < header.Length + SegmentSeal.Size) return null;
        Span<byte> bytes = stackalloc byte[SegmentSeal.Size];
        int read = file.Read(length - SegmentSeal.Size, bytes);
        SegmentSeal? seal = SegmentSeal.TryDecode(bytes[..read], Frame.ChecksumSeed(header.Incarnation), header.Number);
        return seal is null || seal.End.Offset > length - SegmentSeal.Size ? null : seal;
    }

    // Removes those that a sealed replacement stands for.
    private List<FoundSegment> WithoutReplaced(List<FoundSegment> found)
    {
        var gone = new HashSet<uint>(found.Where(s => s.Header.IsReplacement).SelectMany(s => s.Header.Replaced));
        if (gone.Count == 0) return found;
        foreach (FoundSegment segment in found.Where(s => gone.Contains(s.Header.Number)))
        {
            segment.File.Dispose();
            if (!options.ReadOnly) SegmentFiles.DeleteWithHint(host.Disk, segment.Path);
        }

        _ = damages.RemoveAll(damage => gone.Contains(damage.Segment));
        // Before a replacement can be replaced itself, what it stands for must be gone for good.
        if (!options.ReadOnly) host.Disk.SyncDirectory(Directory);
        return [.. found.Where(s => !gone.Contains(s.Header.Number))];
    }

    private void Adopt(FoundSegment segment, bool isLast, LogEntryHandler? onActiveEntry)
    {
        long length = segment.File.Length;
        if (segment.Seal is { } seal)
        {
            AddSegment(segment, seal.End.Offset, isSealDamaged: false);
            return;
        }

        if (isLast && !segment.Header.IsReplacement)
        {
            AdoptActive(segment, length, onActiveEntry);
            return;
        }

        if (length <= segment.Header.Length && !segment.Header.IsReplacement)
        {
            // Nothing was appended to it before the next one was begun; only its removal was lost.
            segment.File.Dispose();
            if (!options.ReadOnly) SegmentFiles.DeleteWithHint(host.Disk, segment.Path);
            return;
        }

        AddDamage(segment, "it has no valid seal");
        AddSegment(segment, length, isSealDamaged: true);
    }

    private void AdoptActive(FoundSegment segment, long length, LogEntryHandler? onActiveEntry)
    {
        var hash = new ContentHash();
        hash.Append(segment.Header.Encode());
        long end;
        long entries = 0;
        bool isDamaged = false;
        using (var scanner = new SegmentScanner(segment.File, segment.Path, segment.Header, length, durable: 0) { Hash = hash })
        {
            ScanStep step;
            while ((step = scanner.Next()) != ScanStep.End)
            {
                if (step == ScanStep.Damage)
                {
                    isDamaged = true;
                    damages.Add(scanner.Damage!);
                }
                else
                {
                    onActiveEntry?.Invoke(scanner.Position, scanner.Payload);
                    entries++;
                }
            }

            end = scanner.Offset;
        }

        bool isTorn = length > end && !segment.Header.IsRing;
        if (isTorn) TornTail = new LogTornTail(segment.Path, end, length - end);
        if (options.ReadOnly)
        {
            AddSegment(segment, end, isSealDamaged: false);
            return;
        }

        Resume(segment, end, entries, isTorn, isDamaged, hash);
    }

    private void Resume(FoundSegment found, long end, long entries, bool isTorn, bool isDamaged, ContentHash hash)
    {
        IDiskFile file = host.Disk.TryOpen(found.Path, DiskAccess.ReadWrite)
            ?? throw new HoldfastException(ErrorKind.Failed, $"{found.Path}: vanished", "another program removes files here");
        if (isTorn) file.SetLength(end);
        // What is found may be in the page cache only, of an owner that was killed.
        file.Sync();
        long capacity = found.Header.IsRing ? file.Length : Math.Max(options.SegmentBytes, end + SegmentSeal.Size);
        if (hash.Length > end) hash.Reset();
        var segment = new LogSegment(this, found.Path, found.Header, found.File, null, end, Math.Max(capacity, options.SegmentBytes));
        segments = segments.With(segment);
        active = new SegmentAppender(Gate, file, found.Header, end, entries, capacity, options.BufferBytes, hash);
        activeSegment = segment;
        segment.Attach(active);
        // A damaged segment takes nothing more; and in a ring frames of the torn tail cannot be cut off, so they would
        // be valid again once the next append has filled the gap before them.
        if (isDamaged || (found.Header.IsRing && !active.IsEmpty))
        {
            lock (Gate) _ = SealLocked();
        }
    }

    private void AddSegment(FoundSegment found, long end, bool isSealDamaged) =>
        segments = segments.With(
            new LogSegment(this, found.Path, found.Header, found.File, found.Seal, end, found.File.Length)
            {
                IsSealDamaged = isSealDamaged,
            });

    private void AddDamage(FoundSegment segment, string reason) =>
        damages.Add(new LogDamage(segment.Header.Number, segment.Path, 0, segment.File.Length, reason));

    private void ThrowAllDamaged() => throw new HoldfastException(
        ErrorKind.Damage, $"{damages[0]}", $"none of the {damages.Count} segments can be read: restore {Directory} from a backup");

    private void CloseAfterFailedOpen()
    {
        timer?.Dispose();
        active?.Dispose();
        foreach (LogSegment segment in segments.Items) segment.Release();
        directoryLock?.Dispose();
        isDisposed = true;
    }

    private void SyncByTimer()
    {
        try
        {
            Sync();
        }
        catch (Exception reason) when (reason is HoldfastException or ObjectDisposedException)
        {
            // The next append tells: a failed sync is kept.
        }
    }

    private sealed record FoundSegment(string Path, SegmentHeader Header, IDiskFile File, SegmentSeal? Seal);
}
