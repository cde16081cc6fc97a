namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// A snapshot of the compact keydir: its tables of that instant, which the keydir copies before it changes them.
/// </summary>
/// <remarks>Who searches it inside a read of the epochs may do so while another disposes of it.</remarks>
internal sealed unsafe class CompactKeydirSnapshot : KeydirSnapshot
{
    private readonly ReadEpochs epochs;
    private readonly long count;
    private CompactTable[]? tables;

    /// <summary>Of some tables.</summary>
    /// <param name="epochs">Those of the reads in which it is searched.</param>
    /// <param name="tables">One a partition; those that exist come with a reference, which this gives back.</param>
    /// <param name="count">How many keys are in them.</param>
    public CompactKeydirSnapshot(ReadEpochs epochs, CompactTable[] tables, long count)
    {
        this.epochs = epochs;
        this.tables = tables;
        this.count = count;
    }

    /// <inheritdoc/>
    public override long Count => count;

    /// <inheritdoc/>
    public override bool TryFind(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location location)
    {
        CompactTable table = TableOf(hash);
        if (table.Exists)
        {
            uint fingerprint = CompactKeydir.FingerprintOf(hash);
            for (CompactSlot* slot = table.Seek(fingerprint); slot->Has(fingerprint); slot++)
            {
                if (match.Matches(slot->Location, key))
                {
                    location = slot->Location;
                    return true;
                }
            }
        }

        location = default;
        return false;
    }

    /// <inheritdoc/>
    public override bool IsCurrent(ulong hash, ReadOnlySpan<byte> key, Location location) =>
        TableOf(hash).Find(CompactKeydir.FingerprintOf(hash), location) != null;

    /// <inheritdoc/>
    public override void Dispose()
    {
        CompactTable[]? disposed = Interlocked.Exchange(ref tables, null);
        if (disposed != null)
        {
            epochs.Retire(new RetiredTables(disposed));
        }
    }

    private CompactTable TableOf(ulong hash)
    {
        CompactTable[]? all = Volatile.Read(ref tables);
        ObjectDisposedException.ThrowIf(all is null, this);
        return all[CompactKeydir.PartitionOf(hash)];
    }

    /// <summary>The tables of a snapshot that was disposed of, as soon as nobody can be searching them.</summary>
    private sealed class RetiredTables(CompactTable[] tables) : IDisposable
    {
        public void Dispose()
        {
            foreach (CompactTable table in tables)
            {
                if (table.Exists)
                {
                    table.Release();
                }
            }
        }
    }
}
