using Holdfast.Files;

namespace Holdfast.Vault.Exporting;

/// <summary>Tells which paths of an export are roots of its point.</summary>
internal sealed class ImportedRoots
{
    private readonly Dictionary<string, byte[]> roots = new(StringComparer.Ordinal);

    public ImportedRoots(PointRecord record)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> paths = record.Point.Roots;
        foreach (ReadOnlyMemory<byte> root in paths)
        {
            byte[] path = root.ToArray();
            // One root lies in the directory that is applied to, or is it; several lie there by their absolute paths.
            byte[] place = paths.Count > 1 ? path.AsSpan(1).ToArray() : record.IsDirectory ? [] : BytePath.FileName(path).ToArray();
            roots.TryAdd(ExportSurvey.Key(place), path);
        }
    }

    /// <summary>The absolute path of the root that lies at a path; null for none.</summary>
    public byte[]? NameOf(byte[] path) => roots.GetValueOrDefault(ExportSurvey.Key(path));
}
