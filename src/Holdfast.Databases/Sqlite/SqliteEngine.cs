namespace Holdfast.Databases.Sqlite;

/// <summary>To be written.</summary>
internal sealed class SqliteEngine : IDatabaseEngine
{
    public string Name => "sqlite";

    public bool IsFile => true;

    public ICheckpointSource Find(string path) => throw new NotSupportedException(path);

    public IDisposable Hold(string path) => throw new NotSupportedException(path);

    public DatabaseCheck Check(string path, IReadOnlySet<string>? only, CancellationToken cancellationToken) => throw new NotSupportedException(path);
}
