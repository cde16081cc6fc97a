using System.Globalization;

namespace Holdfast.Databases.RocksDb;

/// <summary>Names of the files of a database.</summary>
internal static class RocksFiles
{
    /// <summary>Holds the name of the manifest: a directory with it is a database.</summary>
    public const string Current = "CURRENT";

    /// <summary>Locked by who has the database open; stays when nobody has.</summary>
    public const string Lock = "LOCK";

    /// <summary>Holds the database's id.</summary>
    public const string Identity = "IDENTITY";

    /// <summary>How the names of manifests begin.</summary>
    public const string ManifestPrefix = "MANIFEST-";

    /// <summary>How the names of files with options begin.</summary>
    public const string OptionsPrefix = "OPTIONS-";

    private const string TableSuffix = ".sst";
    private const string BlobSuffix = ".blob";
    private const string WalSuffix = ".log";

    /// <summary>Name of a table.</summary>
    public static string TableName(ulong number) => $"{number:d6}{TableSuffix}";

    /// <summary>Name of a blob file.</summary>
    public static string BlobName(ulong number) => $"{number:d6}{BlobSuffix}";

    /// <summary>Whether a name is a table's.</summary>
    public static bool IsTable(string name) => TryNumber(name, "", TableSuffix, out _);

    /// <summary>Whether a name is a blob file's, and its number.</summary>
    public static bool IsBlob(string name, out ulong number) => TryNumber(name, "", BlobSuffix, out number);

    /// <summary>Whether a name is a write-ahead log's, and its number.</summary>
    public static bool IsWal(string name, out ulong number) => TryNumber(name, "", WalSuffix, out number);

    /// <summary>Whether a name is that of a file with options, and its number.</summary>
    public static bool IsOptions(string name, out ulong number) => TryNumber(name, OptionsPrefix, "", out number);

    /// <summary>Whether a name is a manifest's.</summary>
    public static bool IsManifest(string name) => TryNumber(name, ManifestPrefix, "", out _);

    private static bool TryNumber(string name, string prefix, string suffix, out ulong number)
    {
        number = 0;
        return name.StartsWith(prefix, StringComparison.Ordinal)
            && name.EndsWith(suffix, StringComparison.Ordinal)
            && name.Length > prefix.Length + suffix.Length
            && ulong.TryParse(name.AsSpan(prefix.Length, name.Length - prefix.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
