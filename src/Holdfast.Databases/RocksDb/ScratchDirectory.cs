using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>A directory for what RocksDB writes while it only should read; goes with all that is in it.</summary>
internal sealed class ScratchDirectory(IDisk disk) : IDisposable
{
    /// <summary>Its absolute path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("holdfast-rocksdb-").FullName;

    /// <summary>Removes what is in it.</summary>
    public void Clear() => Clear(Path);

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private void Clear(string directory)
    {
        foreach (DiskEntry entry in disk.TryList(directory) ?? [])
        {
            string path = $"{directory}/{entry.Name}";
            if (disk.TryDelete(path)) continue;
            Clear(path);
            disk.TryDeleteDirectory(path);
        }
    }
}
