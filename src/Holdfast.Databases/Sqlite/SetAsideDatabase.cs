using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// A database that SQLite cannot recover, moved away with all that lies beside it so that another one can take its place; put back if
/// none comes. It stays as NAME.damaged-… afterwards: no program has seen what its log or journal held.
/// </summary>
/// <remarks>
/// Order, both ways: what lies beside gets its new name first, as a second name, then the database itself moves, then the old names
/// of what lies beside go. At each instant the database is whole under one of its names, and under the other one is no database.
/// </remarks>
internal sealed class SetAsideDatabase : IDisposable
{
    private const string Infix = ".damaged-";

    private readonly IDisk disk;
    private readonly string path;
    private readonly string aside;

    private SetAsideDatabase(IDisk disk, string path, string aside)
    {
        this.disk = disk;
        this.path = path;
        this.aside = aside;
    }

    /// <summary>Moves a database away; nobody has it open.</summary>
    public static SetAsideDatabase SetAside(IDisk disk, string path)
    {
        // Of the inode: another file of the same name gets another one.
        var database = new SetAsideDatabase(disk, path, $"{path}{Infix}{SqlitePath.Require(path).Inode:x}");
        database.Move(path, database.aside);
        return database;
    }

    /// <summary>Puts it back unless a file is in its place.</summary>
    public void Dispose()
    {
        if (disk.TryStat(path) is null) Move(aside, path);
    }

    private void Move(string from, string to)
    {
        string directory = Path.GetDirectoryName(path)!;
        foreach (string suffix in Sidecars.Suffixes)
        {
            _ = disk.TryDelete(to + suffix);
            // The index of the log is made anew by who opens it.
            if (suffix != Sidecars.SharedMemorySuffix && disk.TryStat(from + suffix) is not null) TryGiveSecondName(from + suffix, to + suffix);
        }

        disk.SyncDirectory(directory);
        disk.Rename(from, to);
        disk.SyncDirectory(directory);
        foreach (string suffix in Sidecars.Suffixes)
        {
            bool hasSecondName = suffix == Sidecars.SharedMemorySuffix || disk.TryStat(to + suffix) is not null;
            if (hasSecondName) _ = disk.TryDelete(from + suffix);
            else if (disk.TryStat(from + suffix) is not null) disk.Rename(from + suffix, to + suffix);
        }

        disk.SyncDirectory(directory);
    }

    private void TryGiveSecondName(string existing, string name)
    {
        try
        {
            _ = disk.TryLink(existing, name);
        }
        catch (DiskException e) when (e.IsLinkRefused)
        {
            // It is renamed later: a crash before that leaves it under a name at which there is no database.
        }
    }
}
