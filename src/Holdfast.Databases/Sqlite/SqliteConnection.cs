using System.Runtime.InteropServices;
using System.Text;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// A connection to a database. It waits for no lock: who has time tries again. Not for several threads at once, except
/// <see cref="Interrupt"/>.
/// </summary>
internal sealed unsafe class SqliteConnection : IDisposable
{
    private readonly string path;
    private nint handle;

    private SqliteConnection(string path, nint handle)
    {
        this.path = path;
        this.handle = handle;
    }

    /// <summary>For <see cref="SqliteBackup"/>.</summary>
    public nint Handle => handle;

    /// <summary>
    /// A connection beside those of other programs that writes neither the database nor its log, also when it is the last to go.
    /// </summary>
    public static SqliteConnection OpenForReading(string path)
    {
        SqliteConnection connection = Open(path, path, LibSqlite.OpenReadOnly);
        connection.KeepLogOnClose();
        return connection;
    }

    /// <summary>
    /// A connection to a file that nobody has open and nobody will change: no locks, nothing made beside it, and what lies beside it
    /// is not looked at. On a live database it would give wrong answers.
    /// </summary>
    public static SqliteConnection OpenImmutable(string path)
    {
        SqliteConnection connection = Open(path, ToUri(path) + "?immutable=1", LibSqlite.OpenReadOnly | LibSqlite.OpenUri);
        // The file may come from anywhere: nothing that its schema names is to run.
        connection.Configure(LibSqlite.ConfigureDefensive, on: true);
        connection.Configure(LibSqlite.ConfigureTrustedSchema, on: false);
        return connection;
    }

    /// <summary>A connection that may write. The file must be there; it may be empty.</summary>
    public static SqliteConnection OpenForWriting(string path) => Open(path, path, LibSqlite.OpenReadWrite);

    /// <summary>From now on, closing it neither brings the log into the database nor removes it.</summary>
    public void KeepLogOnClose() => Configure(LibSqlite.ConfigureNoCheckpointOnClose, on: true);

    /// <summary>Runs a statement and takes the first column of its first rows, as text.</summary>
    /// <param name="sql">One statement.</param>
    /// <param name="maxRows">Rows after these are not computed.</param>
    /// <exception cref="SqliteException">It failed.</exception>
    public List<string> Query(string sql, int maxRows = 1)
    {
        var rows = new List<string>();
        int code = LibSqlite.sqlite3_prepare_v2(handle, sql, -1, out nint statement, 0);
        if (code != LibSqlite.Ok) throw Failure(code);
        try
        {
            while ((code = LibSqlite.sqlite3_step(statement)) == LibSqlite.Row)
            {
                rows.Add(Marshal.PtrToStringUTF8((nint)LibSqlite.sqlite3_column_text(statement, 0)) ?? "");
                if (rows.Count == maxRows) return rows;
            }

            return code == LibSqlite.Done ? rows : throw Failure(code);
        }
        finally
        {
            _ = LibSqlite.sqlite3_finalize(statement);
        }
    }

    /// <summary>Runs a statement whose rows are of no interest.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public void Run(string sql) => _ = Query(sql, int.MaxValue);

    /// <summary>The number that a statement answers.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public long QueryNumber(string sql) => long.Parse(Query(sql)[0], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Has the statement that is being run fail soon. From any thread; the connection must not be closed meanwhile.</summary>
    public void Interrupt() => LibSqlite.sqlite3_interrupt(handle);

    /// <summary>The error of a call that failed.</summary>
    public SqliteException Failure(int code) => new(
        path, code, Marshal.PtrToStringUTF8((nint)LibSqlite.sqlite3_errmsg(handle)) ?? "", LibSqlite.sqlite3_system_errno(handle));

    public void Dispose()
    {
        if (handle == 0) return;
        _ = LibSqlite.sqlite3_close_v2(handle);
        handle = 0;
    }

    private static SqliteConnection Open(string path, string name, int flags)
    {
        LibSqlite.Load();
        int code = LibSqlite.sqlite3_open_v2(name, out nint handle, flags | LibSqlite.OpenPrivateCache, 0);
        var connection = new SqliteConnection(path, handle);
        if (code == LibSqlite.Ok)
        {
            _ = LibSqlite.sqlite3_extended_result_codes(handle, 1);
            return connection;
        }

        using (connection) throw connection.Failure(LibSqlite.sqlite3_extended_errcode(handle));
    }

    private void Configure(int option, bool on)
    {
        int code = LibSqlite.sqlite3_db_config(handle, option, on ? 1 : 0, 0);
        if (code == LibSqlite.Ok) return;
        using (this) throw Failure(code);
    }

    // All but what never has a meaning in a URI is written in hex.
    private static string ToUri(string path)
    {
        var uri = new StringBuilder("file:");
        foreach (byte b in Encoding.UTF8.GetBytes(path))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'/' or (byte)'.' or (byte)'_' or (byte)'-') uri.Append((char)b);
            else uri.Append('%').Append(Convert.ToHexString([b]));
        }

        return uri.ToString();
    }
}
