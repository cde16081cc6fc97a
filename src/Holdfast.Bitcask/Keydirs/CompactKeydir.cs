using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>The keydir that does not hold keys: 16 bytes a slot, 18.8 to 24 bytes a key, in native memory.</summary>
/// <remarks>
/// The upper 10 bits of a hash choose the partition, the next 32 are kept. Keys that have all 42 bits in common are
/// told apart by asking <see cref="IRecordMatch"/>, which nobody is asked under a lock.
/// </remarks>
internal sealed unsafe partial class CompactKeydir : Keydir
{
    /// <summary>How many partitions there are.</summary>
    public const int PartitionCount = 1 << PartitionBits;

    private const int PartitionBits = 10;
    private const int PartitionShift = 64 - PartitionBits;
    private const int FingerprintShift = PartitionShift - 32;
    private const nuint CacheLineBytes = 64;

    private readonly ReadEpochs epochs;
    private readonly CompactTotals totals = new();
    private CompactPartition* partitions;
    private TableArena arena;

    /// <summary>No keys.</summary>
    /// <param name="epochs">Those of the reads in which this keydir is searched. Must be drained after it is disposed
    /// of.</param>
    public CompactKeydir(ReadEpochs epochs)
    {
        this.epochs = epochs;
        partitions = (CompactPartition*)NativeMemory.AlignedAlloc(PartitionsBytes, CacheLineBytes);
        NativeMemory.Clear(partitions, PartitionsBytes);
        totals.AddBytes((long)PartitionsBytes);
    }

    /// <inheritdoc/>
    public override long Count => totals.Keys;

    /// <inheritdoc/>
    /// <remarks>Tables that were replaced count until the reads are over that may be searching them.</remarks>
    public override long MemoryBytes => totals.Bytes;

    private static nuint PartitionsBytes => (nuint)(PartitionCount * sizeof(CompactPartition));

    /// <summary>Which partition has a key.</summary>
    public static int PartitionOf(ulong hash) => (int)(hash >> PartitionShift);

    /// <summary>What a slot keeps of a hash.</summary>
    public static uint FingerprintOf(ulong hash) => (uint)(hash >> FingerprintShift);

    /// <inheritdoc/>
    /// <remarks>Reads nothing, so it does not matter whether the partitions are there still.</remarks>
    public override void PrefetchFirst(ulong hash)
    {
        if (Sse.IsSupported) Sse.Prefetch0(partitions + PartitionOf(hash));
    }

    /// <inheritdoc/>
    public override void Prefetch(ulong hash)
    {
        CompactPartition* all = partitions;
        if (all != null) all[PartitionOf(hash)].Prefetch(FingerprintOf(hash));
    }

    /// <inheritdoc/>
    public override bool TryFind(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location location)
    {
        CompactPartition* partition = Partition(PartitionOf(hash));
        uint fingerprint = FingerprintOf(hash);
        while (true)
        {
            if (!partition->TryBeginRead(out ulong version, out CompactSlot* slots, out uint homes))
            {
                partition->AwaitChange();
                continue;
            }

            if (slots == null)
            {
                location = default;
                return false;
            }

            CompactSlot* slot = CompactTable.Seek(slots, homes, fingerprint);
            while (true)
            {
                bool isCandidate = slot->Has(fingerprint);
                Location candidate = slot->Location;

                // Also tells whether a candidate that did not match was moved meanwhile: its old place may be gone.
                if (!partition->IsStill(version))
                {
                    break;
                }

                if (!isCandidate)
                {
                    location = default;
                    return false;
                }

                if (match.Matches(candidate, key))
                {
                    location = candidate;
                    return true;
                }

                slot++;
            }
        }
    }

    /// <inheritdoc/>
    public override bool Set(
        ulong hash, ReadOnlySpan<byte> key, Location location, IRecordMatch match, out Location replaced)
    {
        CompactPartition* partition = Partition(PartitionOf(hash));
        uint fingerprint = FingerprintOf(hash);
        partition->Take();
        CompactTable old;
        CompactSlot* slot = Search(partition, fingerprint, key, match, out CompactSlot* behind);
        if (slot != null)
        {
            replaced = slot->Location;
            old = Write(partition, slot, location);
        }
        else
        {
            replaced = default;
            old = Insert(partition, behind, new CompactSlot(fingerprint, location));
            totals.AddKeysByWriter(1);
        }

        Release(partition, old);
        return replaced.Segment != 0;
    }

