namespace Holdfast.Bitcask.Keydirs;

/// <content>What is done by one who has the partition.</content>
internal sealed unsafe partial class CompactKeydir
{
    private CompactPartition* Partition(int index)
    {
        CompactPartition* all = partitions;
        ObjectDisposedException.ThrowIf(all == null, this);
        return all + index;
    }

    /// <summary>Searches the slot of a key in a partition that is taken, and is again when this returns.</summary>
    /// <param name="partition">Given back while <paramref name="match"/> is asked, which may read from a disk.</param>
    /// <param name="fingerprint">Of the key.</param>
    /// <param name="key">The key.</param>
    /// <param name="match">Asked about each candidate.</param>
    /// <param name="behind">Where the key would be put if it is not there; null if there is no table.</param>
    /// <returns>Null if the key is not there.</returns>
    private static CompactSlot* Search(
        CompactPartition* partition, uint fingerprint, ReadOnlySpan<byte> key, IRecordMatch match,
        out CompactSlot* behind)
    {
        while (true)
        {
            behind = null;
            if (!partition->Table.Exists)
            {
                return null;
            }

            ulong version = partition->Version;
            CompactSlot* slot = partition->Seek(fingerprint);
            while (true)
            {
                if (!slot->Has(fingerprint))
                {
                    behind = slot;
                    return null;
                }

                Location candidate = slot->Location;
                partition->Release();
                bool isOfKey = match.Matches(candidate, key);
                partition->Take();
                if (partition->Version != version)
                {
                    break;
                }

                if (isOfKey)
                {
                    return slot;
                }

                slot++;
            }
        }
    }

    /// <summary>Gives a key another location.</summary>
    /// <returns>The table that was replaced for it, if it was.</returns>
    private CompactTable Write(CompactPartition* partition, CompactSlot* slot, Location location)
    {
        CompactTable old = Unshare(partition, ref slot);
        partition->BeginChange();
        *slot = new CompactSlot(slot->Fingerprint, location);
        partition->EndChange();
        return old;
    }

    /// <inheritdoc cref="Write"/>
    private CompactTable RemoveAt(CompactPartition* partition, CompactSlot* slot)
    {
        CompactTable old = Unshare(partition, ref slot);
        CompactTable table = partition->Table;
        partition->BeginChange();
        table.RemoveAt(slot);
        partition->EndChange();
        return old.Exists || !table.IsSparse ? old : Shrink(partition);
    }

    /// <inheritdoc cref="Write"/>
    private CompactTable Insert(CompactPartition* partition, CompactSlot* behind, in CompactSlot inserted)
    {
        CompactTable table = partition->Table;
        if (table.Exists && !table.IsFull && !table.IsShared)
        {
            CompactSlot* free = table.FindFree(behind);
            if (free != null)
            {
                partition->BeginChange();
                table.Insert(behind, free, inserted);
                partition->EndChange();
                return default;
            }
        }

        CompactTable next = WithRoom(partition, behind);
        CompactSlot* at = next.Seek(inserted.Fingerprint);
        while (at->Has(inserted.Fingerprint))
        {
            at++;
        }

        next.Insert(at, next.FindFree(at), inserted);
        partition->Publish(next);
        return table;
    }

    /// <summary>The same keys in a table that is not in place yet and has room for one more.</summary>
    private CompactTable WithRoom(CompactPartition* partition, CompactSlot* behind)
    {
        CompactTable table = partition->Table;
        try
        {
            CompactTable next = !table.Exists ? CompactTable.Create(CompactTable.MinSlots)
                : table.IsFull || table.FindFree(behind) == null ? table.Grown()
                : table.Clone();
            totals.AddBytes(next.Bytes);
            return next;
        }
        catch (OutOfMemoryException)
        {
            partition->Release();
            throw;
        }
    }

    /// <summary>Puts a copy in the place of a table that a snapshot has, too.</summary>
    /// <param name="partition">Whose table.</param>
    /// <param name="slot">In the table; afterwards in the copy.</param>
    /// <returns>The table that was replaced; none if it was not shared.</returns>
    private CompactTable Unshare(CompactPartition* partition, ref CompactSlot* slot)
    {
        CompactTable shared = partition->Table;
        if (!shared.IsShared)
        {
            return default;
        }

        CompactTable own;
        try
        {
            own = shared.Clone();
        }
        catch (OutOfMemoryException)
        {
            partition->Release();
            throw;
        }

        totals.AddBytes(own.Bytes);
        slot = own.Slots + (slot - shared.Slots);
        partition->Publish(own);
        return shared;
    }

    /// <inheritdoc cref="Write"/>
    private CompactTable Shrink(CompactPartition* partition)
    {
        CompactTable table = partition->Table;
        CompactTable next;
        try
        {
            next = table.Shrunk();
        }
        catch (OutOfMemoryException)
        {
            // The larger table is as right as the smaller one.
            return default;
        }

        if (!next.Exists)
        {
            return default;
        }

        totals.AddBytes(next.Bytes);
        partition->Publish(next);
        return table;
    }

    /// <summary>Gives the partition back, then lets go of a table that was replaced in it.</summary>
    private void Release(CompactPartition* partition, CompactTable old)
    {
        partition->Release();
        if (old.Exists)
        {
            epochs.Retire(new RetiredTable(old, totals));
        }
    }

    private static void CheckEntries(int partition, ReadOnlySpan<KeydirEntry> sortedByHash)
    {
        if (sortedByHash.IsEmpty)
        {
            return;
        }

        ulong last = sortedByHash[0].Hash;
        foreach (ref readonly KeydirEntry entry in sortedByHash)
        {
            if (entry.Hash < last)
            {
                throw new ArgumentException("entries are not sorted by hash", nameof(sortedByHash));
            }

            last = entry.Hash;
        }

        if (PartitionOf(sortedByHash[0].Hash) != partition || PartitionOf(last) != partition)
        {
            throw new ArgumentException($"entries are not all of partition {partition}", nameof(sortedByHash));
        }
    }

    /// <summary>A table that was replaced, as soon as nobody can be searching it.</summary>
    private sealed class RetiredTable(CompactTable table, CompactTotals totals) : IDisposable
    {
        public void Dispose()
        {
            totals.AddBytes(-table.Bytes);
            table.Release();
        }
    }

    /// <summary>All of a keydir that was disposed of, as soon as nobody can be searching it.</summary>
    private sealed class RetiredPartitions(CompactPartition* partitions, CompactTotals totals) : IDisposable
    {
        private readonly CompactPartition* partitions = partitions;

        public void Dispose()
        {
            for (int i = 0; i < PartitionCount; i++)
            {
                CompactTable table = partitions[i].Table;
                if (table.Exists)
                {
                    totals.AddBytes(-table.Bytes);
                    table.Release();
                }
            }

            totals.AddBytes(-(long)PartitionsBytes);
            System.Runtime.InteropServices.NativeMemory.AlignedFree(partitions);
        }
    }
}
