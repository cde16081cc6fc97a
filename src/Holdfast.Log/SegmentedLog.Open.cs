using System.Globalization;
using Holdfast.Log.Segments;

namespace Holdfast.Log;

/// <summary>Opening: what a crash left is put in order, what is damaged is reported (docs/formats/log.md, "When is it valid").</summary>
public sealed partial class SegmentedLog
{
    private const int MaxListings = 100;

    /// <summary>Opens a log, or makes one.</summary>
    /// <param name="host">Disk, clock and randomness.</param>
    /// <param name="directory">Absolute path of its directory; made if it is missing, its parent must exist.</param>
    /// <param name="options">How.</param>
    /// <param name="replay">
    /// Makes, from the log's id, what is told of each entry of the active segment, which is read in any case. The
    /// others can be read by <see cref="LogSegment.Scan"/>.
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
            // Nobody else has it yet; but what changes the log holds the gate.
            lock (log.Gate)
            {
                log.Recover(replay);
                if (options.Durability == Durability.Interval && !options.ReadOnly) log.StartTimer();
            }

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
        return disk.TryList(directory) is { } entries && HasSegment(entries);
    }

    private static bool HasSegment(IReadOnlyList<DiskEntry> entries)
    {
        foreach (DiskEntry entry in entries)
        {
            if (!entry.IsDirectory && SegmentFiles.TryParse(entry.Name, out _)) return true;
        }

        return false;
    }

    private void Recover(Func<LogId, LogEntryHandler>? replay)
    {
        IReadOnlyList<DiskEntry>? entries = host.Disk.TryList(Directory);
        bool exists = entries is not null && HasSegment(entries);
        if (!exists && (options.ReadOnly || !options.Create))
        {
            throw new HoldfastException(
                ErrorKind.NotThere, $"{Directory}: there is no log here", "check the path");
        }

        if (!options.ReadOnly)
        {
            _ = entries is null && host.Disk.TryCreateDirectory(Directory);
            TakeLock();
            entries = host.Disk.TryList(Directory) ?? [];
            RemoveLeftovers(entries);
        }

        List<FoundSegment> found = options.ReadOnly ? ReadHeadersAtOneInstant(entries!) : ReadHeaders(entries!, out _);
        try
        {
            lock (Gate) Adopt(found, replay);
        }
        catch
        {
            foreach (FoundSegment segment in found) segment.File.Dispose();
            throw;
        }

        if (options.ReadOnly) return;
        FillRing();
        host.Disk.SyncDirectory(Directory);
        isDirectoryDirty = false;
    }

    private void Adopt(List<FoundSegment> found, Func<LogId, LogEntryHandler>? replay)
    {
        if (found.Count == 0)
        {
            if (damages.Count > 0) ThrowAllDamaged();
            Id = LogId.Draw(host.Entropy);
            if (options.ReadOnly) return;
            // Also when the directory was there: whoever made it may have been killed before it was durable.
            SyncParent();
            _ = TurnTo(0);
            return;
        }

        Id = found[0].Header.Log;
        LogEntryHandler? onActiveEntry = replay?.Invoke(Id);
        uint highest = nextNumber - 1;
        foreach (FoundSegment segment in WithoutReplaced(found))
        {
            if (segment.Header.Number == highest && segment.Seal is null && !segment.Header.IsReplacement)
            {
                AdoptActive(segment, segment.File.Length, onActiveEntry);
            }
            else
            {
                AdoptSealed(segment);
            }
        }
    }

    private void SyncParent()
    {
        try
        {
            host.Disk.SyncDirectory(Path.GetDirectoryName(Directory) is { Length: > 0 } parent ? parent : "/");
        }
        catch (DiskException reason) when (reason.Errno == DiskException.AccessDenied)
        {
            // Made for us by somebody who may, in a directory that we cannot read.
        }
    }

    private void FillRing()
    {
        int missing = options.RingSegments - freeFiles.Count - segments.Items.Count(s => s.Header.IsRing);
        try
        {
            for (; missing > 0; missing--) freeFiles.Push(CreateFreeFile());
        }
        catch (DiskException reason) when (reason.IsNoSpace)
        {
            // What is there can be read, and dropped.
        }
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

    // Its owner may replace and remove segments meanwhile: then some of both would be seen, or none.
    private List<FoundSegment> ReadHeadersAtOneInstant(IReadOnlyList<DiskEntry> entries)
    {
        for (int i = 0; i < MaxListings; i++)
        {
            List<FoundSegment> found = ReadHeaders(entries, out bool isAnyGone);
            IReadOnlyList<DiskEntry> now = host.Disk.TryList(Directory) ?? [];
            if (!isAnyGone && NumbersIn(now).SetEquals(NumbersIn(entries))) return found;
            foreach (FoundSegment segment in found) segment.File.Dispose();
            damages.Clear();
            nextNumber = 1;
            entries = now;
        }

        throw new HoldfastException(
            ErrorKind.Busy, $"{Directory}: its segments come and go too fast to be read", "try again later");
    }

    private static HashSet<uint> NumbersIn(IReadOnlyList<DiskEntry> entries)
    {
        var numbers = new HashSet<uint>();
        foreach (DiskEntry entry in entries)
        {
            if (!entry.IsDirectory && SegmentFiles.TryParse(entry.Name, out uint number)) numbers.Add(number);
        }

        return numbers;
    }

    private List<FoundSegment> ReadHeaders(IReadOnlyList<DiskEntry> entries, out bool isAnyGone)
    {
        isAnyGone = false;
        var found = new List<FoundSegment>();
        try
        {
            foreach (DiskEntry entry in entries)
            {
                if (entry.IsDirectory || !SegmentFiles.TryParse(entry.Name, out uint number)) continue;
                nextNumber = Math.Max(nextNumber, number == uint.MaxValue ? number : number + 1);
                if (ReadHeader($"{Directory}/{entry.Name}", number, ref isAnyGone) is { } segment) found.Add(segment);
            }

            return WithoutForeign(found);
        }
        catch
        {
            foreach (FoundSegment segment in found) segment.File.Dispose();
            throw;
        }
    }

    private List<FoundSegment> WithoutForeign(List<FoundSegment> found)
    {
        found.Sort(static (a, b) => a.Header.Number.CompareTo(b.Header.Number));
        bool isForeign = false;
        foreach (FoundSegment segment in found)
        {
            if (segment.Header.Purpose != options.Purpose)
            {
                throw new HoldfastException(
                    ErrorKind.Failed,
                    $"{segment.Path}: belongs to a log for '{segment.Header.Purpose}', not '{options.Purpose}'",
                    "check the path");
            }

            isForeign |= segment.Header.Log != found[0].Header.Log;
        }

        if (!isForeign) return found;
        // A segment of another log was put here by hand; most segments tell which log it is.
        LogId id = found.GroupBy(s => s.Header.Log).MaxBy(g => g.Count())!.Key;
        foreach (FoundSegment segment in found.Where(s => s.Header.Log != id))
        {
            AddDamage(segment, $"it belongs to another log, {segment.Header.Log}");
        }

        foreach (FoundSegment foreign in found.Where(s => s.Header.Log != id)) foreign.File.Dispose();
        return [.. found.Where(s => s.Header.Log == id)];
    }

    private FoundSegment? ReadHeader(string path, uint number, ref bool isAnyGone)
    {
        IDiskFile? file = host.Disk.TryOpen(path, DiskAccess.Read);
        // Its owner removed it since the directory was listed.
        isAnyGone |= file is null;
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

    // Removes those that a replacement stands for, and replacements that stand for nothing yet.
    private List<FoundSegment> WithoutReplaced(List<FoundSegment> found)
    {
        if (!found.Exists(static segment => segment.Header.IsReplacement)) return found;
        HashSet<uint> gone = FindReplaced(found);
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

    private static HashSet<uint> FindReplaced(List<FoundSegment> found)
    {
        var there = new HashSet<uint>(found.Select(segment => segment.Header.Number));
        var gone = new HashSet<uint>();
        // Later ones first: they may replace earlier ones.
        foreach (FoundSegment segment in Enumerable.Reverse(found))
        {
            if (!segment.Header.IsReplacement || gone.Contains(segment.Header.Number)) continue;
            // Without a seal, what it lists is as good as it would be, if it is all there.
            if (segment.Seal is null && there.IsSupersetOf(segment.Header.Replaced)) gone.Add(segment.Header.Number);
            else gone.UnionWith(segment.Header.Replaced);
        }

        return gone;
    }

    private void AdoptSealed(FoundSegment segment)
    {
        if (segment.Seal is { } seal)
        {
            AddSegment(segment, seal.End.Offset, isSealDamaged: false);
            return;
        }

        AddDamage(segment, "it has no valid seal");
        AddSegment(segment, Math.Max(segment.File.Length, segment.Header.Length), isSealDamaged: true);
    }

    private void AdoptActive(FoundSegment segment, long length, LogEntryHandler? onActiveEntry)
    {
        // Its header was mended: it takes nothing more, and the hash is that of the file as it is.
        bool isDamaged = damages.Exists(damage => damage.Segment == segment.Header.Number);
        var hash = new ContentHash();
        if (!isDamaged) hash.Append(segment.Header.Encode());
        long end;
        long told;
        long entries = 0;
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
            told = Math.Max(scanner.Durable, segment.Header.Length);
        }

        // Zeros are what the writer wrote ahead.
        bool isTorn = length > end && !segment.Header.IsRing && !AreZeros(segment.File, end, length);
        if (isTorn) TornTail = new LogTornTail(segment.Path, end, length - end);
        if (options.ReadOnly)
        {
            AddSegment(segment, end, isSealDamaged: false);
            return;
        }

        Resume(segment, end, told, entries, isDamaged, hash);
    }

    private static bool AreZeros(IDiskFile file, long from, long to)
    {
        byte[] piece = new byte[64 << 10];
        while (from < to)
        {
            int read = file.Read(from, piece.AsSpan(0, (int)Math.Min(piece.Length, to - from)));
            if (piece.AsSpan(0, read).ContainsAnyExcept((byte)0)) return false;
            if (read == 0) return true;
            from += read;
        }

        return true;
    }

    private void Resume(FoundSegment found, long end, long told, long entries, bool isDamaged, ContentHash hash)
    {
        IDiskFile file = host.Disk.TryOpen(found.Path, DiskAccess.ReadWrite)
            ?? throw new HoldfastException(ErrorKind.Failed, $"{found.Path}: vanished", "another program removes files here");
        // Also longer, where the padding of the last frame is missing: the seal's hash covers it.
        if (file.Length != end && !found.Header.IsRing) file.SetLength(end);
        // What is found may be in the page cache only, of an owner that was killed.
        file.Sync();
        long capacity = found.Header.IsRing ? file.Length : Math.Max(options.SegmentBytes, end + SegmentSeal.Size);
        if (hash.Length > end) hash.Reset();
        var segment = new LogSegment(this, found.Path, found.Header, found.File, null, end, Math.Max(capacity, options.SegmentBytes));
        segments = segments.With(segment);
        active = new SegmentAppender(Gate, file, found.Header, end, told, entries, capacity, options.BufferBytes, hash);
        activeSegment = segment;
        segment.Attach(active);
        // A damaged segment takes nothing more; and in a ring frames of the torn tail cannot be cut off, so they would
        // be valid again once the next append has filled the gap before them.
        if (!isDamaged && !found.Header.IsRing) return;
        if (active.IsEmpty) RetireEmpty();
        else _ = SealActive();
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
