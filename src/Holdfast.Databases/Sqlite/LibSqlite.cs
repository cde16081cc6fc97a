using System.Runtime.InteropServices;
using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>What we use of the system's libsqlite3. Codes and flags: sqlite3.h.</summary>
internal static unsafe partial class LibSqlite
{
    public const int Ok = 0;
    public const int Error = 1;
    public const int Busy = 5;
    public const int Locked = 6;
    public const int ReadOnly = 8;
    public const int Interrupt = 9;
    public const int InputOutput = 10;
    public const int Corrupt = 11;
    public const int Full = 13;
    public const int CannotOpen = 14;
    public const int NotADatabase = 26;
    public const int Row = 100;
    public const int Done = 101;
    public const int ShortRead = InputOutput | (2 << 8);

    public const int OpenReadOnly = 0x1;
    public const int OpenReadWrite = 0x2;
    public const int OpenUri = 0x40;
    public const int OpenPrivateCache = 0x40000;

    public const int ConfigureNoCheckpointOnClose = 1006;
    public const int ConfigureDefensive = 1010;
    public const int ConfigureTrustedSchema = 1017;

    private const string Library = "libsqlite3.so.0";

    /// <summary>Makes sure that the library is there, so that its absence is told in words.</summary>
    /// <exception cref="HoldfastException">It is not.</exception>
    public static void Load()
    {
        // Loading again only counts a reference.
        if (NativeLibrary.TryLoad(Library, typeof(LibSqlite).Assembly, null, out _)) return;
        throw new HoldfastException(
            ErrorKind.Failed, $"{Library}: the library of SQLite is not installed", "install it: apt-get install libsqlite3-0");
    }

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_open_v2(string path, out nint connection, int flags, nint vfs);

    [LibraryImport(Library)]
    public static partial int sqlite3_close_v2(nint connection);

    [LibraryImport(Library)]
    public static partial int sqlite3_extended_result_codes(nint connection, int on);

    // Variadic in C; with integer arguments the call is the same on every processor that .NET runs Linux on.
    [LibraryImport(Library)]
    public static partial int sqlite3_db_config(nint connection, int option, int on, nint result);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_errmsg(nint connection);

    [LibraryImport(Library)]
    public static partial int sqlite3_system_errno(nint connection);

    [LibraryImport(Library)]
    public static partial int sqlite3_extended_errcode(nint connection);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_prepare_v2(nint connection, string sql, int bytes, out nint statement, nint rest);

    [LibraryImport(Library)]
    public static partial int sqlite3_step(nint statement);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_text(nint statement, int column);

    [LibraryImport(Library)]
    public static partial int sqlite3_finalize(nint statement);

    [LibraryImport(Library)]
    public static partial void sqlite3_interrupt(nint connection);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint sqlite3_backup_init(nint target, string targetName, nint source, string sourceName);

    [LibraryImport(Library)]
    public static partial int sqlite3_backup_step(nint backup, int pages);

    [LibraryImport(Library)]
    public static partial int sqlite3_backup_remaining(nint backup);

    [LibraryImport(Library)]
    public static partial int sqlite3_backup_pagecount(nint backup);

    [LibraryImport(Library)]
    public static partial int sqlite3_backup_finish(nint backup);
}
