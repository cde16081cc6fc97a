namespace Holdfast.Databases.RocksDb;

/// <summary>A value as it lies in the memory of the database, without a copy. Dispose it soon: it keeps a block in the cache.</summary>
public sealed unsafe class RocksValue : IDisposable
{
    private readonly PinnedHandle handle;
    private readonly byte* start;

    internal RocksValue(PinnedHandle handle)
    {
        this.handle = handle;
        start = LibRocksDb.PinnedValue(handle.Value, out nuint bytes);
        Length = checked((int)bytes);
    }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    /// <summary>Its bytes, valid until it is disposed.</summary>
    public ReadOnlySpan<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(handle.IsClosed, this);
            return new ReadOnlySpan<byte>(start, Length);
        }
    }

    /// <summary>Lets go of the memory.</summary>
    public void Dispose() => handle.Dispose();
}
