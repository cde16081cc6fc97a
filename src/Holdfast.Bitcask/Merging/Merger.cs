using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Opening;
using Holdfast.Bitcask.Reading;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Merging;

/// <summary>Replaces some segments by one that has what of them still counts, while others read and write.</summary>
/// <remarks>
/// Until the replacement is durable nobody sees it. Then the keydir is moved over, key by key, unless a key was changed
/// meanwhile; then the replaced segments go. What is appended during the merge lies above the replacement, so at each
/// moment, also after a crash, the record at the highest position counts.
/// </remarks>
internal sealed class Merger
{
    private readonly SegmentedLog log;
    private readonly Keydir keydir;
    private readonly ReadEpochs epochs;
    private readonly SegmentHints hints;
    private readonly Func<RecordReader> rentMatch;
    private readonly Lock moveGate;
    private readonly long now;
    private readonly ulong lastSequence;
    private readonly MergePace pace;
    private readonly Action<LogSegment> onUnread;
    private readonly PlaceMatch place = new();
    private readonly byte[] tombstone = new byte[RecordHeader.MaxSize];
    private long copied;
    private long tombstonesKept;

    public Merger(
        SegmentedLog log, Keydir keydir, ReadEpochs epochs, SegmentHints hints, Func<RecordReader> rentMatch,
        Lock moveGate, long now, ulong lastSequence, MergePace pace, Action<LogSegment> onUnread)
    {
        this.onUnread = onUnread;
        this.log = log;
        this.keydir = keydir;
        this.epochs = epochs;
        this.hints = hints;
        this.rentMatch = rentMatch;
        this.moveGate = moveGate;
        this.now = now;
        this.lastSequence = lastSequence;
        this.pace = pace;
    }

    /// <summary>Merges some segments into one.</summary>
    /// <param name="inputs">Sealed, by number.</param>
    /// <param name="cancellationToken">Looked at until the replacement is durable; cancelling leaves nothing.</param>
    public MergeReport Run(IReadOnlyList<LogSegment> inputs, CancellationToken cancellationToken)
    {
        var held = new List<LogSegment>();
        try
        {
            foreach (LogSegment input in inputs)
            {
                // An empty one goes by itself when the last of those that it replaced has gone.
                if (input.TryAcquire()) held.Add(input);
            }

            return Replace(held, cancellationToken);
        }
        finally
        {
            foreach (LogSegment input in held) epochs.Retire(new HeldSegment(input, onUnread));
        }
    }

    private MergeReport Replace(List<LogSegment> inputs, CancellationToken cancellationToken)
    {
        if (inputs.Count == 0 || log.TryBeginReplacement(inputs) is not { } begun) return MergeReport.Nothing;
        using LogReplacement replacement = begun;
        using var builder = new HintBuilder(replacement.Number);
        var numbers = new HashSet<uint>(inputs.Select(input => input.Number));
        // Tombstones of segments below the lowest that stays can hide nothing any more.
        uint lowestKept = log.Segments.Where(s => !numbers.Contains(s.Number)).Select(s => s.Number).DefaultIfEmpty(uint.MaxValue).Min();
        foreach (LogSegment input in inputs)
        {
            if (Copy(input, replacement, builder, keepTombstones: lowestKept < input.Number, cancellationToken) is not { } damage) continue;
            SegmentTally.Of(input).IsDamaged = true;
            return MergeReport.Nothing with { Damages = [damage] };
        }

        long before = inputs.Sum(input => input.Length);
        using HintData data = builder.Build();
        LogSegment merged;
        lock (moveGate)
        {
            merged = replacement.Commit();
            var tally = new SegmentTally();
            merged.Tag = tally;
            // Whatever fails from here on: on disk they are replaced.
            foreach (LogSegment input in inputs) SegmentTally.Of(input).IsReplaced = true;
            Move(data, numbers, merged, tally);
            foreach (LogSegment input in inputs) Drop(input);
        }

        WriteHints(merged, data);
        return new MergeReport(inputs.Count, 1, before, merged.Length, copied, tombstonesKept, []);
    }

    private void Drop(LogSegment input)
    {
        SegmentTally tally = SegmentTally.Of(input);
        lock (tally.HintGate) tally.StopCollecting();
        log.Drop(input);
    }

    private void WriteHints(LogSegment merged, HintData data)
    {
        try
        {
            hints.Write(merged, data);
        }
        catch (DiskException)
        {
            // The merge is done, and makes room where there is none; the hint is made by the next maintenance or open.
        }
    }

