using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>A directory for what RocksDB writes while it only should read; goes with all that is in it.</summary>
internal sealed class ScratchDirectory(IDisk disk) : IDisposable
{
    /// <summary>Its absolute path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("holdfast-rocksdb-").FullName;

    /// <summary>Removes what is in it.</summary>
    public void Clear() => DirectoryRemoval.Clear(disk, Path);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
