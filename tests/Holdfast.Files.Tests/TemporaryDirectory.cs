using System.Diagnostics;
using System.Text;

namespace Holdfast.Files.Tests;

/// <summary>A directory that goes, with all in it, when disposed.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private const string Memory = "/dev/shm";

    private TemporaryDirectory(string path) => Path = path;

    public TemporaryDirectory()
        : this(Directory.CreateTempSubdirectory("holdfast-files-").FullName)
    {
    }

    public string Path { get; }

    /// <summary>One in memory, where the machine has that, for tests that make very many files.</summary>
    public static TemporaryDirectory Fast() => Directory.Exists(Memory)
        ? new(Directory.CreateDirectory(System.IO.Path.Combine(Memory, $"holdfast-files-{Guid.NewGuid():N}")).FullName)
        : new();

    public DirectoryTree OpenTree(int maxHeldNodes = 4096) =>
        DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(Path), maxHeldNodes).Value;

    /// <summary>A path below it.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        // rm copes with names and depths that .NET's paths cannot express.
        using Process remove = Process.Start("rm", ["-rf", "--", Path]);
        remove.WaitForExit();
    }
}
