using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Reading;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Reading.</summary>
public sealed partial class BitcaskStore
{
    /// <summary>Copies the value of a key.</summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="target">Gets the value; untouched when it is too small.</param>
    /// <param name="length">Length of the value, also when <paramref name="target"/> is too small for it.</param>
    /// <returns>Whether the key is there; then look whether <paramref name="length"/> fits.</returns>
    /// <exception cref="HoldfastException">The record is damaged, or the disk failed.</exception>
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> target, out int length)
    {
        length = 0;
        RecordReader reader = RentReader();
        int token = epochs.Enter();
        try
        {
            if (!TryRead(key, reader)) return false;
            ReadOnlySpan<byte> value = reader.Value;
            length = value.Length;
            if (length <= target.Length) value.CopyTo(target);
            return true;
        }
        finally
        {
            epochs.Exit(token);
            reader.Return();
        }
    }

    /// <summary>The value of a key in memory of its own; null when the key is absent.</summary>
    /// <inheritdoc cref="TryGet"/>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        RecordReader reader = RentReader();
        int token = epochs.Enter();
        try
        {
            return TryRead(key, reader) ? reader.Value.ToArray() : null;
        }
        finally
        {
            epochs.Exit(token);
            reader.Return();
        }
    }

    /// <summary>The value of a key without a copy: where it lies in the mapped segment.</summary>
    /// <returns>
    /// Null when the key is absent. Dispose of it soon: its segment keeps its disk space until then. What it shows
    /// never changes.
    /// </returns>
    /// <inheritdoc cref="TryGet"/>
    public ValueLease? Lease(ReadOnlySpan<byte> key)
    {
        RecordReader reader = RentReader();
        int token = epochs.Enter();
        try
        {
            if (!TryRead(key, reader)) return null;
            LogSegment segment = reader.Segment!;
            if (!reader.IsMapped && reader.Segment!.Readable < reader.Location.Offset + (long)reader.Location.Length) log.Flush();
            return ValueLease.Of(reader, segment);
        }
        finally
        {
            epochs.Exit(token);
            reader.Return();
        }
    }

    /// <summary>Whether a key is there.</summary>
    /// <inheritdoc cref="TryGet"/>
    public bool Exists(ReadOnlySpan<byte> key)
    {
        RecordReader reader = RentMatch();
        int token = epochs.Enter();
        try
        {
            ThrowIfDisposed();
            return TryReadHeader(KeyHash.Of(key, hashSeed), key, reader) && !IsExpired(reader.Header);
        }
        finally
        {
            epochs.Exit(token);
            reader.Return();
        }
    }

    internal bool IsExpired(in RecordHeader header) =>
        header.Expiry is long expiry && expiry <= UnixTime.ToNanoseconds(host.Clock.GetUtcNow());

    // Inside a read of the epochs.
    private bool TryRead(ReadOnlySpan<byte> key, RecordReader reader)
    {
        ThrowIfDisposed();
        ulong hash = KeyHash.Of(key, hashSeed);
        Location location;
        while (true)
        {
            if (!keydir.TryFind(hash, key, reader, out location))
            {
                reader.ThrowIfDamaged();
                return false;
            }

            if (reader.Location.IsSameAs(location)) break;
            // The ordered keydir finds a key without looking at its record; a merge may have moved it since.
            if (!reader.TryRead(location)) continue;
            if (!reader.Key.SequenceEqual(key)) throw reader.Misplaced(location);
            break;
        }

        if (reader.IsNewlyVerified) keydir.MarkVerified(hash, key, location);
        return !IsExpired(reader.Header);
    }

    // Finds a key and reads the header of its record, unchecked. Inside a read of the epochs.
    private bool TryReadHeader(ulong hash, ReadOnlySpan<byte> key, RecordReader reader)
    {
        Location before = default;
        while (keydir.TryFind(hash, key, reader, out Location location))
        {
            // The ordered keydir has not looked at the record.
            if (location.IsSameAs(before)) throw reader.Misplaced(location);
            if (reader.Location.IsSameAs(location) || reader.Matches(location, key)) return true;
            // A merge has moved it: then it is found elsewhere now. Else it is damaged.
            before = location;
        }

        return false;
    }

    private RecordReader RentReader() => RecordReader.Rent(log, firstOwnSegment, checks: true);
}
