using Holdfast.Files;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// Files that get further names, and the numbers by which a tree says that names are of one file. An export has no inode numbers: what it
/// makes is counted, on a device of its own, so that none is taken for one of the base. For one thread at a time.
/// </summary>
internal sealed class ImportedLinks(ExportSurvey survey, ulong device, TreeReader trees, PointTop? baseTop)
{
    private readonly Dictionary<string, TreeEntry> known = new(StringComparer.Ordinal);
    private ulong lastInode;

    /// <summary>Gives an entry that is made the numbers of a file of its own, or those that names before it have already.</summary>
    public void Number(byte[] path, TreeEntry entry)
    {
        bool isLinked = survey.IsLinked(path);
        if (isLinked && known.TryGetValue(ExportSurvey.Key(path), out TreeEntry? before) && before != entry)
        {
            entry.Attributes = With(entry.Attributes, before.Attributes, linkCount: 2);
            entry.Content = before.Content;
        }
        else
        {
            entry.Attributes = entry.Attributes with { Device = device, Inode = ++lastInode, LinkCount = isLinked ? 2u : 1u };
        }

        if (isLinked) known[ExportSurvey.Key(path)] = entry;
    }

    /// <summary>An entry that stays; another one that says so, where it gets further names and had none.</summary>
    public TreeEntry Keep(byte[] path, TreeEntry entry)
    {
        if (!survey.IsLinked(path) || entry.IsDirectory) return entry;
        TreeEntry kept = entry;
        if (!entry.IsHardLinked)
        {
            kept = entry.Named(entry.Name);
            kept.Attributes = entry.Attributes with { LinkCount = 2 };
        }

        known[ExportSurvey.Key(path)] = kept;
        return kept;
    }

    /// <summary>Makes an entry a further name of the file at a path.</summary>
    public async ValueTask LinkAsync(TreeEntry entry, byte[] path, CancellationToken cancellationToken)
    {
        string key = ExportSurvey.Key(path);
        if (!known.TryGetValue(key, out TreeEntry? file))
        {
            file = await FindLaterAsync(path, entry, cancellationToken).ConfigureAwait(false);
            known[key] = file;
        }

        if (file.Attributes.Kind != entry.Attributes.Kind || (file.Attributes.Kind == NodeKind.Regular && file.Content is null))
        {
            throw survey.Malformed($"{BytePath.Display(path)}: is no file that could have further names");
        }

        entry.Attributes = With(entry.Attributes, file.Attributes, linkCount: 2);
        entry.Attributes.Size = file.Attributes.Size;
        entry.Content = file.Content;
    }

    private static NodeAttributes With(NodeAttributes attributes, in NodeAttributes file, uint linkCount) =>
        attributes with { Device = file.Device, Inode = file.Inode, LinkCount = linkCount };

    /// <summary>A file that comes behind its names: one that is made, or one that stays.</summary>
    private async ValueTask<TreeEntry> FindLaterAsync(byte[] path, TreeEntry name, CancellationToken cancellationToken)
    {
        if (survey.IsMadeLater(path))
        {
            var made = name.Named(BytePath.FileName(path));
            made.Attributes = made.Attributes with { Device = device, Inode = ++lastInode, LinkCount = 2 };
            return made;
        }

        TreeEntry? file = baseTop is null ? null : (await baseTop.FindAsync(trees, path, cancellationToken).ConfigureAwait(false))?.Entry;
        if (file is null) throw survey.Malformed($"{BytePath.Display(path)}: is to have further names, but is not there");
        return file;
    }
}