    /// <inheritdoc/>
    public override bool Remove(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location removed)
    {
        CompactPartition* partition = Partition(PartitionOf(hash));
        partition->Take();
        CompactSlot* slot = Search(partition, FingerprintOf(hash), key, match, out _);
        if (slot == null)
        {
            partition->Release();
            removed = default;
            return false;
        }

        removed = slot->Location;
        Release(partition, RemoveAt(partition, slot));
        totals.AddKeysByWriter(-1);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryRemove(ulong hash, ReadOnlySpan<byte> key, Location from)
    {
        CompactPartition* partition = Partition(PartitionOf(hash));
        partition->Take();
        CompactSlot* slot = partition->Table.Find(FingerprintOf(hash), from);
        if (slot == null)
        {
            partition->Release();
            return false;
        }

        Release(partition, RemoveAt(partition, slot));
        totals.AddKeys(-1);
        return true;
    }

    /// <inheritdoc/>
    public override bool TryMove(ulong hash, ReadOnlySpan<byte> key, Location from, Location to)
    {
        CompactPartition* partition = Partition(PartitionOf(hash));
        partition->Take();
        CompactSlot* slot = partition->Table.Find(FingerprintOf(hash), from);
        if (slot == null)
        {
            partition->Release();
            return false;
        }

        Release(partition, Write(partition, slot, to));
        return true;
    }

    /// <inheritdoc/>
    public override void MarkVerified(ulong hash, ReadOnlySpan<byte> key, Location location)
    {
        CompactPartition* partition = Partition(PartitionOf(hash));
        if (!partition->TryTake())
        {
            return;
        }

        if (partition->Table.Exists && !partition->Table.IsShared)
        {
            CompactSlot* slot = partition->Table.Find(FingerprintOf(hash), location);
            if (slot != null)
            {
                // One bit of one word changes: readers may see it or not, so the version stays as it is.
                *slot = new CompactSlot(slot->Fingerprint, slot->Location.Verified);
            }
        }

        partition->Release();
    }

    /// <inheritdoc/>
    public override KeydirSnapshot Snapshot()
    {
        var tables = new CompactTable[PartitionCount];
        long count = 0;
        for (int i = 0; i < PartitionCount; i++)
        {
            CompactPartition* partition = Partition(i);
            partition->Take();
            tables[i] = partition->Table;
            if (tables[i].Exists)
            {
                tables[i].AddReference();
                count += tables[i].Count;
            }

            partition->Release();
        }

        return new CompactKeydirSnapshot(epochs, tables, count);
    }

    /// <summary>Prepares filling with many keys. For one thread.</summary>
    /// <param name="maxKeys">How many there will be at most.</param>
    public void BeginFill(long maxKeys)
    {
        long bytes = CompactTable.BytesToFill(maxKeys, PartitionCount);
        if (bytes >= TableArena.MinBytes) arena = TableArena.Create(bytes);
    }

    /// <summary>To be called when all partitions are filled, also if that failed.</summary>
    public void EndFill()
    {
        if (arena.Exists) arena.Release();
        arena = default;
    }

    /// <summary>Fills a partition that has no keys, at once. For recovery: by one thread a partition.</summary>
    /// <param name="partition">0 up to <see cref="PartitionCount"/>.</param>
    /// <param name="sortedByHash">All keys of that partition.</param>
    /// <exception cref="ArgumentException">They are not sorted, or not of that partition.</exception>
    /// <exception cref="InvalidOperationException">There are keys in it.</exception>
    public void Fill(int partition, ReadOnlySpan<KeydirEntry> sortedByHash)
    {
        CheckEntries(partition, sortedByHash);
        CompactPartition* filled = Partition(partition);
        filled->Take();
        try
        {
            if (filled->Table.Exists)
            {
                throw new InvalidOperationException($"partition {partition} is filled, but has keys");
            }

            if (!sortedByHash.IsEmpty)
            {
                CompactTable table = CompactTable.CreateFilled(sortedByHash, arena);
                totals.AddBytes(table.Bytes);
                totals.AddKeys(sortedByHash.Length);
                filled->Publish(table);
            }
        }
        finally
        {
            filled->Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        CompactPartition* disposed = partitions;
        if (disposed != null)
        {
            partitions = null;
            epochs.Retire(new RetiredPartitions(disposed, totals));
        }
    }
}
