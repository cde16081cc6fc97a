using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Reading;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>An embedded key-value store in the manner of Bitcask. Format: docs/formats/bitcask.md.</summary>
/// <remarks>
/// Keys and values are bytes. For any number of threads; one process at a time writes, others may read what was there
/// when they opened it. A write that returned is seen by every read that begins afterwards; what is durable then is
/// told by its <see cref="Durability"/>. After a write that failed for another reason than lack of space or a wrong
/// argument, the store takes no more writes and goes on reading.
/// </remarks>
public sealed partial class BitcaskStore : IDisposable
{
    /// <summary>Longest key, bytes.</summary>
    public const int MaxKeyBytes = RecordHeader.MaxKeyBytes;

    /// <summary>Longest value, bytes: 1 GiB less 128 KiB.</summary>
    public const int MaxValueBytes = (1 << 30) - (128 << 10);

    internal const string Purpose = "bitcask";

    // What is collected for a hint while its segment is written saves reading the segment again; beyond this it is not
    // worth the memory.
    private const long MaxCollectedBytes = 64 << 20;
    private const int MaxCollecting = 2;
    private const int NotedAtOnce = 32;

    private const int CacheLineBytes = 64;

    // As much as is on its way to a core at once; what follows in a longer value, the processor fetches ahead by
    // itself.
    private const int PrefetchedBytes = 16 * CacheLineBytes;

    private readonly Host host;
    private readonly BitcaskOptions options;
    private readonly SegmentedLog log;
    private readonly ReadEpochs epochs;
    private readonly Keydir keydir;
    private readonly ulong hashSeed;
    private readonly uint firstOwnSegment;

    // The writer's. Under the gate; what it found is of no use after a wait.
    private readonly RecordReader match;
    private ulong sequence;
    private SegmentTally? talliedActive;
    private uint talliedNumber;
    private Exception? failure;
    private volatile bool isDisposed;

    /// <summary>Where it lies.</summary>
    public string Directory => log.Directory;

    /// <summary>Names this store, and the copies made of it, among all others.</summary>
    public LogId Id => log.Id;

    /// <summary>How many keys there are; those that have expired count until a merge meets them.</summary>
    public long Count => keydir.Count;

    /// <summary>Number of the last change; 0 = none yet. Grows by one with each put and delete.</summary>
    public ulong Sequence
    {
        get
        {
            lock (log.Gate) return sequence;
        }
    }

    /// <summary>What open cut off; null when there was no torn tail.</summary>
    public LogTornTail? TornTail => log.TornTail;

    /// <summary>Gives a key a value.</summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="value">0 to <see cref="MaxValueBytes"/> bytes.</param>
    /// <param name="expires">When the key is absent again; null = never.</param>
    /// <param name="durability">What is durable when it returns; null = as the store was opened.</param>
    /// <exception cref="DiskException">No space: nothing has changed; or the disk failed.</exception>
    public void Put(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, DateTimeOffset? expires = null, Durability? durability = null)
    {
        ThrowIfInvalid(key, value);
        Durability wanted = durability ?? options.Durability;
        LogPosition end = Apply(RecordKind.Put, key, value, UnixTime.ToNanoseconds(expires), wanted, out _);
        if (wanted == Durability.Group) log.Commit(end);
    }

    /// <summary>The same without waiting on the calling thread.</summary>
    public ValueTask PutAsync(
        ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, DateTimeOffset? expires = null,
        Durability? durability = null)
    {
        ThrowIfInvalid(key.Span, value.Span);
        Durability wanted = durability ?? options.Durability;
        LogPosition end = Apply(
            RecordKind.Put, key.Span, value.Span, UnixTime.ToNanoseconds(expires), WithoutWaiting(wanted), out _);
        return wanted is Durability.Group or Durability.Each ? log.CommitAsync(end) : ValueTask.CompletedTask;
    }

    /// <summary>Removes a key.</summary>
    /// <param name="key">1 to 65,535 bytes.</param>
    /// <param name="durability">What is durable when it returns; null = as the store was opened.</param>
    /// <returns>Whether it was there.</returns>
    public bool Delete(ReadOnlySpan<byte> key, Durability? durability = null)
    {
        ThrowIfInvalid(key, default);
        Durability wanted = durability ?? options.Durability;
        LogPosition end = Apply(RecordKind.Delete, key, default, null, wanted, out bool wasThere);
        // Nothing to delete: still, that it is absent may rest on a delete that is not durable yet.
        if (end == default && wanted is Durability.Group or Durability.Each) log.Sync();
        else if (wanted == Durability.Group) log.Commit(end);
        return wasThere;
    }

