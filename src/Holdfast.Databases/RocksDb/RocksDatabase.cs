using System.Runtime.InteropServices;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// A RocksDB database that this process owns, on the system's librocksdb. All of it may be used from any thread; iterators and batches
/// by one at a time.
/// </summary>
/// <remarks>
/// What hangs on it (iterators, snapshots, values) may be disposed later than it: the files stay open, and locked, until the last
/// of them is. All methods throw <see cref="HoldfastException"/> with RocksDB's own words when it refuses: kind Damage where bytes fail their
/// check, Busy where somebody has it open; and <see cref="ObjectDisposedException"/> after <see cref="Dispose"/>.
/// </remarks>
public sealed unsafe partial class RocksDatabase : ICheckpointSource, IDisposable
{
    private readonly DatabaseHandle handle;
    private readonly CacheHandle? cache;
    private readonly RocksOptions options;
    private readonly ReadOptionsHandle reads = new(null);
    private readonly WriteOptionsHandle logged = new();
    private readonly WriteOptionsHandle synced = new();
    private readonly WriteOptionsHandle unlogged = new();
    private volatile bool isDisposed;

    /// <summary>Where it lies.</summary>
    public DatabaseAddress Address { get; }

    /// <summary>Absolute path of its directory.</summary>
    public string Path => Address.Path;

    /// <summary>Number of the last change: each changed key counts one.</summary>
    public ulong LatestSequence => LibRocksDb.LatestSequence(Handle);

    /// <summary>Sets a value.</summary>
    /// <param name="key">Not kept.</param>
    /// <param name="value">Not kept.</param>
    /// <param name="family">Column family; null for the default one.</param>
    /// <param name="durability">What it survives once it returns.</param>
    public void Put(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, RocksColumnFamily? family = null,
        RocksDurability durability = RocksDurability.Logged)
    {
        nint error;
        fixed (byte* keyStart = key, valueStart = value)
        {
            LibRocksDb.Put(
                Handle, WritesOf(durability), HandleOf(family), keyStart, (nuint)key.Length, valueStart, (nuint)value.Length, out error);
        }

        RocksError.Check(error, Path);
    }

    /// <summary>Removes a key, whether it is there or not.</summary>
    /// <param name="key">Not kept.</param>
    /// <param name="family">Column family; null for the default one.</param>
    /// <param name="durability">What it survives once it returns.</param>
    public void Delete(
        ReadOnlySpan<byte> key, RocksColumnFamily? family = null, RocksDurability durability = RocksDurability.Logged)
    {
        nint error;
        fixed (byte* keyStart = key)
        {
            LibRocksDb.Delete(Handle, WritesOf(durability), HandleOf(family), keyStart, (nuint)key.Length, out error);
        }

        RocksError.Check(error, Path);
    }

    /// <summary>Makes all changes of a batch, together.</summary>
    /// <param name="batch">Stays as it is.</param>
    /// <param name="durability">What they survive once it returns.</param>
    public void Write(RocksBatch batch, RocksDurability durability = RocksDurability.Logged)
    {
        ArgumentNullException.ThrowIfNull(batch);
        LibRocksDb.Write(Handle, WritesOf(durability), batch.Handle, out nint error);
        RocksError.Check(error, Path);
    }

    /// <summary>The value of a key, copied; null when the key is absent.</summary>
    /// <param name="key">Not kept.</param>
    /// <param name="family">Column family; null for the default one.</param>
    /// <param name="snapshot">As of when; null for now.</param>
    public byte[]? Get(ReadOnlySpan<byte> key, RocksColumnFamily? family = null, RocksSnapshot? snapshot = null)
    {
        using RocksValue? value = GetPinned(key, family, snapshot);
        return value?.Span.ToArray();
    }

    /// <summary>The value of a key, where it lies; null when the key is absent. To be disposed.</summary>
    /// <param name="key">Not kept.</param>
    /// <param name="family">Column family; null for the default one.</param>
    /// <param name="snapshot">As of when; null for now.</param>
    public RocksValue? GetPinned(ReadOnlySpan<byte> key, RocksColumnFamily? family = null, RocksSnapshot? snapshot = null)
    {
        var pinned = new PinnedHandle(Handle);
        RocksValue? value = null;
        try
        {
            nint error;
            fixed (byte* keyStart = key)
            {
                pinned.Set(LibRocksDb.GetPinned(Handle, ReadsOf(snapshot), HandleOf(family), keyStart, (nuint)key.Length, out error));
            }

            RocksError.Check(error, Path);
            return value = pinned.HasValue ? new RocksValue(pinned) : null;
        }
        finally
        {
            // Without a value it would keep the database open until it is collected.
            if (value is null) pinned.Dispose();
        }
    }

