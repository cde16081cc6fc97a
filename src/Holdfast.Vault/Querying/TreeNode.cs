using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Querying;

/// <summary>An entry, or a directory that only leads to roots, or nothing.</summary>
internal readonly struct TreeNode
{
    private readonly TreeNode[]? implied;

    public TreeNode(TreeEntry entry)
    {
        Name = entry.Name;
        Entry = entry;
    }

    private TreeNode(byte[] name, TreeNode[] implied)
    {
        Name = name;
        this.implied = implied;
    }

    /// <summary>The last name of its path; null for nothing.</summary>
    public byte[]? Name { get; }

    /// <summary>Null for nothing and for what only leads to roots.</summary>
    public TreeEntry? Entry { get; }

    public bool Exists => Name is not null;

    public bool IsDirectory => Exists && (Entry is null || Entry.IsDirectory);

    public static TreeNode[] ListOf(List<TreeEntry> entries)
    {
        var nodes = new TreeNode[entries.Count];
        for (int i = 0; i < nodes.Length; i++) nodes[i] = new TreeNode(entries[i]);
        return nodes;
    }

    /// <summary>A top without an entry of its own.</summary>
    public static TreeNode TopOf(TreeNode[] children) => new([], children);

    /// <summary>The top of a tree that leads to each root by the names of its absolute path.</summary>
    /// <param name="roots">In the order of their paths' bytes, none inside another.</param>
    public static TreeNode LeadTo(IEnumerable<TreeEntry> roots)
    {
        var top = new Lead();
        foreach (TreeEntry root in roots)
        {
            Lead at = top;
            foreach (byte[] name in BytePath.Split(root.Name)) at = at.Next(name);
            at.Entry = root;
        }

        return top.ToNode([]);
    }

    /// <summary>What lies in it, in the order of names; nothing for what is no directory.</summary>
    public async ValueTask<TreeNode[]> ReadChildrenAsync(TreeReader trees, CancellationToken cancellationToken)
    {
        if (!IsDirectory) return [];
        if (Entry is null) return implied!;
        return ListOf(await trees.ReadDirectoryAsync(Entry.Content!, isPointRoot: false, cancellationToken).ConfigureAwait(false));
    }

    private sealed class Lead
    {
        private static readonly Comparer<byte[]> ByBytes = Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        private readonly SortedDictionary<byte[], Lead> children = new(ByBytes);

        public TreeEntry? Entry { get; set; }

        public Lead Next(byte[] name)
        {
            if (!children.TryGetValue(name, out Lead? next)) children.Add(name, next = new Lead());
            return next;
        }

        public TreeNode ToNode(byte[] name) => Entry is not null
            ? new TreeNode(Entry.Named(name))
            : new TreeNode(name, [.. children.Select(static child => child.Value.ToNode(child.Key))]);
    }
}
