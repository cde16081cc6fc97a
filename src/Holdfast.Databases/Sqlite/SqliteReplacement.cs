using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// Keeps everybody out of a database that is about to be replaced, and leaves nothing beside it that the next file of its name would
/// be read with: a log or journal of the old one would be applied to the new one and destroy it.
/// </summary>
/// <remarks>
/// The locks are SQLite's, taken beside it: a connection of SQLite's would work on names that by then are the new database's. A program that
/// has the database open but is doing nothing has no lock in rollback mode; it is seen by its descriptor, if this process may look.
/// </remarks>
internal sealed class SqliteReplacement : IDisposable
{
    private const int MaxAttempts = 3;

    private readonly DatabaseFile file;
    private readonly DatabaseGate gate;
    private readonly SetAsideDatabase? aside;

    private SqliteReplacement(DatabaseFile file, DatabaseGate gate, SetAsideDatabase? aside)
    {
        this.file = file;
        this.gate = gate;
        this.aside = aside;
    }

    /// <summary>See <see cref="IDatabaseEngine.Hold"/>.</summary>
    public static SqliteReplacement Hold(IDisk disk, string path, Patience patience)
    {
        string resolved = SqlitePath.Resolve(path);
        if (resolved != path)
        {
            throw new HoldfastException(
                ErrorKind.Refused, $"{path}: a symbolic link, to {resolved}", "name the file that it leads to: that is what is to be replaced");
        }

        FileMark mark = SqlitePath.Require(path);
        DatabaseGate gate = DatabaseGate.TryEnter(mark) ?? throw Busy(path, Environment.ProcessId);
        DatabaseFile? file = null;
        try
        {
            if (OpenFiles.IsOpenHere(mark)) throw Busy(path, Environment.ProcessId);
            if (OpenFiles.FindOtherProcess(mark) is { } process) throw Busy(path, process);
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                file = Lock(path, patience);
                SqlitePath.RequireHeader(file);
                if (TryClear(disk, path)) return new SqliteReplacement(file, gate, aside: null);
                file.Dispose();
                if (!TryAbsorb(disk, path)) break;
            }

            file = Lock(path, patience);
            return new SqliteReplacement(file, gate, SetAsideDatabase.SetAside(disk, path));
        }
        catch
        {
            // Whatever it was: who comes next may enter.
            file?.Dispose();
            gate.Dispose();
            throw;
        }
    }

    /// <summary>See <see cref="IDatabaseEngine.RefuseLeftovers"/>.</summary>
    public static void RefuseLeftovers(IDisk disk, string path)
    {
        Sidecars beside = Sidecars.Of(path);
        string? leftover = beside.HasLog ? Sidecars.LogSuffix : beside.HasHotJournal(disk, path) ? Sidecars.JournalSuffix : null;
        if (leftover is null) return;
        throw new HoldfastException(
            ErrorKind.Refused, $"{path}{leftover}: left from a database that is gone; SQLite would apply it to the new one and destroy that",
            "move it away, with the database that it belongs to, or choose another path");
    }

    public void Dispose()
    {
        aside?.Dispose();
        file.Dispose();
        gate.Dispose();
    }

    private static DatabaseFile Lock(string path, Patience patience)
    {
        DatabaseFile file = DatabaseFile.TryOpen(path, writable: true) ?? throw SqlitePath.NotThere(path);
        while (!file.TryLockAll())
        {
            if (patience.TryWait(CancellationToken.None)) continue;
            using (file) throw Busy(path, file.FindUser() ?? 0);
        }

        patience.Reset();
        return file;
    }

    /// <summary>Removes what lies beside the database if none of it holds anything.</summary>
    private static bool TryClear(IDisk disk, string path)
    {
        Sidecars beside = Sidecars.Of(path);
        if (beside.HasLog || beside.HasHotJournal(disk, path)) return false;
        bool any = false;
        foreach (string suffix in Sidecars.Suffixes) any |= disk.TryDelete(path + suffix);
        if (any) disk.SyncDirectory(Path.GetDirectoryName(path)!);
        return true;
    }

    /// <summary>Rolls a journal back, or brings a log in, as whoever opens the database next would have; false when that cannot be done.</summary>
    private static bool TryAbsorb(IDisk disk, string path)
    {
        try
        {
            Sidecars beside = Sidecars.Of(path);
            if (beside.HasHotJournal(disk, path)) JournalScan.ThrowIfDamaged(disk, path, path);
            LogScan.ThrowIfDamaged(disk, path, path);
            using SqliteConnection connection = SqliteConnection.OpenForWriting(path);
            // If the database cannot be read, closing would remove a log that nobody has seen.
            connection.KeepLogOnClose();
            _ = connection.Query("SELECT count(*) FROM sqlite_schema");
            connection.Run("PRAGMA wal_checkpoint(TRUNCATE)");
            return true;
        }
        catch (HoldfastException e) when (e.Kind == ErrorKind.Damage || e is SqliteException { IsFull: true })
        {
            return false;
        }
    }

    private static HoldfastException Busy(string path, int process) => new(
        ErrorKind.Busy,
        $"{path}: {(process == Environment.ProcessId ? "this process" : OpenFiles.NameOf(process))} has it open, and it is to be replaced",
        "stop the program first");
}
