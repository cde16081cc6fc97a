namespace Holdfast.Databases.Bitcask;

/// <summary>To be written.</summary>
internal sealed class BitcaskEngine : IDatabaseEngine
{
    public string Name => "bitcask";

    public bool IsFile => false;

    public ICheckpointSource Find(string path) => throw new NotSupportedException(path);

    public IDisposable Hold(string path) => throw new NotSupportedException(path);

    public DatabaseCheck Check(string path, IReadOnlySet<string>? only, CancellationToken cancellationToken) => throw new NotSupportedException(path);
}
