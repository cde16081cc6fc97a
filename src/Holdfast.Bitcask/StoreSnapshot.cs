using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Reading;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>A store as it was at one instant. For any number of threads; each reader for one.</summary>
public sealed class StoreSnapshot : IDisposable
{
    private readonly BitcaskStore store;
    private readonly SegmentedLog log;
    private readonly IReadOnlyList<SnapshotSegment> segments;
    private readonly Dictionary<uint, LogSegment> byNumber;
    private readonly ulong hashSeed;
    private KeydirSnapshot? keydir;

    internal StoreSnapshot(
        BitcaskStore store, SegmentedLog log, KeydirSnapshot keydir, IReadOnlyList<SnapshotSegment> segments,
        ulong sequence, ulong hashSeed)
    {
        this.store = store;
        this.log = log;
        this.keydir = keydir;
        this.segments = segments;
        this.hashSeed = hashSeed;
        byNumber = segments.ToDictionary(s => s.Segment.Number, s => s.Segment);
        Sequence = sequence;
    }

    /// <summary>Number of the last change that it has.</summary>
    public ulong Sequence { get; }

    /// <summary>How many keys there were.</summary>
    public long Count => Keydir.Count;

    internal KeydirSnapshot Keydir => keydir ?? throw new ObjectDisposedException(nameof(StoreSnapshot));

    /// <summary>The value of a key; null when it was absent.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        var reader = RecordReader.Rent(log, byNumber, checks: true);
        try
        {
            if (!Keydir.TryFind(KeyHash.Of(key, hashSeed), key, reader, out Location location))
            {
                reader.ThrowIfDamaged();
                return null;
            }

            if (!reader.Location.IsSameAs(location))
            {
                reader.Read(byNumber[location.Segment], location);
                if (!reader.Key.SequenceEqual(key)) throw reader.Misplaced(location);
            }

            return store.IsExpired(reader.Header) ? null : reader.Value.ToArray();
        }
        finally
        {
            reader.Return();
        }
    }

    /// <summary>Reads all keys, each once, in the order of the segments, which is that of the disk.</summary>
    public SnapshotReader OpenReader() => new SegmentOrderReader(store, Keydir, segments, hashSeed);

    /// <summary>Reads keys in their order (bytes, unsigned).</summary>
    /// <param name="range">Which, and in which direction.</param>
    /// <exception cref="NotSupportedException">The store was opened with the compact keydir, which knows no order.</exception>
    public SnapshotReader OpenReader(KeyRange range)
    {
        ArgumentNullException.ThrowIfNull(range);
        if (Keydir is OrderedSnapshot ordered) return new KeyOrderReader(store, log, ordered, byNumber, range);
        throw new NotSupportedException(
            "the compact keydir knows no order: open the store with Keydir = KeydirKind.Ordered for ranges and prefixes");
    }

    /// <summary>Folds all keys and values into one result.</summary>
    /// <param name="seed">What to begin with.</param>
    /// <param name="step">Told of the result so far and of a key and its value, which are valid during the call.</param>
    public T Fold<T>(T seed, FoldStep<T> step)
    {
        ArgumentNullException.ThrowIfNull(step);
        T result = seed;
        using SnapshotReader reader = OpenReader();
        while (reader.TryRead()) result = step(result, reader.Key, reader.Value);
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        KeydirSnapshot? last = Interlocked.Exchange(ref keydir, null);
        if (last is null) return;
        last.Dispose();
        foreach (SnapshotSegment segment in segments) segment.Segment.Release();
    }
}

/// <summary>A step of <see cref="StoreSnapshot.Fold"/>.</summary>
/// <param name="result">So far.</param>
/// <param name="key">Valid during the call.</param>
/// <param name="value">Valid during the call.</param>
public delegate T FoldStep<T>(T result, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

/// <summary>A segment that a snapshot holds, and how much of it belongs to the snapshot.</summary>
internal readonly record struct SnapshotSegment(LogSegment Segment, long End);
