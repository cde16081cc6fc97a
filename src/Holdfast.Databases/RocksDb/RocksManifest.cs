using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>A file that a manifest names.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="IsBlob">Whether it holds blobs, not a table.</param>
/// <param name="FamilyId">Id of its column family.</param>
internal readonly record struct LiveFile(string Name, long Bytes, bool IsBlob, ulong FamilyId);

/// <summary>A column family that a manifest names.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Comparator">Name of what orders its keys.</param>
internal readonly record struct LiveFamily(string Name, string Comparator);

/// <summary>What the files of a database are, as its manifest says.</summary>
/// <param name="DatabaseId">The database's id; null when it is not in the manifest.</param>
/// <param name="LastSequence">Number of the last change that the manifest knew of.</param>
/// <param name="Files">Tables and blob files, by name.</param>
/// <param name="Families">Column families, by id.</param>
internal sealed record RocksManifest(
    string? DatabaseId, ulong LastSequence, IReadOnlyList<LiveFile> Files, IReadOnlyList<LiveFamily> Families)
{
    private const int MaxCurrentBytes = 256;

    /// <summary>The name of the manifest that a database is read by; null when there is no database.</summary>
    /// <exception cref="HoldfastException">Kind Damage: CURRENT names none.</exception>
    public static string? NameOf(IDisk disk, string directory)
    {
        using IDiskFile? current = disk.TryOpen($"{directory}/{RocksFiles.Current}", DiskAccess.Read);
        if (current is null) return null;
        Span<byte> text = stackalloc byte[MaxCurrentBytes];
        text = text[..current.Read(0, text)];
        string name = Encoding.UTF8.GetString(text);
        if (name.EndsWith('\n') && RocksFiles.IsManifest(name[..^1])) return name[..^1];
        throw new HoldfastException(
            ErrorKind.Damage, $"{directory}/{RocksFiles.Current}: names no manifest", "restore the database from a restore point");
    }

    /// <summary>Reads a manifest.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="path">Its path, for messages too.</param>
    /// <param name="length">How much of it; null for all.</param>
    /// <exception cref="HoldfastException">Kind Damage: it is not whole. Kind Failed: it is of a version that this program does not know.</exception>
    public static RocksManifest Read(IDisk disk, string path, long? length = null)
    {
        using IDiskFile file = disk.TryOpen(path, DiskAccess.Read)
            ?? throw new HoldfastException(ErrorKind.Damage, $"{path}: is missing, CURRENT names it", "restore the database from a restore point");
        using var records = new RecordReader(file, length ?? file.Length, number: 0);
        var state = new ManifestState(path);
        while (records.TryRead(out ReadOnlySpan<byte> record)) state.Add(record);
        if (records.End == RecordEnd.Damaged || records.WholeBytes == 0)
        {
            throw new HoldfastException(
                ErrorKind.Damage, $"{path}: byte {records.DamageOffset}: a record fails its check", "restore the database from a restore point");
        }

        return state.ToManifest();
    }
}
