using System.Globalization;

namespace Holdfast.Databases.Sqlite;

/// <summary>Which processes have a file open, as far as this one may see.</summary>
internal static class OpenFiles
{
    /// <summary>
    /// Whether this process has a file open. Closing any descriptor of a file frees all of a process's fcntl locks on it, those of
    /// SQLite connections too: who finds it open leaves the file to SQLite, which knows of that.
    /// </summary>
    public static bool IsOpenHere(FileMark file) => IsOpenIn("/proc/self", file);

    /// <summary>
    /// Another process that has a file open; null when none is seen. Processes of other users are seen by root only.
    /// </summary>
    public static int? FindOtherProcess(FileMark file)
    {
        if (!Directory.Exists("/proc/self/fd")) return null;
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                && process != Environment.ProcessId
                && IsOpenIn(directory, file))
            {
                return process;
            }
        }

        return null;
    }

    /// <summary>What a process is called, for a message.</summary>
    public static string NameOf(int process)
    {
        // A lock of a file description belongs to no process; and one may have ended.
        if (process <= 0) return "another process";
        try
        {
            return $"process {process} ({File.ReadAllText($"/proc/{process}/comm").Trim()})";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"process {process}";
        }
    }

    private static bool IsOpenIn(string process, FileMark file)
    {
        try
        {
            foreach (string descriptor in Directory.EnumerateFiles($"{process}/fd"))
            {
                if (FileMark.TryOf(descriptor) is { } open && open.IsSameFile(file)) return true;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Log.DiskException)
        {
            // It has ended, or is another user's.
        }

        return false;
    }
}
