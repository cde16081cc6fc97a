using Holdfast.Log;

namespace Holdfast.Databases.Checkpoints;

/// <summary>Removes directories through the seam.</summary>
internal static class DirectoryRemoval
{
    /// <summary>Removes what has a path: a directory with all that is in it, or a file. A symbolic link goes, not what it leads to.</summary>
    public static void Remove(IDisk disk, string path)
    {
        if (disk.TryDelete(path)) return;
        Clear(disk, path);
        _ = disk.TryDeleteDirectory(path);
    }

    /// <summary>Removes what is in a directory; nothing where there is none.</summary>
    public static void Clear(IDisk disk, string directory)
    {
        foreach (DiskEntry entry in disk.TryList(directory) ?? []) Remove(disk, $"{directory}/{entry.Name}");
    }
}
