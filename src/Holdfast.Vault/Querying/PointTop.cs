using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Querying;

/// <summary>What a path of a restore point leads to.</summary>
/// <param name="Path">The path as lists show it.</param>
/// <param name="Entry">The entry; null for what only leads to roots.</param>
internal readonly record struct PointPlace(byte[] Path, TreeEntry? Entry);

/// <summary>The top of a restore point, where its paths begin.</summary>
/// <param name="IsSingle">Whether paths are relative to the only root; otherwise they are absolute.</param>
/// <param name="Directory">The only root where it is a directory: the top is its content.</param>
/// <param name="Roots">Otherwise the entries at the top, named as paths show them, in order.</param>
internal sealed record PointTop(bool IsSingle, TreeEntry? Directory, List<TreeEntry> Roots)
{
    /// <summary>The path of the top itself.</summary>
    public byte[] Path => IsSingle ? [] : "/"u8.ToArray();

    public static async Task<PointTop> ReadAsync(OpenVault vault, RestorePoint point, CancellationToken cancellationToken)
    {
        List<TreeEntry> roots = await vault.Trees.ReadRootsAsync(point, cancellationToken).ConfigureAwait(false);
        if (point.Roots.Count != 1) return new PointTop(IsSingle: false, null, roots);
        if (roots is [{ IsDirectory: true } directory]) return new PointTop(IsSingle: true, directory, []);
        return new PointTop(IsSingle: true, null, roots.ConvertAll(static root => root.Named(BytePath.FileName(root.Name))));
    }

    /// <summary>Finds a path. Reads the directories on the way and nothing else.</summary>
    public async Task<PointPlace?> FindAsync(TreeReader trees, ReadOnlyMemory<byte> path, CancellationToken cancellationToken)
    {
        byte[] normal = BytePath.Normalize(BytePath.Join("/"u8, path.Span));
        if (normal.Length == 1) return new PointPlace(Path, Directory);
        if (Directory is not null)
        {
            PointPlace? found = await BelowAsync(trees, Directory, [], normal, cancellationToken).ConfigureAwait(false);
            // Relative first: only what the root does not have is looked for where it lay on the machine.
            bool mayBeAbsolute = found is null && path.Span[0] == (byte)'/' && BytePath.IsWithin(normal, Directory.Name);
            return mayBeAbsolute
                ? await BelowAsync(trees, Directory, [], normal.AsMemory(Directory.Name.Length), cancellationToken).ConfigureAwait(false)
                : found;
        }

        foreach (TreeEntry root in Roots)
        {
            byte[] rootPath = IsSingle ? BytePath.Join("/"u8, root.Name) : root.Name;
            if (!BytePath.IsWithin(normal, rootPath)) continue;
            return await BelowAsync(trees, root, root.Name, normal.AsMemory(rootPath.Length), cancellationToken).ConfigureAwait(false);
        }

        return RootsWithin(normal).Count > 0 ? new PointPlace(normal, null) : null;
    }

    /// <summary>The roots beneath a directory that only leads to them.</summary>
    public List<TreeEntry> RootsWithin(byte[] path) =>
        IsSingle && path.Length == 0 ? Roots : Roots.FindAll(root => BytePath.IsWithin(root.Name, path));

    /// <summary>The top as a node whose children's paths are as lists show them.</summary>
    public TreeNode ToNode() => Directory is not null ? new TreeNode(Directory) : TreeNode.TopOf(TreeNode.ListOf(Roots));

    /// <summary>The top as it is restored: of several roots each below the target by the names of its absolute path.</summary>
    public TreeNode ToRestoredNode() => IsSingle ? ToNode() : TreeNode.LeadTo(Roots);

    /// <summary>The top "/" of a tree that leads to the roots by their absolute paths.</summary>
    public TreeNode ToAbsoluteNode(RestorePoint point)
    {
        if (!IsSingle) return TreeNode.LeadTo(Roots);
        byte[] rootPath = point.Roots[0].ToArray();
        return TreeNode.LeadTo(Directory is not null ? [Directory] : Roots.Select(root => root.Named(rootPath)));
    }

    private static async Task<PointPlace?> BelowAsync(
        TreeReader trees, TreeEntry start, byte[] startPath, ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        TreeEntry entry = start;
        byte[] path = startPath;
        foreach (byte[] name in BytePath.Split(rest.Span))
        {
            if (!entry.IsDirectory) return null;
            List<TreeEntry> entries = await trees.ReadDirectoryAsync(entry.Content!, isPointRoot: false, cancellationToken).ConfigureAwait(false);
            if (Search(entries, name) is not { } next) return null;
            entry = next;
            path = BytePath.Join(path, name);
        }

        return new PointPlace(path, entry);
    }

    private static TreeEntry? Search(List<TreeEntry> entries, byte[] name)
    {
        int low = 0, high = entries.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = entries[middle].Name.AsSpan().SequenceCompareTo(name);
            if (order == 0) return entries[middle];
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return null;
    }
}
