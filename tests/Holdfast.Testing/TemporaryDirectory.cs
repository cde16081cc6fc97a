namespace Holdfast.Testing;

/// <summary>A directory of the real disk that is removed with all that is in it.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    private const string MemoryFileSystem = "/dev/shm";

    /// <summary>Makes a directory.</summary>
    /// <param name="inMemory">On a file system in memory, if there is one: syncs cost nothing.</param>
    public TemporaryDirectory(bool inMemory = false)
    {
        bool canBeInMemory = inMemory && Directory.Exists(MemoryFileSystem);
        Path = canBeInMemory
            ? Directory.CreateDirectory($"{MemoryFileSystem}/holdfast-{Guid.NewGuid():n}").FullName
            : Directory.CreateTempSubdirectory("holdfast-").FullName;
    }

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
