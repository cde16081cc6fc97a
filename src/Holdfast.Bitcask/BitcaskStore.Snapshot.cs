using Holdfast.Bitcask.Keydirs;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>Views of one instant, and what goes with them.</summary>
public sealed partial class BitcaskStore
{
    /// <summary>The store as it is now, for as long as the snapshot is not disposed of, whatever is written and merged meanwhile.</summary>
    /// <remarks>Costs the same for any number of keys. Segments that it needs keep their disk space.</remarks>
    public StoreSnapshot Snapshot()
    {
        lock (log.Gate)
        {
            ThrowIfDisposed();
            var held = new List<SnapshotSegment>();
            foreach (LogSegment segment in log.Segments)
            {
                if (!segment.TryAcquire()) throw new InvalidOperationException($"{segment.Path} is gone");
                held.Add(new SnapshotSegment(segment, segment.End));
            }

            return new StoreSnapshot(this, log, keydir.Snapshot(), held, sequence, hashSeed);
        }
    }

    /// <summary>Reads and changes several keys so that all of it happens at one instant, or nothing.</summary>
    /// <remarks>Optimistic: nobody waits; if what was read has changed by the end, the transaction fails and is tried again.</remarks>
    public Transaction BeginTransaction()
    {
        ThrowIfDisposed();
        ThrowIfReadOnly();
        return new Transaction(this);
    }

    internal void Flush() => log.Flush();

    // The sequence number of the record of a key; 0 when it is absent. The value goes to `value` if wanted.
    internal ulong ReadVersion(ReadOnlySpan<byte> key, bool wantsValue, out byte[]? value)
    {
        value = null;
        Reading.RecordReader reader = wantsValue ? RentReader() : RentMatch();
        int token = epochs.Enter();
        try
        {
            if (wantsValue)
            {
                if (!TryRead(key, reader)) return 0;
                value = reader.Value.ToArray();
                return reader.Header.Sequence;
            }

            bool isThere = TryReadHeader(KeyHash.Of(key, hashSeed), key, reader) && !IsExpired(reader.Header);
            return isThere ? reader.Header.Sequence : 0;
        }
        finally
        {
            epochs.Exit(token);
            reader.Return();
        }
    }

    // Makes the changes if each key still has the version that was read.
    internal bool TryApply(Dictionary<byte[], ulong> read, WriteBatch changes, Durability? durability)
    {
        Durability wanted = durability ?? options.Durability;
        LogPosition end;
        lock (log.Gate)
        {
            ReserveLocked(changes);
            foreach ((byte[] key, ulong version) in read)
            {
                if (ReadVersion(key, wantsValue: false, out _) != version) return false;
            }

            end = ApplyReserved(changes, wanted);
        }

        // Also what was read may not be durable yet.
        if (wanted == Durability.Group) log.Commit(end);
        return true;
    }
}
