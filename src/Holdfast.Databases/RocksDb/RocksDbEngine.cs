namespace Holdfast.Databases.RocksDb;

/// <summary>To be written.</summary>
internal sealed class RocksDbEngine : IDatabaseEngine
{
    public string Name => "rocksdb";

    public bool IsFile => false;

    public ICheckpointSource Find(string path) => throw new NotSupportedException(path);

    public IDisposable Hold(string path) => throw new NotSupportedException(path);

    public DatabaseCheck Check(string path, IReadOnlySet<string>? only, CancellationToken cancellationToken) => throw new NotSupportedException(path);
}
