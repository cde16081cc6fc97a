using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Reading;

/// <summary>Reads the segments of a snapshot one after the other and gives what was current.</summary>
internal sealed class SegmentOrderReader(
    BitcaskStore store, KeydirSnapshot keydir, IReadOnlyList<SnapshotSegment> segments, ulong hashSeed) : SnapshotReader
{
    private int next;
    private LogSegmentReader? reader;
    private RecordHeader header;

    public override ReadOnlySpan<byte> Key => header.KeyOf(reader!.Payload);

    public override ReadOnlySpan<byte> Value => header.ValueOf(reader!.Payload);

    public override DateTimeOffset? Expires => header.Expiry is long expiry ? UnixTime.ToTime(expiry) : null;

    public override bool TryRead()
    {
        while (true)
        {
            if (reader is null && !TryEnter()) return false;
            if (!reader!.TryRead())
            {
                reader.Dispose();
                reader = null;
                continue;
            }

            if (reader.Damage is { } damage)
            {
                throw new HoldfastException(
                    ErrorKind.Damage, damage.ToString(), "verify the whole store; restore what is lost from a backup");
            }

            ReadOnlySpan<byte> payload = reader.Payload;
            if (!RecordHeader.TryDecode(payload, out header) || header.IsTombstone) continue;
            ReadOnlySpan<byte> key = header.KeyOf(payload);
            LogPosition position = reader.Position;
            var location = new Location(position.Segment, position.Offset, LogSegment.FrameHeaderBytes + (uint)payload.Length);
            if (keydir.IsCurrent(KeyHash.Of(key, hashSeed), key, location) && !store.IsExpired(header)) return true;
        }
    }

    public override void Dispose()
    {
        reader?.Dispose();
        reader = null;
        next = segments.Count;
    }

    private bool TryEnter()
    {
        if (next == segments.Count) return false;
        (LogSegment segment, long end) = segments[next++];
        // One without entries may not be on the disk yet.
        while (end == segment.FirstOffset)
        {
            if (next == segments.Count) return false;
            (segment, end) = segments[next++];
        }

        if (segment.Readable < end) store.Flush();
        if (segment.Readable < end)
        {
            // An earlier write failed, so the rest is in memory only, where single keys are read.
            throw new HoldfastException(
                ErrorKind.Failed,
                $"{segment.Path}: what was written last is not on the disk, and cannot be read in order",
                "look at the disk, then open the store again");
        }

        reader = segment.OpenReader(end);
        return true;
    }
}
