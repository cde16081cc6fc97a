using System.Text;
using Holdfast.Files;

namespace Holdfast.Databases.Backup;

/// <summary>Attributes of a database's files where it lies. Not for several threads at once.</summary>
/// <param name="path">Absolute path of the database.</param>
/// <param name="isFile">Whether it is one file.</param>
internal sealed class DatabaseFacts(string path, bool isFile) : IDisposable
{
    private static readonly Caller Nobody = new() { Uid = 0, Gid = 0 };

    private readonly DirectoryTree? tree = Open(isFile ? Path.GetDirectoryName(path) ?? "/" : path);
    private readonly Dictionary<string, NodeAttributes> attributes = new(StringComparer.Ordinal);

    /// <summary>Looks them up.</summary>
    public async Task ReadAsync()
    {
        if (tree is null) return;
        if (isFile)
        {
            byte[] name = Encoding.UTF8.GetBytes(Path.GetFileName(path));
            Result<Node> node = await tree.LookupAsync(Nobody, tree.Root, name).ConfigureAwait(false);
            if (!node.Ok) return;
            tree.Forget(node.Value.Id, 1);
            attributes[Path.GetFileName(path)] = node.Value.Attributes;
            return;
        }

        Result<NodeAttributes> root = await tree.GetAttributesAsync(Nobody, tree.Root).ConfigureAwait(false);
        if (root.Ok) attributes[""] = root.Value;
        var scan = new DirectoryScan();
        _ = await tree.ScanAsync(Nobody, tree.Root, scan).ConfigureAwait(false);
        for (int i = 0; i < scan.Count; i++)
        {
            if (scan.ErrorOf(i) == Errno.None) attributes[Encoding.UTF8.GetString(scan.NameOf(i).Span)] = scan.AttributesOf(i);
        }
    }

    /// <summary>Those of a file; of the directory for an empty name; null when it is not there.</summary>
    public NodeAttributes? Find(ReadOnlyMemory<byte> name) =>
        attributes.TryGetValue(Encoding.UTF8.GetString(name.Span), out NodeAttributes found) ? found : null;

    public void Dispose() => tree?.Dispose();

    private static DirectoryTree? Open(string directory)
    {
        Result<DirectoryTree> opened = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(directory));
        return opened.Ok ? opened.Value : null;
    }
}
