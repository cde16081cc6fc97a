using System.Runtime.InteropServices;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Turns the library's errors into ours.</summary>
internal static class RocksError
{
    private static readonly Lazy<bool> IsLoaded = new(() => NativeLibrary.TryLoad(LibRocksDb.Library, out _));

    /// <summary>Makes sure that the library is there, before the first call into it.</summary>
    /// <exception cref="HoldfastException">Kind Failed: it is not installed.</exception>
    public static void RequireLibrary()
    {
        if (IsLoaded.Value) return;
        throw new HoldfastException(
            ErrorKind.Failed, $"{LibRocksDb.Library}: not found on this machine, RocksDB databases need it",
            "install Debian's package librocksdb7.8: apt-get install librocksdb7.8");
    }

    /// <summary>Throws what a call reported, if it did.</summary>
    /// <param name="error">The library's text, freed here; 0 for none.</param>
    /// <param name="path">The database.</param>
    public static void Check(nint error, string path)
    {
        if (Take(error) is { } text) throw ToException(text, path);
    }

    /// <summary>The text of an error, freed; null for none.</summary>
    public static string? Take(nint error)
    {
        if (error == 0) return null;
        string text = Marshal.PtrToStringUTF8(error)!;
        LibRocksDb.Free(error);
        return text.ReplaceLineEndings(" ").Trim();
    }

    // The C API hands out no code, only Status::ToString(): its first words are the code.
    public static HoldfastException ToException(string text, string path) => text switch
    {
        _ when text.StartsWith("Corruption", StringComparison.Ordinal) => new HoldfastException(
            ErrorKind.Damage, $"{path}: {text}", "restore it from a restore point"),
        _ when IsLocked(text) => new HoldfastException(
            ErrorKind.Busy, $"{path}: is open elsewhere: {text}", "close the program that has it open"),
        _ when text.StartsWith("Resource busy", StringComparison.Ordinal)
            || text.StartsWith("Operation timed out", StringComparison.Ordinal)
            || text.Contains("try again", StringComparison.OrdinalIgnoreCase) => new HoldfastException(
            ErrorKind.Busy, $"{path}: {text}", "run it again"),
        _ when text.StartsWith("NotFound", StringComparison.Ordinal)
            || text.Contains("create_if_missing is false", StringComparison.Ordinal) => new HoldfastException(
            ErrorKind.NotThere, $"{path}: {text}", "check the path"),
        _ when text.Contains("No space left", StringComparison.Ordinal) => new HoldfastException(
            ErrorKind.Failed, $"{path}: {text}", "free some space and run it again: nothing that was there is lost"),
        _ => new HoldfastException(ErrorKind.Failed, $"{path}: {text}"),
    };

    private static bool IsLocked(string text) =>
        text.StartsWith("IO error: lock ", StringComparison.Ordinal)
        || text.StartsWith("IO error: While lock file", StringComparison.Ordinal);
}
