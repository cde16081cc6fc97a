using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>The one line that matters here of a file with options: where the write-ahead logs lie.</summary>
internal static class RocksOptionsFile
{
    private const string WalDirectoryKey = "wal_dir=";
    private const int MaxBytes = 16 << 20;

    /// <summary>The directory that a file with options names for write-ahead logs; null for the database's own.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="path">Its path.</param>
    public static string? WalDirectoryOf(IDisk disk, string path)
    {
        foreach (string line in (TryText(disk, path) ?? "").Split('\n'))
        {
            string entry = line.Trim();
            if (!entry.StartsWith(WalDirectoryKey, StringComparison.Ordinal)) continue;
            string value = Unescape(entry[WalDirectoryKey.Length..]);
            return value.Length == 0 ? null : value;
        }

        return null;
    }

    /// <summary>
    /// Makes the options of a copy say that its write-ahead logs lie with it: a program that opens the copy by them would otherwise apply the
    /// logs of the database that it was taken from.
    /// </summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="path">Its path in the copy; may be a link.</param>
    public static void DropWalDirectory(IDisk disk, string path)
    {
        if (WalDirectoryOf(disk, path) is null || TryText(disk, path) is not { } text) return;
        string[] kept = [.. text.Split('\n').Where(line => !line.TrimStart().StartsWith(WalDirectoryKey, StringComparison.Ordinal))];
        // Another file, not another content: RocksDB's checkpoint links the database's own file with options.
        using IDiskFile file = disk.CreateUnnamed(Path.GetDirectoryName(path)!);
        file.Write(0, Encoding.UTF8.GetBytes(string.Join('\n', kept)));
        disk.TryDelete(path);
        if (!disk.TryPublish(file, path)) throw new InvalidOperationException($"{path} exists");
    }

    private static string? TryText(IDisk disk, string path)
    {
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null || file.Length > MaxBytes) return null;
        byte[] bytes = new byte[file.Length];
        return Encoding.UTF8.GetString(bytes, 0, file.Read(0, bytes));
    }

    // RocksDB puts a backslash before what would mean something in a file of options.
    private static string Unescape(string value)
    {
        if (!value.Contains('\\', StringComparison.Ordinal)) return value;
        var plain = new StringBuilder(value.Length);
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\' && i + 1 < value.Length) i++;
            plain.Append(value[i]);
        }

        return plain.ToString();
    }
}
