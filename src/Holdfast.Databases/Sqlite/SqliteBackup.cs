namespace Holdfast.Databases.Sqlite;

/// <summary>SQLite's own copy of a database, page by page, into another one. Not for several threads at once.</summary>
internal sealed class SqliteBackup : IDisposable
{
    private readonly SqliteConnection target;
    private nint handle;

    /// <summary>Begins; nothing is read yet.</summary>
    /// <param name="source">Of the database.</param>
    /// <param name="target">Of the copy, which is overwritten; not used otherwise until this is disposed.</param>
    public SqliteBackup(SqliteConnection source, SqliteConnection target)
    {
        this.target = target;
        handle = LibSqlite.sqlite3_backup_init(target.Handle, "main", source.Handle, "main");
        if (handle == 0) throw target.Failure(LibSqlite.Error);
    }

    /// <summary>Pages of the source at the last step.</summary>
    public int PageCount => LibSqlite.sqlite3_backup_pagecount(handle);

    /// <summary>Pages copied since it began, or began anew.</summary>
    public int PagesCopied => PageCount - LibSqlite.sqlite3_backup_remaining(handle);

    /// <summary>
    /// Copies some pages. Between steps the source is not locked; a change by another connection has the next step
    /// begin anew, unless the source's connection holds a read transaction.
    /// </summary>
    /// <returns>Ok, Done or a code of SQLite's that it failed with: after a busy one, it can be called again.</returns>
    public int Step(int pages) => LibSqlite.sqlite3_backup_step(handle, pages);

    /// <summary>Ends it, done or not.</summary>
    /// <exception cref="SqliteException">A step had failed for good.</exception>
    public void Finish()
    {
        nint finished = handle;
        handle = 0;
        int code = LibSqlite.sqlite3_backup_finish(finished);
        if (code != LibSqlite.Ok) throw target.Failure(code);
    }

    public void Dispose()
    {
        if (handle != 0) _ = LibSqlite.sqlite3_backup_finish(handle);
        handle = 0;
    }
}
