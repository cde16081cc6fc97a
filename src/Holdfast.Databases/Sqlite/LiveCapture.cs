using System.Globalization;
using Holdfast.Databases.Checkpoints;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// Copies a database while others use it, by SQLite's own backup over a connection that only reads.
/// </summary>
/// <remarks>
/// In WAL mode a read transaction is held all the time: writers neither wait nor have it begin anew, but the log grows as long as it
/// lasts. In rollback mode there is no lock between steps, and each commit of others has it begin anew; when that happened too often,
/// the rest is copied under one read transaction, for which writers wait.
/// </remarks>
/// <param name="source">Path of the database, links resolved.</param>
/// <param name="target">Where the copy goes.</param>
/// <param name="options">How often it may begin anew.</param>
/// <param name="pace">How fast.</param>
/// <param name="patience">How long locks are waited for.</param>
internal sealed class LiveCapture(string source, CaptureTarget target, CaptureOptions options, CapturePace pace, Patience patience)
{
    /// <summary>Beginning anew may cost so many times the database's length, whatever the number of attempts.</summary>
    private const int MaxCopiesInVain = 3;

    private const int CacheKibibytes = 256;

    private int restarts;
    private long pagesInVain;

    /// <summary>Takes the copy.</summary>
    /// <exception cref="SqliteException">Among others, Kind Busy: somebody's lock was waited for in vain.</exception>
    public void Take(CancellationToken cancellationToken)
    {
        using SqliteConnection from = SqliteConnection.OpenForReading(source);
        BeginReading(from, cancellationToken);
        long pageBytes = from.QueryNumber("PRAGMA page_size");
        target.Begin(pageBytes * from.QueryNumber("PRAGMA page_count"));
        string? cut = SqlitePath.FindCut(from, SqlitePath.Require(source).Length);
        bool held = from.Query("PRAGMA journal_mode")[0] == "wal";
        if (!held) from.Run("COMMIT");

        // Closed after the connection: closing it frees the connection's locks.
        using var writeback = new EarlyWriteback(target.Path);
        using SqliteConnection to = SqliteConnection.OpenForWriting(target.Path);
        // Nothing of it counts before it is whole, and who asked for it syncs it.
        to.Run("PRAGMA synchronous=OFF");
        to.Run("PRAGMA journal_mode=OFF");
        to.Run("PRAGMA locking_mode=EXCLUSIVE");
        // What it keeps in memory comes to the disk all at once at the end.
        to.Run($"PRAGMA cache_size=-{CacheKibibytes}");
        using var backup = new SqliteBackup(from, to);
        int step = (int)Math.Max(1, pace.StepBytes / pageBytes);
        int before = 0;
        while (true)
        {
            int code = backup.Step(step);
            if (SqliteException.IsBusyCode(code))
            {
                Wait(from, code, cancellationToken);
                continue;
            }

            if (code is not (LibSqlite.Ok or LibSqlite.Done)) break;
            patience.Reset();
            int copied = backup.PagesCopied;
            bool restarted = before > 0 && copied <= before && code != LibSqlite.Done;
            writeback.Advance(pageBytes * copied);
            pace.Copied(
                pageBytes * (restarted ? copied : Math.Max(0, copied - before)), pageBytes * copied, pageBytes * backup.PageCount, cancellationToken);
            if (code == LibSqlite.Done) break;
            if (restarted && !held && IsEnough(before, backup.PageCount))
            {
                BeginReading(from, cancellationToken);
                held = true;
            }

            before = copied;
        }

        backup.Finish();
        // Looked at twice: a page that is just being written may be seen in part.
        if (cut is not null && SqlitePath.FindCut(from, SqlitePath.Require(source).Length) is { } still) throw CaptureTarget.Damage(source, still);
    }

    private bool IsEnough(int pagesLost, int pageCount)
    {
        restarts++;
        pagesInVain += pagesLost;
        return restarts >= options.MaxAttempts || pagesInVain > (long)MaxCopiesInVain * pageCount;
    }

    private void BeginReading(SqliteConnection connection, CancellationToken cancellationToken)
    {
        connection.Run("BEGIN");
        while (true)
        {
            try
            {
                // The transaction begins with the first read.
                _ = connection.Query("SELECT count(*) FROM sqlite_schema");
                patience.Reset();
                return;
            }
            catch (SqliteException e) when (e.IsBusy)
            {
                Wait(connection, e.Code, cancellationToken);
            }
        }
    }

    private void Wait(SqliteConnection connection, int code, CancellationToken cancellationToken)
    {
        if (patience.TryWait(cancellationToken)) return;
        string reason = connection.Failure(code).Reason;
        throw new SqliteException(
            source, code, string.Create(CultureInfo.InvariantCulture, $"{reason}: another program did not let go of it for {patience.Waited}"), 0);
    }
}
