using Holdfast.Bitcask.Hints;
using Holdfast.Log;

namespace Holdfast.Bitcask.Opening;

/// <summary>The hints of sealed segments: read, made from the segment, written.</summary>
/// <param name="disk">Where they lie.</param>
/// <param name="id">Of the log.</param>
internal sealed class SegmentHints(IDisk disk, LogId id)
{
    private readonly List<LogDamage> damages = [];

    /// <summary>Damage met while segments were read.</summary>
    public IReadOnlyList<LogDamage> Damages
    {
        get
        {
            lock (damages) return [.. damages];
        }
    }

    /// <summary>The hint file of a segment, or null when it cannot be used.</summary>
    public HintFile? TryOpen(LogSegment segment)
    {
        IDiskFile? file = disk.TryOpen(segment.HintPath, DiskAccess.Read);
        if (file is null) return null;
        HintFile? hints = HintFile.TryOpen(file, IdentityOf(segment), out _);
        if (hints is null) file.Dispose();
        return hints;
    }

    /// <summary>Notes damage if a segment that is not sealed has a hint: then it was sealed, and has lost its
    /// end.</summary>
    /// <param name="segment">Not sealed.</param>
    /// <param name="mayBeWritten">Whether its owner may just have sealed it.</param>
    public void CheckUnsealed(LogSegment segment, bool mayBeWritten)
    {
        using IDiskFile? file = disk.TryOpen(segment.HintPath, DiskAccess.Read);
        if (file is null) return;
        byte[] bytes = new byte[HintHeader.Size];
        if (HintHeader.TryDecode(bytes.AsSpan(0, file.Read(0, bytes)), out _) is not { } header) return;
        HintIdentity found = header.Identity;
        if (found != IdentityOf(segment) with { SegmentBytes = found.SegmentBytes }) return;
        if (mayBeWritten && !(disk.TryStat(segment.Path)?.Length < found.SegmentBytes)) return;
        long lost = Math.Max(0, found.SegmentBytes - segment.Length);
        lock (damages)
        {
            damages.Add(new LogDamage(
                segment.Number, segment.Path, segment.Length, lost,
                $"it was sealed with {found.SegmentBytes} bytes, its seal is gone"));
        }
    }

    /// <summary>Notes damage that was met in a segment, and that the segment has it.</summary>
    public void Note(LogSegment segment, IReadOnlyList<LogDamage> met)
    {
        if (met.Count == 0) return;
        SegmentTally.Of(segment).IsDamaged = true;
        lock (damages) damages.AddRange(met);
    }

    /// <summary>Makes the hints from the segment. Damage met is noted, and that the segment has it.</summary>
    public HintData Rebuild(LogSegment segment, CancellationToken cancellationToken)
    {
        using var builder = new HintBuilder(segment.Number);
        Note(segment, segment.Scan(
            (position, payload) =>
            {
                // An entry that is no record tells nothing of any key.
                _ = ActiveReplay.TryAdd(builder, id.High, position, payload);
            },
            cancellationToken));
        return builder.Build();
    }

    /// <summary>Writes the hint file of a sealed segment unless it is there. Not durable: it can be made again.</summary>
    public void Write(LogSegment segment, CancellationToken cancellationToken)
    {
        SegmentTally tally = SegmentTally.Of(segment);
        lock (tally.HintGate)
        {
            if (tally.HasHint || tally.IsDamaged || !segment.TryAcquire()) return;
            try
            {
                // One that lacks a record, since a change failed halfway, is no help.
                bool isComplete = tally.Collected is { } collected && collected.Records == segment.EntryCount;
                using HintData data = isComplete ? tally.Collected!.Build() : Rebuild(segment, cancellationToken);
                if (!tally.IsDamaged) Publish(segment, data);
            }
            finally
            {
                tally.StopCollecting();
                segment.Release();
            }
        }
    }

    /// <summary>Writes hints that were made already, unless they are there.</summary>
    public void Write(LogSegment segment, HintData data)
    {
        SegmentTally tally = SegmentTally.Of(segment);
        lock (tally.HintGate)
        {
            if (!tally.HasHint) Publish(segment, data);
        }
    }

    private void Publish(LogSegment segment, HintData data)
    {
        string path = segment.HintPath;
        using IDiskFile file = disk.CreateUnnamed(Path.GetDirectoryName(path)!);
        data.WriteTo(file, IdentityOf(segment), segment.GetFileHash());
        file.Sync();
        // One that could not be used stands in the way.
        _ = disk.TryDelete(path);
        SegmentTally tally = SegmentTally.Of(segment);
        tally.HasHint = disk.TryPublish(file, path);
        tally.Description = null;
    }

    private HintIdentity IdentityOf(LogSegment segment) =>
        new(id, segment.Number, segment.Incarnation, segment.Length);
}
