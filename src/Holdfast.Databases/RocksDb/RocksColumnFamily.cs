namespace Holdfast.Databases.RocksDb;

/// <summary>A key space of a database, with tables of its own; writes to several are atomic in one batch. May be used from any thread.</summary>
public sealed class RocksColumnFamily
{
    internal RocksColumnFamily(string name, FamilyHandle handle)
    {
        Name = name;
        Handle = handle;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    internal FamilyHandle Handle { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
