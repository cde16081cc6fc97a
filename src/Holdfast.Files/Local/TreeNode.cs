namespace Holdfast.Files.Local;

/// <summary>A node that somebody references, or that a referenced node below it or an open file needs.</summary>
/// <remarks>All fields that change are guarded by the table's lock.</remarks>
internal sealed class TreeNode(NodeId id, FileIdentity identity, UnixTime birth, NodeKind kind)
{
    public NodeId Id { get; } = id;
    public FileIdentity Identity { get; } = identity;
    public UnixTime Birth { get; } = birth;
    public NodeKind Kind { get; } = kind;

    /// <summary>Where it was last seen: the way to open it again. Null when that is not known, or no longer.</summary>
    public TreeNode? Parent;
    public byte[] Name = [];

    /// <summary>The other way to open it again: the kernel's handle, of nodes that were found by one.</summary>
    public byte[]? Handle;

    /// <summary>What the tree's users hold.</summary>
    public ulong References;

    /// <summary>
    /// What the table holds: one for each node whose parent this is, for each open file, and for the root.
    /// </summary>
    public int Holds;

    /// <summary>Nothing held it any more; no longer in the table.</summary>
    public bool Removed;

    /// <summary>
    /// Keeps the node from being replaced by another of its number. Null while it was closed to save descriptors.
    /// </summary>
    public Descriptor? Own;

    /// <summary>Open files of this node, linked by <see cref="OpenFile.NextOfNode"/>.</summary>
    public OpenFile? FirstOpen;

    /// <summary>Neighbours in the <see cref="RecentNodes"/>; <see cref="Older"/> also links removed nodes.</summary>
    public TreeNode? Newer, Older;
    public bool IsQueued;

    /// <summary>Whether some descriptor holds it.</summary>
    public bool IsHeld => Own != null || FirstOpen != null;

    /// <summary>Whether its descriptor may be closed to save descriptors.</summary>
    public bool CanReopen => Parent != null || Handle != null;
}

/// <summary>An open file.</summary>
internal sealed class OpenFile(OpenId id, TreeNode node, Descriptor descriptor)
{
    public OpenId Id { get; } = id;
    public TreeNode Node { get; } = node;
    public Descriptor Descriptor { get; } = descriptor;
    public OpenFile? NextOfNode;

    /// <summary>Whether its node has no other open file.</summary>
    public bool IsOnlyOfNode => Node.FirstOpen == this && NextOfNode == null;

    /// <summary>
    /// What the first failed sync answered. The kernel tells it once only and may have dropped the data: sticky.
    /// </summary>
    public volatile Errno CommitError;
}

/// <summary>Nodes whose descriptors may be closed, the longest unused last. Guarded by the table's lock.</summary>
internal sealed class RecentNodes
{
    private TreeNode? newest, oldest;

    public int Count { get; private set; }

    public void Add(TreeNode node)
    {
        node.IsQueued = true;
        node.Older = newest;
        node.Newer = null;
        if (newest != null) newest.Newer = node;
        newest = node;
        oldest ??= node;
        Count++;
    }

    public void Remove(TreeNode node)
    {
        if (!node.IsQueued) return;
        if (node.Newer != null) node.Newer.Older = node.Older;
        else newest = node.Older;
        if (node.Older != null) node.Older.Newer = node.Newer;
        else oldest = node.Newer;
        node.Newer = node.Older = null;
        node.IsQueued = false;
        Count--;
    }

    public void Touch(TreeNode node)
    {
        if (!node.IsQueued || node == newest) return;
        Remove(node);
        Add(node);
    }

    /// <summary>Takes the descriptor of the longest unused node.</summary>
    public Descriptor? TakeOldest()
    {
        if (oldest is not { } node) return null;
        Remove(node);
        Descriptor? taken = node.Own;
        node.Own = null;
        return taken;
    }
}
