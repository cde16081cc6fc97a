using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>A call of SQLite failed.</summary>
internal sealed class SqliteException : HoldfastException
{
    private const int Permission = 3;
    private const int ErrnoNoSpace = 28;
    private const int ReadOnlyRollback = LibSqlite.ReadOnly | (3 << 8);

    /// <summary>Makes the error of one failed call.</summary>
    /// <param name="path">The database.</param>
    /// <param name="code">SQLite's extended result code.</param>
    /// <param name="reason">SQLite's words.</param>
    /// <param name="errno">The kernel's error number, if it has to do with it; else 0.</param>
    public SqliteException(string path, int code, string reason, int errno)
        : base(KindOf(code), $"{path}: {Describe(path, code, reason, errno)}", HintFor(path, code, errno))
    {
        Code = code;
        Reason = reason;
    }

    /// <summary>SQLite's extended result code.</summary>
    public int Code { get; }

    /// <summary>SQLite's words alone.</summary>
    public string Reason { get; }

    /// <summary>Whether somebody else's lock is in the way: later it may work.</summary>
    public bool IsBusy => IsBusyCode(Code);

    /// <summary>Whether the database itself is at fault.</summary>
    public bool IsDamage => KindOf(Code) == ErrorKind.Damage;

    /// <summary>
    /// Whether a connection that may only read could not: a journal is to be rolled back, or there is nobody left to share a
    /// write-ahead log with.
    /// </summary>
    public bool IsForWantOfWriting => Primary(Code) is LibSqlite.ReadOnly or LibSqlite.CannotOpen;

    /// <summary>Whether who wrote last died in a transaction, and somebody must roll it back before anybody reads.</summary>
    public bool IsForWantOfRollback => Code == ReadOnlyRollback;

    /// <summary>Whether SQLite does not know what the statement or the schema asks for.</summary>
    public bool IsRefusal => Primary(Code) == LibSqlite.Error;

    /// <summary>Whether there is no space.</summary>
    public bool IsFull => Primary(Code) == LibSqlite.Full;

    /// <summary>Whether a code says that somebody else's lock is in the way.</summary>
    public static bool IsBusyCode(int code) => Primary(code) is LibSqlite.Busy or LibSqlite.Locked;

    private static int Primary(int code) => code & 0xFF;

    private static ErrorKind KindOf(int code) => Primary(code) switch
    {
        LibSqlite.Busy or LibSqlite.Locked => ErrorKind.Busy,
        LibSqlite.Corrupt or LibSqlite.NotADatabase => ErrorKind.Damage,
        LibSqlite.InputOutput when code == LibSqlite.ShortRead => ErrorKind.Damage,
        _ => ErrorKind.Failed,
    };

    private static string Describe(string path, int code, string reason, int errno) =>
        errno == 0 || Primary(code) is not (LibSqlite.InputOutput or LibSqlite.Full or LibSqlite.CannotOpen or Permission)
            ? reason
            : $"{reason} ({new DiskException("system call", path, errno).Reason})";

    private static string? HintFor(string path, int code, int errno) => Primary(code) switch
    {
        LibSqlite.Busy or LibSqlite.Locked => "run it again when the other program has finished",
        LibSqlite.Corrupt or LibSqlite.NotADatabase => "restore it from a restore point, or see what \"sqlite3 FILE .recover\" can save",
        LibSqlite.Full => new DiskException("write", path, ErrnoNoSpace).Hint,
        _ => errno == 0 ? null : new DiskException("system call", path, errno).Hint,
    };
}