    /// <summary>Goes over the keys as they are now, or were at a snapshot.</summary>
    /// <param name="family">Column family; null for the default one.</param>
    /// <param name="snapshot">As of when; null for now.</param>
    /// <param name="fillCache">Whether what is read stays in the cache; false for long scans.</param>
    /// <param name="readAheadBytes">How much is read at once; 0 for RocksDB's choice, which grows.</param>
    public RocksIterator Iterate(
        RocksColumnFamily? family = null, RocksSnapshot? snapshot = null, bool fillCache = true, int readAheadBytes = 0)
    {
        RequireOwn(snapshot);
        return new RocksIterator(Handle, family ?? Default, snapshot, fillCache, readAheadBytes, Path);
    }

    /// <summary>Keeps the present state for reads, until the result is disposed.</summary>
    public RocksSnapshot TakeSnapshot() => new(Handle);

    /// <summary>Writes what a column family has in memory to a table. Durable when it returns.</summary>
    /// <param name="family">Column family; null for the default one.</param>
    public void Flush(RocksColumnFamily? family = null)
    {
        nint native = LibRocksDb.CreateFlushOptions();
        LibRocksDb.Flush(Handle, native, HandleOf(family), out nint error);
        LibRocksDb.DestroyFlushOptions(native);
        RocksError.Check(error, Path);
    }

    /// <summary>Hands what is logged to the operating system, for <see cref="RocksOptions.ManualWalFlush"/>.</summary>
    /// <param name="sync">Whether it also survives loss of power when it returns.</param>
    public void FlushWal(bool sync)
    {
        LibRocksDb.FlushWal(Handle, sync ? (byte)1 : (byte)0, out nint error);
        RocksError.Check(error, Path);
    }

    /// <summary>Merges all tables of a column family.</summary>
    /// <param name="family">Column family; null for the default one.</param>
    public void Compact(RocksColumnFamily? family = null) => LibRocksDb.Compact(Handle, HandleOf(family), null, 0, null, 0);

    /// <summary>What RocksDB says of itself, such as <c>rocksdb.stats</c>; null when it knows no such property.</summary>
    /// <param name="name">Name of the property.</param>
    /// <param name="family">Column family; null for the default one.</param>
    public string? GetProperty(string name, RocksColumnFamily? family = null)
    {
        nint text = LibRocksDb.GetProperty(Handle, HandleOf(family), name);
        if (text == 0) return null;
        string value = Marshal.PtrToStringUTF8(text)!;
        LibRocksDb.Free(text);
        return value;
    }

    /// <summary>
    /// Closes it; what is logged or flushed is there at the next open, and nothing of <see cref="RocksDurability.Unlogged"/> writes is lost
    /// either: RocksDB flushes them.
    /// </summary>
    public void Dispose()
    {
        isDisposed = true;
        foreach (RocksColumnFamily family in families.Values) family.Handle.Dispose();
        reads.Dispose();
        logged.Dispose();
        synced.Dispose();
        unlogged.Dispose();
        cache?.Dispose();
        handle.Dispose();
    }

    /// <summary>For calls of the library; also those that this class does not make.</summary>
    // While something that hangs on it lives, a disposed handle can still be used.
    internal DatabaseHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return handle;
        }
    }

    private WriteOptionsHandle WritesOf(RocksDurability durability) => durability switch
    {
        RocksDurability.Synced => synced,
        RocksDurability.Unlogged => unlogged,
        _ => logged,
    };

    private ReadOptionsHandle ReadsOf(RocksSnapshot? snapshot)
    {
        RequireOwn(snapshot);
        return snapshot?.Reads ?? reads;
    }

    private FamilyHandle HandleOf(RocksColumnFamily? family) => (family ?? Default).Handle;

    // The library would read memory of another database.
    private void RequireOwn(RocksSnapshot? snapshot)
    {
        if (snapshot is not null && snapshot.Database != handle)
        {
            throw new ArgumentException("a snapshot of another database", nameof(snapshot));
        }
    }
}
