using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Describes the files of a copy.</summary>
internal static class RocksCopies
{
    private const int MaxIdentityBytes = 256;

    /// <summary>What was captured.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="directory">The copy.</param>
    /// <param name="source">The database.</param>
    /// <param name="sequence">Number of the last change.</param>
    /// <param name="way">How it was taken.</param>
    /// <param name="identities">Tells identities.</param>
    /// <param name="transferOf">How a file came, by its name.</param>
    public static Capture Describe(
        IDisk disk, string directory, string source, ulong? sequence, CaptureWay way, RocksFileIdentities identities,
        Func<string, FileTransfer> transferOf)
    {
        string? database = DatabaseIdOf(disk, source);
        var files = new List<CapturedFile>();
        foreach (DiskEntry entry in disk.TryList(directory) ?? [])
        {
            FileTransfer transfer = transferOf(entry.Name);
            // A link has the times of the database's file. Of a copied blob file those tell which one it is; once the database has dropped
            // it, nothing does.
            string told = transfer != FileTransfer.Linked && RocksFiles.IsBlob(entry.Name, out _) ? source : directory;
            files.Add(new CapturedFile(entry.Name, identities.Of($"{told}/{entry.Name}", database), transfer));
        }

        files.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        return new Capture(database, sequence, way, files);
    }

    /// <summary>The id in a database's IDENTITY; null when it has none.</summary>
    public static string? DatabaseIdOf(IDisk disk, string directory)
    {
        using IDiskFile? file = disk.TryOpen($"{directory}/{RocksFiles.Identity}", DiskAccess.Read);
        if (file is null) return null;
        Span<byte> text = stackalloc byte[MaxIdentityBytes];
        text = text[..file.Read(0, text)];
        string id = Encoding.UTF8.GetString(text).Trim();
        return id.Length == 0 ? null : id;
    }
}
