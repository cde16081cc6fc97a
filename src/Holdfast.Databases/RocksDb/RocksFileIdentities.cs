using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Identities of the files that never change, each worked out once. May be used from any thread.</summary>
internal sealed class RocksFileIdentities(IDisk disk)
{
    // About 200 bytes each. A database of more files than this works them out each time.
    private const int MaxRemembered = 200_000;

    private readonly ConcurrentDictionary<FileStamp, string?> tables = new();

    /// <summary>The identity of a file of a database; null for one that changes, or cannot be told.</summary>
    /// <param name="path">The file, where the database or a link to it lies: the time of a copy says nothing.</param>
    /// <param name="database">The database's id; null when it has none.</param>
    public string? Of(string path, string? database)
    {
        string name = Path.GetFileName(path);
        bool isBlob = RocksFiles.IsBlob(name, out ulong number);
        if (!isBlob && !RocksFiles.IsTable(name)) return null;
        if (LibC.TryStat(path) is not { } stamp) return null;
        if (isBlob)
        {
            // A blob file does not say who made it. Numbers are not used again within a database, and copies of it that both go on would
            // have to write as many bytes and end in the same nanosecond.
            return database is null || TableIdentity.AsPart(Encoding.UTF8.GetBytes(database)) is null
                ? null
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"rocksdb-blob:{database}:{number}:{stamp.Length}:{stamp.ModifiedSeconds}.{stamp.ModifiedNanoseconds:d9}");
        }

        if (tables.TryGetValue(stamp, out string? known)) return known;
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.Read);
        if (file is null) return null;
        string? identity = TableIdentity.TryRead(file);
        if (tables.Count >= MaxRemembered) tables.Clear();
        tables[stamp] = identity;
        return identity;
    }
}
