using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// Goes over the keys of a column family, in their order, as they were at one instant. It begins nowhere: seek first. For one thread at a
/// time. Keys and values are valid until the next move.
/// </summary>
/// <remarks>It may be disposed after its database: until then that stays open beneath.</remarks>
public sealed unsafe class RocksIterator : IDisposable
{
    private readonly IteratorHandle handle;
    private readonly ReadOptionsHandle options;
    private readonly string path;

    internal RocksIterator(
        DatabaseHandle database, RocksColumnFamily family, RocksSnapshot? snapshot, bool fillCache, int readAheadBytes, string path)
    {
        this.path = path;
        options = new ReadOptionsHandle(snapshot is null ? database : snapshot.Handle);
        IteratorHandle? made = null;
        try
        {
            LibRocksDb.SetFillCache(options, fillCache ? (byte)1 : (byte)0);
            LibRocksDb.SetReadAheadBytes(options, (nuint)readAheadBytes);
            // Without this a column family with a prefix extractor shows only the keys of the prefix that was sought.
            LibRocksDb.SetTotalOrder(options, 1);
            if (snapshot is not null) LibRocksDb.SetSnapshot(options, snapshot.Handle);
            made = new IteratorHandle(options);
            made.Set(LibRocksDb.CreateIterator(database, options, family.Handle));
            handle = made;
        }
        finally
        {
            // Half of one would keep the database open until it is collected.
            if (handle is null)
            {
                made?.Dispose();
                options.Dispose();
            }
        }
    }

    /// <summary>Whether it is at a key.</summary>
    public bool IsValid { get; private set; }

    /// <summary>The key, until the next move.</summary>
    /// <exception cref="InvalidOperationException">It is at none.</exception>
    public ReadOnlySpan<byte> Key
    {
        get
        {
            RequireValid();
            byte* start = LibRocksDb.Key(handle, out nuint bytes);
            return new ReadOnlySpan<byte>(start, checked((int)bytes));
        }
    }

    /// <summary>The value, until the next move.</summary>
    /// <exception cref="InvalidOperationException">It is at none.</exception>
    public ReadOnlySpan<byte> Value
    {
        get
        {
            RequireValid();
            byte* start = LibRocksDb.Value(handle, out nuint bytes);
            return new ReadOnlySpan<byte>(start, checked((int)bytes));
        }
    }

    /// <summary>Moves to the first key.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="HoldfastException">It cannot be read; kind Damage where bytes fail their check. So in all moves.</exception>
    public bool SeekToFirst()
    {
        LibRocksDb.SeekToFirst(handle);
        return Moved();
    }

    /// <summary>Moves to the last key.</summary>
    /// <returns>False when there is none.</returns>
    public bool SeekToLast()
    {
        LibRocksDb.SeekToLast(handle);
        return Moved();
    }

    /// <summary>Moves to the first key that is not less than <paramref name="key"/>.</summary>
    /// <returns>False when there is none.</returns>
    public bool Seek(ReadOnlySpan<byte> key)
    {
        fixed (byte* start = key) LibRocksDb.Seek(handle, start, (nuint)key.Length);
        return Moved();
    }

    /// <summary>Moves to the last key that is not greater than <paramref name="key"/>.</summary>
    /// <returns>False when there is none.</returns>
    public bool SeekBackward(ReadOnlySpan<byte> key)
    {
        fixed (byte* start = key) LibRocksDb.SeekForPrevious(handle, start, (nuint)key.Length);
        return Moved();
    }

    /// <summary>Moves to the next key.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="InvalidOperationException">It is at none.</exception>
    public bool MoveNext()
    {
        RequireValid();
        LibRocksDb.Next(handle);
        return Moved();
    }

    /// <summary>Moves to the key before.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="InvalidOperationException">It is at none.</exception>
    public bool MovePrevious()
    {
        RequireValid();
        LibRocksDb.Previous(handle);
        return Moved();
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        handle.Dispose();
        options.Dispose();
        IsValid = false;
    }

    private bool Moved()
    {
        IsValid = LibRocksDb.IsValid(handle) != 0;
        if (IsValid) return true;
        LibRocksDb.GetError(handle, out nint error);
        RocksError.Check(error, path);
        return false;
    }

    // The library does not look whether it is at a key.
    private void RequireValid()
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, this);
        if (!IsValid) throw new InvalidOperationException("the iterator is at no key");
    }
}
