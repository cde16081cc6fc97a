using System.Globalization;
using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>What a path must lead to for a database to be there. Header: https://www.sqlite.org/fileformat.html, "The Database Header".</summary>
internal static class SqlitePath
{
    private const int HeaderBytes = 20;
    private const int ReadVersionOffset = 19;
    private const byte WalVersion = 2;

    private static ReadOnlySpan<byte> Magic => "SQLite format 3\0"u8;

    /// <summary>Where the database itself lies: SQLite puts its journals beside the file that links lead to.</summary>
    public static string Resolve(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HoldfastException(ErrorKind.Failed, $"{path}: {e.Message}", "check the path and its links", e);
        }
    }

    /// <summary>The mark of a database's file.</summary>
    /// <exception cref="HoldfastException">Kind NotThere: nothing is there, or no plain file.</exception>
    public static FileMark Require(string path)
    {
        FileMark mark = FileMark.TryOf(path) ?? throw NotThere(path);
        if (mark.IsRegular) return mark;
        throw new HoldfastException(
            ErrorKind.NotThere, $"{path}: not an SQLite database, which is a file", "give the path of the database's file");
    }

    /// <summary>Makes sure that a file is a database by its first bytes, or becomes one by what lies beside it.</summary>
    /// <exception cref="HoldfastException">Kind NotThere: it is none, or an encrypted one.</exception>
    public static void RequireHeader(DatabaseFile file)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        int read = file.Read(0, header);
        if (read == 0 || (read >= Magic.Length && header.StartsWith(Magic))) return;
        // A power cut may leave a first page that only its journal or log has whole.
        Sidecars beside = Sidecars.Of(file.Path);
        if (beside.HasLog || beside.Journal is { Length: > 0 }) return;
        throw new HoldfastException(
            ErrorKind.NotThere, $"{file.Path}: not an SQLite database: it does not begin with \"SQLite format 3\"",
            "it is another file, damaged, or encrypted: of an encrypted database only a program that has its key can make a copy");
    }

    /// <summary>Whether a database's header says that it is in WAL mode.</summary>
    public static bool IsInWalMode(DatabaseFile file)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        return file.Read(0, header) == HeaderBytes && header[ReadVersionOffset] == WalVersion;
    }

    /// <summary>
    /// Whether a file was cut short in its last page, which SQLite takes for full of zeros; what is wrong, or null. Of a cut by more it
    /// tells itself.
    /// </summary>
    /// <param name="connection">To the database.</param>
    /// <param name="length">Of its file.</param>
    public static string? FindCut(SqliteConnection connection, long length)
    {
        long pageBytes = connection.QueryNumber("PRAGMA page_size");
        long expected = pageBytes * connection.QueryNumber("PRAGMA page_count");
        return length < expected && length % pageBytes != 0
            ? string.Create(CultureInfo.InvariantCulture, $"its file is cut short: {length} bytes, expected {expected}")
            : null;
    }

    /// <summary>The error that nothing is there.</summary>
    public static HoldfastException NotThere(string path) =>
        new(ErrorKind.NotThere, $"{path}: there is no such file", "check the path");
}
