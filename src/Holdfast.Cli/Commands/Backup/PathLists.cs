using Holdfast.Cli.Terminals;
using Holdfast.Cli.Values;

namespace Holdfast.Cli.Commands.Backup;

/// <summary>Reads the paths that the files of <c>--files-from</c> and <c>--files-from0</c> list.</summary>
internal static class PathLists
{
    /// <summary>All of them, as they stand in the files.</summary>
    public static async Task<List<byte[]>> ReadAsync(BackupOptions options, CancellationToken cancellationToken)
    {
        var paths = new List<byte[]>();
        foreach (string file in options.FilesFrom) Split(await ReadFileAsync(file, "--files-from").ConfigureAwait(false), (byte)'\n', file, paths);
        foreach (string file in options.FilesFrom0) Split(await ReadFileAsync(file, "--files-from0").ConfigureAwait(false), 0, file, paths);
        return paths;

        Task<byte[]> ReadFileAsync(string file, string flag) => InputFile.ReadAllAsync(file, flag, cancellationToken);
    }

    private static void Split(ReadOnlySpan<byte> content, byte end, string file, List<byte[]> paths)
    {
        foreach (Range range in content.Split(end))
        {
            ReadOnlySpan<byte> path = content[range];
            if (path.IsEmpty) continue;
            if (path.Contains((byte)0))
            {
                throw UsageError.Of($"--files-from: {file}: a line holds a zero byte", "use --files-from0 for a list whose paths end with one");
            }

            paths.Add(path.ToArray());
        }
    }
}
