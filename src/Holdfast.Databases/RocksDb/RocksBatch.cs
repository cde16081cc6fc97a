namespace Holdfast.Databases.RocksDb;

/// <summary>
/// Changes that a database makes together or not at all (<see cref="RocksDatabase.Write"/>), in their order. Can be cleared and used
/// again. For one thread at a time.
/// </summary>
public sealed unsafe class RocksBatch : IDisposable
{
    private readonly BatchHandle handle;

    /// <summary>Makes an empty one.</summary>
    /// <exception cref="Log.HoldfastException">Kind Failed: RocksDB is not installed.</exception>
    public RocksBatch()
    {
        RocksError.RequireLibrary();
        handle = new BatchHandle();
    }

    /// <summary>How many changes there are.</summary>
    public int Count => LibRocksDb.CountBatch(handle);

    internal BatchHandle Handle => handle;

    /// <summary>Sets a value.</summary>
    /// <param name="family">In which column family.</param>
    /// <param name="key">Copied.</param>
    /// <param name="value">Copied.</param>
    public void Put(RocksColumnFamily family, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ArgumentNullException.ThrowIfNull(family);
        fixed (byte* keyStart = key, valueStart = value)
        {
            LibRocksDb.BatchPut(handle, family.Handle, keyStart, (nuint)key.Length, valueStart, (nuint)value.Length);
        }
    }

    /// <summary>Removes a key, whether it is there or not.</summary>
    /// <param name="family">In which column family.</param>
    /// <param name="key">Copied.</param>
    public void Delete(RocksColumnFamily family, ReadOnlySpan<byte> key)
    {
        ArgumentNullException.ThrowIfNull(family);
        fixed (byte* keyStart = key) LibRocksDb.BatchDelete(handle, family.Handle, keyStart, (nuint)key.Length);
    }

    /// <summary>Removes all keys of a range.</summary>
    /// <param name="family">In which column family.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="end">The first that stays.</param>
    public void DeleteRange(RocksColumnFamily family, ReadOnlySpan<byte> first, ReadOnlySpan<byte> end)
    {
        ArgumentNullException.ThrowIfNull(family);
        fixed (byte* firstStart = first, endStart = end)
        {
            LibRocksDb.BatchDeleteRange(handle, family.Handle, firstStart, (nuint)first.Length, endStart, (nuint)end.Length);
        }
    }

    /// <summary>Removes all changes from it.</summary>
    public void Clear() => LibRocksDb.ClearBatch(handle);

    /// <summary>Frees its memory.</summary>
    public void Dispose() => handle.Dispose();
}
