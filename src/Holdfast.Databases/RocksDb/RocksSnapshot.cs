namespace Holdfast.Databases.RocksDb;

/// <summary>A database as it is at one instant, for reads. May be used from any thread.</summary>
/// <remarks>What is overwritten or deleted is kept on disk as long as a snapshot needs it.</remarks>
public sealed class RocksSnapshot : IDisposable
{
    private readonly SnapshotHandle handle;

    internal RocksSnapshot(DatabaseHandle database)
    {
        Database = database;
        handle = new SnapshotHandle(database);
        handle.Set(LibRocksDb.CreateSnapshot(database));
        Reads = new ReadOptionsHandle(handle);
        LibRocksDb.SetSnapshot(Reads, handle);
    }

    internal DatabaseHandle Database { get; }

    /// <summary>Read as of this snapshot.</summary>
    internal ReadOptionsHandle Reads { get; }

    internal SnapshotHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(Reads.IsClosed, this);
            return handle;
        }
    }

    /// <summary>Lets go of it; iterators that were opened on it go on.</summary>
    public void Dispose()
    {
        Reads.Dispose();
        handle.Dispose();
    }
}