    /// <summary>Makes all changes of a batch, or, if it fails, none.</summary>
    /// <param name="batch">Not changed by others meanwhile.</param>
    /// <param name="durability">What is durable when it returns; null = as the store was opened.</param>
    /// <remarks>A snapshot sees all of it or nothing; single reads may see some of its changes before others.</remarks>
    public void Write(WriteBatch batch, Durability? durability = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Durability wanted = durability ?? options.Durability;
        LogPosition end;
        lock (log.Gate) end = ApplyLocked(batch, wanted);
        if (wanted == Durability.Group) log.Commit(end);
    }

    /// <summary>The same without waiting on the calling thread.</summary>
    public ValueTask WriteAsync(WriteBatch batch, Durability? durability = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Durability wanted = durability ?? options.Durability;
        LogPosition end;
        lock (log.Gate) end = ApplyLocked(batch, WithoutWaiting(wanted));
        return wanted is Durability.Group or Durability.Each ? log.CommitAsync(end) : ValueTask.CompletedTask;
    }

    /// <summary>Makes all that was written durable.</summary>
    public void Sync() => log.Sync();

    /// <summary>Makes all that was written durable.</summary>
    public ValueTask SyncAsync() => log.SyncAsync();

    internal static void ThrowIfInvalid(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.IsEmpty) throw new ArgumentException("the key is empty", nameof(key));
        if (key.Length > MaxKeyBytes)
        {
            throw new ArgumentException($"a key of {key.Length} bytes, at most {MaxKeyBytes} are possible", nameof(key));
        }

