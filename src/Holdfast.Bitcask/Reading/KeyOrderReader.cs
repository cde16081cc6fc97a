using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Reading;

/// <summary>Reads a range of keys of a snapshot in their order.</summary>
internal sealed class KeyOrderReader : SnapshotReader
{
    private readonly BitcaskStore store;
    private readonly Dictionary<uint, LogSegment> segments;
    private readonly KeyRange range;
    private readonly OrderedCursor cursor;
    private readonly RecordReader reader;
    private bool isStarted;

    public KeyOrderReader(
        BitcaskStore store, SegmentedLog log, OrderedSnapshot keydir, Dictionary<uint, LogSegment> segments, KeyRange range)
    {
        this.store = store;
        this.segments = segments;
        this.range = range;
        cursor = keydir.OpenCursor();
        // Its own: it lives on between calls, while the thread reads other things.
        reader = RecordReader.Create(log, segments);
    }

    public override ReadOnlySpan<byte> Key => cursor.Key;

    public override ReadOnlySpan<byte> Value => reader.Value;

    public override DateTimeOffset? Expires => reader.Header.Expiry is long expiry ? UnixTime.ToTime(expiry) : null;

    public override bool TryRead()
    {
        while (isStarted ? Go() : Start())
        {
            if (!IsInRange()) return false;
            Location location = cursor.Location;
            _ = reader.Read(segments[location.Segment], location);
            if (!reader.Key.SequenceEqual(cursor.Key)) throw reader.Misplaced(location);
            if (!store.IsExpired(reader.Header)) return true;
        }

        return false;
    }

    public override void Dispose()
    {
    }

    private bool Go() => range.IsBackward ? cursor.MovePrevious() : cursor.MoveNext();

    private bool Start()
    {
        isStarted = true;
        if (!range.IsBackward) return range.From is null ? cursor.SeekFirst() : cursor.Seek(range.From);
        if (range.Before is null) return cursor.SeekLast();
        return cursor.Seek(range.Before) ? cursor.MovePrevious() : cursor.SeekLast();
    }

    private bool IsInRange() => range.IsBackward
        ? range.From is null || cursor.Key.SequenceCompareTo(range.From) >= 0
        : range.Before is null || cursor.Key.SequenceCompareTo(range.Before) < 0;
}
