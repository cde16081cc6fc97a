using System.Runtime.InteropServices;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// An object of the library. It keeps those alive that it rests on, so that in whatever order they are disposed or collected,
/// each is destroyed before them.
/// </summary>
internal abstract class RocksHandle : SafeHandle
{
    private readonly SafeHandle? owner;

    /// <param name="owner">What it rests on; null for nothing.</param>
    /// <exception cref="ObjectDisposedException">The owner is closed.</exception>
    protected RocksHandle(SafeHandle? owner)
        : base(0, ownsHandle: true)
    {
        if (owner is null) return;
        bool added = false;
        owner.DangerousAddRef(ref added);
        this.owner = owner;
    }

    // Also without an object it has its owner to let go.
    public sealed override bool IsInvalid => false;

    /// <summary>Whether there is an object.</summary>
    public bool HasValue => handle != 0;

    /// <summary>For calls that take no handle, within the lifetime of this one.</summary>
    public nint Value => handle;

    protected nint OwnerValue => owner!.DangerousGetHandle();

    /// <summary>Takes the object over. Made after the owner is held, so that it cannot be left over.</summary>
    public void Set(nint value) => SetHandle(value);

    protected sealed override bool ReleaseHandle()
    {
        if (handle != 0) Destroy(handle);
        owner?.DangerousRelease();
        return true;
    }

    protected abstract void Destroy(nint value);
}

internal sealed class DatabaseHandle() : RocksHandle(null)
{
    protected override void Destroy(nint value) => LibRocksDb.Close(value);
}

internal sealed class FamilyHandle(DatabaseHandle database) : RocksHandle(database)
{
    protected override void Destroy(nint value) => LibRocksDb.DestroyFamily(value);
}

internal sealed class SnapshotHandle(DatabaseHandle database) : RocksHandle(database)
{
    protected override void Destroy(nint value) => LibRocksDb.ReleaseSnapshot(OwnerValue, value);
}

internal sealed class PinnedHandle(DatabaseHandle database) : RocksHandle(database)
{
    protected override void Destroy(nint value) => LibRocksDb.DestroyPinned(value);
}

internal sealed class IteratorHandle(ReadOptionsHandle options) : RocksHandle(options)
{
    protected override void Destroy(nint value) => LibRocksDb.DestroyIterator(value);
}

internal sealed class ReadOptionsHandle : RocksHandle
{
    /// <param name="owner">A snapshot, or the database.</param>
    public ReadOptionsHandle(SafeHandle? owner)
        : base(owner) => Set(LibRocksDb.CreateReadOptions());

    protected override void Destroy(nint value) => LibRocksDb.DestroyReadOptions(value);
}

internal sealed class WriteOptionsHandle : RocksHandle
{
    public WriteOptionsHandle()
        : base(null) => Set(LibRocksDb.CreateWriteOptions());

    protected override void Destroy(nint value) => LibRocksDb.DestroyWriteOptions(value);
}

internal sealed class OptionsHandle : RocksHandle
{
    public OptionsHandle()
        : base(null) => Set(LibRocksDb.CreateOptions());

    protected override void Destroy(nint value) => LibRocksDb.DestroyOptions(value);
}

internal sealed class BatchHandle : RocksHandle
{
    public BatchHandle()
        : base(null) => Set(LibRocksDb.CreateBatch());

    protected override void Destroy(nint value) => LibRocksDb.DestroyBatch(value);
}

internal sealed class CacheHandle : RocksHandle
{
    public CacheHandle(long bytes)
        : base(null) => Set(LibRocksDb.CreateCache((nuint)bytes));

    protected override void Destroy(nint value) => LibRocksDb.DestroyCache(value);
}