        if (value.Length > MaxValueBytes)
        {
            throw new ArgumentException(
                $"a value of {value.Length} bytes, at most {MaxValueBytes} are possible", nameof(value));
        }
    }

    // Returns the end of the log behind the change; the default value when there was nothing to delete.
    [SkipLocalsInit]
    private LogPosition Apply(
        RecordKind kind, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long? expiry, Durability durability,
        out bool wasThere)
    {
        wasThere = false;
        PrefetchBeginning(value);
        ulong hash = KeyHash.Of(key, hashSeed);
        keydir.PrefetchFirst(hash);
        Span<byte> head = stackalloc byte[RecordHeader.MaxSize];
        lock (log.Gate)
        {
            ThrowIfUnusable();
            // What will change comes into the cache while the record is written.
            keydir.Prefetch(hash);
            if (kind == RecordKind.Delete && !Contains(hash, key, out _)) return default;
            // Whatever has to be waited for is waited for here, before anything is decided.
            log.ReserveLocked(RecordHeader.MaxSize + key.Length + value.Length);
            ThrowIfUnusable();
            if (kind == RecordKind.Delete)
            {
                if (!Contains(hash, key, out bool isExpired)) return default;
                wasThere = !isExpired;
            }

            var header = new RecordHeader(sequence + 1, kind, key.Length, expiry);
            header.Encode(head);
            LogPosition position = log.AppendLocked(head[..header.Size], key, value);
            Note(hash, key, header, position, header.ValueOffset + value.Length);
            if (watchers is not null) Tell(new Change(sequence, key.ToArray(), kind == RecordKind.Put ? value.ToArray() : null));
            log.HonourLocked(durability);
            return log.EndLocked();
        }
    }

    private LogPosition ApplyLocked(WriteBatch batch, Durability durability)
    {
        ReserveLocked(batch);
        return ApplyReserved(batch, durability);
    }

    // Whatever has to be waited for is waited for here, before anything is decided.
    private void ReserveLocked(WriteBatch batch)
    {
        ThrowIfUnusable();
        log.ReserveLocked(batch.Group);
        ThrowIfUnusable();
    }

    private LogPosition ApplyReserved(WriteBatch batch, Durability durability)
    {
        LogGroup group = batch.Group;
        for (int i = 0; i < group.Count; i++) RecordHeader.SetSequence(group.PayloadAt(i), sequence + 1 + (uint)i);
        log.AppendLocked(group);
        // What changes in the keydir comes into the cache for some records at once.
        Span<ulong> hashes = stackalloc ulong[NotedAtOnce];
        for (int from = 0; from < group.Count; from += NotedAtOnce)
        {
            int to = Math.Min(group.Count, from + NotedAtOnce);
            for (int i = from; i < to; i++)
            {
                ReadOnlySpan<byte> payload = group.PayloadAt(i);
                _ = RecordHeader.TryDecode(payload, out RecordHeader header);
                keydir.Prefetch(hashes[i - from] = KeyHash.Of(header.KeyOf(payload), hashSeed));
            }

            for (int i = from; i < to; i++)
            {
                ReadOnlySpan<byte> payload = group.PayloadAt(i);
                _ = RecordHeader.TryDecode(payload, out RecordHeader header);
                ReadOnlySpan<byte> key = header.KeyOf(payload);
                Note(hashes[i - from], key, header, group.PositionAt(i), payload.Length);
                if (watchers is null) continue;
                Tell(new Change(sequence, key.ToArray(), header.IsTombstone ? null : header.ValueOf(payload).ToArray()));
            }
        }

        log.HonourLocked(durability);
        return log.EndLocked();
    }

    // Enters a record that was appended into the keydir and the tallies. Under the gate.
    private void Note(
        ulong hash, ReadOnlySpan<byte> key, in RecordHeader header, LogPosition position, int payloadBytes)
    {
        try
        {
            Enter(hash, key, header, position, payloadBytes);
        }
        catch (Exception reason)
        {
            // The log has a record that the keydir has not: what is read from now on would not be what is read after
            // the next open.
            failure = reason;
            throw;
        }
    }

    private void Enter(
        ulong hash, ReadOnlySpan<byte> key, in RecordHeader header, LogPosition position, int payloadBytes)
    {
        sequence++;
        uint frameBytes = (uint)(LogSegment.FrameHeaderBytes + payloadBytes);
        SegmentTally tally = TallyOf(position.Segment);
        if (tally.Collected is { } collected)
        {
            collected.Add(header, hash, key, position.Offset, frameBytes);
            if (collected.MemoryBytes > MaxCollectedBytes) tally.StopCollecting();
        }

        Location before;
        if (header.Kind == RecordKind.Put)
        {
            tally.AddLive(frameBytes);
            var location = new Location(position.Segment, position.Offset, frameBytes);
            if (!keydir.Set(hash, key, location, match, out before)) return;
        }
        else
        {
            tally.AddTombstone(frameBytes);
            if (!keydir.Remove(hash, key, match, out before)) return;
        }

        if (log.Find(before.Segment) is { } segment) SegmentTally.Of(segment).RemoveLive(before.Length);
    }

    // Of the active segment, which may just have been begun. Under the gate.
    private SegmentTally TallyOf(uint number)
    {
        if (number == talliedNumber) return talliedActive!;
        LogSegment segment = log.Find(number)!;
        talliedNumber = number;
        if (segment.Tag is SegmentTally known) return talliedActive = known;
        segment.Tag = talliedActive = new SegmentTally { Collected = IsCollectingWorthIt() ? new HintBuilder(number) : null };
        return talliedActive;
    }

    // A value is copied some hundred instructions from now, and the processor would see it too late to fetch it in
    // time.
    private static unsafe void PrefetchBeginning(ReadOnlySpan<byte> value)
    {
        if (!Sse.IsSupported) return;
        ref byte first = ref MemoryMarshal.GetReference(value);
        int length = Math.Min(value.Length, PrefetchedBytes);
        for (int at = 0; at < length; at += CacheLineBytes) Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref first, at)));
    }

    private bool Contains(ulong hash, ReadOnlySpan<byte> key, out bool isExpired)
    {
        isExpired = false;
        match.Forget();
        int token = epochs.Enter();
        try
        {
            if (!TryReadHeader(hash, key, match)) return false;
            isExpired = IsExpired(match.Header);
            return true;
        }
        finally
        {
            epochs.Exit(token);
        }
    }

    // Not while hints of several segments wait to be written: their number has no bound.
    private bool IsCollectingWorthIt() =>
        log.Segments.Count(segment => segment.Tag is SegmentTally { Collected: not null }) < MaxCollecting;

    private static Durability WithoutWaiting(Durability wanted) =>
        wanted == Durability.Interval ? wanted : Durability.None;

    private RecordReader RentMatch() => RecordReader.Rent(log, firstOwnSegment, checks: false);

    // Under the gate.
    private void ThrowIfUnusable()
    {
        ThrowIfDisposed();
        if (failure is null) return;
        throw new HoldfastException(
            ErrorKind.Failed, $"{Directory}: an earlier write failed: {failure.Message}",
            "what was durable is safe; look at the disk, then open it again", failure);
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(isDisposed, this);
}
