using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>What lies beside a database's file and belongs to it. https://www.sqlite.org/tempfiles.html</summary>
/// <param name="Journal">Rollback journal: what pages were before a transaction; null when there is none.</param>
/// <param name="Log">Write-ahead log: transactions that are not yet in the file.</param>
/// <param name="SharedMemory">Index of the log for the processes that share it; made anew by the first that opens the database.</param>
internal readonly record struct Sidecars(FileMark? Journal, FileMark? Log, FileMark? SharedMemory)
{
    public const string JournalSuffix = "-journal";
    public const string LogSuffix = "-wal";
    public const string SharedMemorySuffix = "-shm";

    /// <summary>All that SQLite puts beside a database.</summary>
    public static readonly string[] Suffixes = [JournalSuffix, LogSuffix, SharedMemorySuffix];

    /// <summary>Whether there is a log that may hold something.</summary>
    public bool HasLog => Log is { Length: > 0 };

    /// <summary>Those of a database now.</summary>
    public static Sidecars Of(string path) =>
        new(FileMark.TryOf(path + JournalSuffix), FileMark.TryOf(path + LogSuffix), FileMark.TryOf(path + SharedMemorySuffix));

    /// <summary>
    /// Whether there is a journal that would be rolled back by who opens the database next, if nobody is writing. One that begins with
    /// zero or is empty is what modes PERSIST and TRUNCATE leave behind.
    /// </summary>
    public bool HasHotJournal(IDisk disk, string path)
    {
        if (Journal is not { Length: > 0 }) return false;
        using IDiskFile? file = disk.TryOpen(path + JournalSuffix, DiskAccess.Read);
        Span<byte> first = stackalloc byte[1];
        return file is not null && file.Read(0, first) == 1 && first[0] != 0;
    }
}
