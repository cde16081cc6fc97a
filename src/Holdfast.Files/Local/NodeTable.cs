using System.Diagnostics.CodeAnalysis;

namespace Holdfast.Files.Local;

/// <summary>The nodes of a tree that are referenced, and its open files.</summary>
/// <remarks>
/// <para>Invariants, under <see cref="gate"/>: a node is in <see cref="byId"/> while it has references or holds; the
/// node of a number is in <see cref="byIdentity"/>; a node that cannot be opened again (no known name, no handle) keeps
/// its descriptor; of the others at most <c>capacity</c> have one.</para>
/// <para>No system call that may wait is made under the lock.</para>
/// </remarks>
internal sealed partial class NodeTable : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<ulong, TreeNode> byId = [];
    private readonly Dictionary<FileIdentity, TreeNode> byIdentity = [];
    private readonly Dictionary<ulong, OpenFile> openFiles = [];
    private readonly RecentNodes recent = new();
    private readonly int capacity;
    private readonly bool birthTells;
    private ulong lastId;
    private bool isDisposed;

    /// <summary>Makes a table.</summary>
    /// <param name="root">Open at the root; taken over.</param>
    /// <param name="status">The root's attributes.</param>
    /// <param name="capacity">How many nodes that can be opened again keep a descriptor.</param>
    /// <param name="birthTells">Whether a node's time of birth never changes.</param>
    public NodeTable(Descriptor root, in Statx status, int capacity, bool birthTells)
    {
        this.capacity = capacity;
        this.birthTells = birthTells;
        Root = Add(in status);
        Root.Own = root;
        Root.Holds = 1;
    }

    /// <summary>The top of the tree.</summary>
    public TreeNode Root { get; }

    /// <summary>Open at the file system's mount, for <see cref="KernelHandle"/>; null until handles are used.</summary>
    public Descriptor? Mount { get; set; }

    /// <summary>How many nodes there are.</summary>
    public int Count
    {
        get { lock (gate) return byId.Count; }
    }

    /// <summary>How many descriptors could be closed to save descriptors.</summary>
    public int ReopenableCount
    {
        get { lock (gate) return recent.Count; }
    }

    /// <summary>Adds a reference to a node, which is new or known.</summary>
    /// <param name="parent">The directory in which it was found; null when its place is not known.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="descriptor">Open at the node; taken over.</param>
    /// <param name="status">The node's attributes, read through <paramref name="descriptor"/>.</param>
    /// <param name="handle">The kernel's handle, if that is how it was found.</param>
    public NodeId Register(
        TreeNode? parent, ReadOnlySpan<byte> name, Descriptor descriptor, in Statx status, byte[]? handle = null)
    {
        TreeNode? removed = null;
        TreeNode node;
        Descriptor? surplus;
        lock (gate)
        {
            node = FindOrAdd(in status);
            node.References++;
            node.Handle ??= handle;
            Place(node, parent, name, ref removed);
            surplus = node.Own == null ? Adopt(node, descriptor) : descriptor;
        }

        surplus?.Dispose();
        DisposeAll(removed);
        return node.Id;
    }

    /// <summary>Adds a reference to the node of a file just opened, and the file.</summary>
    public (NodeId Node, OpenId File) RegisterOpen(
        TreeNode parent, ReadOnlySpan<byte> name, Descriptor descriptor, in Statx status)
    {
        TreeNode? removed = null;
        OpenFile file;
        lock (gate)
        {
            TreeNode node = FindOrAdd(in status);
            node.References++;
            Place(node, parent, name, ref removed);
            file = AddOpen(node, descriptor);
        }

        DisposeAll(removed);
        return (file.Node.Id, file.Id);
    }

    /// <summary>Adds an open file of a known node.</summary>
    public OpenId AddOpenFile(TreeNode node, Descriptor descriptor)
    {
        lock (gate) return AddOpen(node, descriptor).Id;
    }

    /// <summary>A use of an open file's descriptor.</summary>
    public Errno AcquireFile(OpenId id, [NotNullWhen(true)] out OpenFile? file)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (!openFiles.TryGetValue(id.Value, out file)) return Errno.BadFile;
            file.Descriptor.Use();
            return Errno.None;
        }
    }

    /// <summary>Ends an open file. Its node, while it is referenced, stays held.</summary>
    public void Close(OpenId id)
    {
        OpenFile? file;
        bool leavesNodeBare;
        lock (gate)
        {
            if (!openFiles.Remove(id.Value, out file)) return;
            leavesNodeBare = file.Node is { References: > 0, Own: null } && file.IsOnlyOfNode;
        }

        // A descriptor open for writing must not live on: the file could not be executed, nor be leased.
        Descriptor? heir = !leavesNodeBare ? null
            : file.Descriptor.IsWritable ? TryOpenNode(file.Descriptor)
            : file.Descriptor.Use();

        TreeNode? removed = null;
        Descriptor? surplus = heir;
        lock (gate)
        {
            TreeNode node = file.Node;
            RemoveOpen(file);
            if (heir != null && node is { Own: null, References: > 0 } && !isDisposed) surplus = Adopt(node, heir);
            node.Holds--;
            Collect(node, ref removed);
        }

        surplus?.Dispose();
        file.Descriptor.Dispose();
        DisposeAll(removed);
    }

    /// <summary>Gives references back.</summary>
    public void Forget(NodeId id, ulong count)
    {
        TreeNode? removed = null;
        lock (gate)
        {
            if (!byId.TryGetValue(id.Value, out TreeNode? node)) return;
            node.References -= Math.Min(node.References, count);
            Collect(node, ref removed);
        }

        DisposeAll(removed);
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed) return;
            isDisposed = true;
            foreach (OpenFile file in openFiles.Values) file.Descriptor.Dispose();
            foreach (TreeNode node in byId.Values) node.Own?.Dispose();
            Mount?.Dispose();
            openFiles.Clear();
            byId.Clear();
            byIdentity.Clear();
        }
    }

    private TreeNode FindOrAdd(in Statx status)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        return TryFind(in status) ?? Add(in status);
    }

    private TreeNode? TryFind(in Statx status)
    {
        if (!byIdentity.TryGetValue(status.Identity, out TreeNode? node)) return null;

        // While a descriptor holds the node, its number is not given to another. Otherwise the time of birth tells.
        return node.IsHeld || node.Birth == BirthOf(in status) ? node : null;
    }

    private UnixTime BirthOf(in Statx status) => birthTells ? status.Birth : default;

    private TreeNode Add(in Statx status)
    {
        var node = new TreeNode(new NodeId(++lastId), status.Identity, BirthOf(in status), status.Kind);
        byId.Add(node.Id.Value, node);
        byIdentity[node.Identity] = node;
        return node;
    }

    private OpenFile AddOpen(TreeNode node, Descriptor descriptor)
    {
        var file = new OpenFile(new OpenId(++lastId), node, descriptor) { NextOfNode = node.FirstOpen };
        node.FirstOpen = file;
        node.Holds++;
        openFiles.Add(file.Id.Value, file);
        return file;
    }

    private static void RemoveOpen(OpenFile file)
    {
        ref OpenFile? link = ref file.Node.FirstOpen;
        while (link != file) link = ref link!.NextOfNode;
        link = file.NextOfNode;
    }

    /// <summary>Takes the node, then its ancestors, out of the table as far as nothing needs them any more.</summary>
    /// <param name="node">The node.</param>
    /// <param name="removed">What was taken out, to be disposed outside the lock: closing a descriptor may free a
    /// file.</param>
    private void Collect(TreeNode? node, ref TreeNode? removed)
    {
        while (node is { References: 0, Holds: 0, Removed: false })
        {
            byId.Remove(node.Id.Value);
            if (byIdentity.TryGetValue(node.Identity, out TreeNode? current) && current == node)
            {
                byIdentity.Remove(node.Identity);
            }

            recent.Remove(node);
            node.Removed = true;
            node.Older = removed;
            removed = node;
            TreeNode? parent = node.Parent;
            node.Parent = null;
            if (parent != null) parent.Holds--;
            node = parent;
        }
    }

    private static void DisposeAll(TreeNode? removed)
    {
        for (TreeNode? node = removed; node != null; node = node.Older) node.Own?.Dispose();
    }
}