    // Copies what still counts of a segment; returns damage, if any was met.
    private LogDamage? Copy(
        LogSegment input, LogReplacement replacement, HintBuilder builder, bool keepTombstones,
        CancellationToken cancellationToken)
    {
        ulong seed = log.Id.High;
        using LogSegmentReader reader = input.OpenReader(input.Readable);
        while (reader.TryRead())
        {
            if (reader.Damage is not null) return reader.Damage;
            ReadOnlySpan<byte> payload = reader.Payload;
            pace.Spend(payload.Length, cancellationToken);
            if (!RecordHeader.TryDecode(payload, out RecordHeader header)) continue;
            ReadOnlySpan<byte> key = header.KeyOf(payload);
            ulong hash = KeyHash.Of(key, seed);
            uint frameBytes = LogSegment.FrameHeaderBytes + (uint)payload.Length;
            if (header.IsTombstone)
            {
                // That of the last change is kept: sequence numbers go on from it, and the log never has no segment.
                if ((!keepTombstones && header.Sequence != lastSequence) || IsPresent(hash, key)) continue;
            }
            else if (!IsCurrent(hash, key, new Location(input.Number, reader.Position.Offset, frameBytes)))
            {
                continue;
            }
            else if (header.Expiry <= now)
            {
                // It hides older records like a tombstone, and needs its value no longer.
                Bury(header, hash, key, replacement, builder);
                continue;
            }

            LogPosition position = replacement.Append(payload);
            builder.Add(header, hash, key, position.Offset, frameBytes);
            if (header.IsTombstone) tombstonesKept++;
            else copied++;
            pace.Spend(payload.Length, cancellationToken);
        }

        return null;
    }

    private void Bury(
        in RecordHeader header, ulong hash, ReadOnlySpan<byte> key, LogReplacement replacement, HintBuilder builder)
    {
        var buried = new RecordHeader(header.Sequence, RecordKind.Delete, header.KeyBytes, null);
        buried.Encode(tombstone);
        LogPosition position = replacement.Append(tombstone.AsSpan(0, buried.Size), key);
        builder.Add(buried, hash, key, position.Offset, LogSegment.FrameHeaderBytes + (uint)(buried.Size + key.Length));
        tombstonesKept++;
    }

    // Lets the keydir point into the replacement. Of a key whose record lies in a replaced segment still, the copy is
    // that record.
    private unsafe void Move(HintData data, HashSet<uint> replaced, LogSegment merged, SegmentTally tally)
    {
        using var buffer = new NativeBuffer();
        // All of what is replaced was just read through its CRCs: keys may be compared where they are mapped.
        RecordReader match = RecordReader.Rent(log, firstOwnSegment: 0, checks: false);
        int sinceEntered = 0;
        int token = epochs.Enter();
        try
        {
            for (int stripe = 0; stripe < HintStripe.Count; stripe++)
            {
                HintEntries entries = data.ReadStripe(stripe, buffer);
                for (byte* at = entries.Start; at < entries.End; at = new HintEntry(at).End)
                {
                    if (++sinceEntered == 1024)
                    {
                        // What others retire must not wait for all of this.
                        epochs.Exit(token);
                        token = epochs.Enter();
                        sinceEntered = 0;
                    }

                    Move(new HintEntry(at), replaced, merged.Number, tally, match);
                }
            }
        }
        finally
        {
            epochs.Exit(token);
            match.Return();
        }
    }

    private void Move(HintEntry entry, HashSet<uint> replaced, uint merged, SegmentTally tally, RecordReader match)
    {
        bool isThere = keydir.TryFind(entry.Hash, entry.Key, match, out Location from) && replaced.Contains(from.Segment);
        if (entry.IsTombstone)
        {
            tally.AddTombstone(entry.FrameBytes);
            if (isThere) _ = keydir.TryRemove(entry.Hash, entry.Key, from);
            return;
        }

        // Counted before it can be found, so that whoever replaces it finds it counted.
        tally.AddLive(entry.FrameBytes);
        if (!isThere || !keydir.TryMove(entry.Hash, entry.Key, from, entry.LocationIn(merged))) tally.RemoveLive(entry.FrameBytes);
    }

    private bool IsCurrent(ulong hash, ReadOnlySpan<byte> key, Location location)
    {
        place.Place = location;
        int token = epochs.Enter();
        try
        {
            return keydir.TryFind(hash, key, place, out Location current) && current.IsSameAs(location);
        }
        finally
        {
            epochs.Exit(token);
        }
    }

    private bool IsPresent(ulong hash, ReadOnlySpan<byte> key)
    {
        RecordReader match = rentMatch();
        int token = epochs.Enter();
        try
        {
            return keydir.TryFind(hash, key, match, out _);
        }
        finally
        {
            epochs.Exit(token);
            match.Return();
        }
    }

    // Finds by place, without reading: the merge knows where the record must lie.
    private sealed class PlaceMatch : IRecordMatch
    {
        public Location Place { get; set; }

        public bool Matches(Location location, ReadOnlySpan<byte> key) => location.IsSameAs(Place);
    }

    // Held until no read can be in it.
    private sealed class HeldSegment(LogSegment segment, Action<LogSegment> onUnread) : IDisposable
    {
        public void Dispose() => onUnread(segment);
    }
}
