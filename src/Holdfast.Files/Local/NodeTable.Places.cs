namespace Holdfast.Files.Local;

/// <summary>Descriptors of nodes, and the places (directory and name) from which they are opened again.</summary>
internal sealed partial class NodeTable
{
    /// <summary>A use of a descriptor of the node: of an open file's, if there is one, else of its own.</summary>
    public Errno Acquire(NodeId id, out TreeNode node, out Descriptor descriptor)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            descriptor = null!;
            if (!byId.TryGetValue(id.Value, out node!)) return Errno.Stale;
            if (TryUse(node) is { } held)
            {
                descriptor = held;
                return Errno.None;
            }
        }

        return Reopen(node, out descriptor);
    }

    /// <summary>The same for a node that the table has.</summary>
    public Errno Acquire(TreeNode node, out Descriptor descriptor)
    {
        lock (gate)
        {
            if (TryUse(node) is { } held)
            {
                descriptor = held;
                return Errno.None;
            }
        }

        return Reopen(node, out descriptor);
    }

    /// <summary>A use of a descriptor open for writing, or null.</summary>
    public Descriptor? TryAcquireWritable(TreeNode node)
    {
        lock (gate)
        {
            for (OpenFile? file = node.FirstOpen; file != null; file = file.NextOfNode)
            {
                if (file.Descriptor.IsWritable) return file.Descriptor.Use();
            }

            return null;
        }
    }

    /// <summary>The node with these attributes, if the table has it.</summary>
    public TreeNode? Find(in Statx status)
    {
        lock (gate) return TryFind(in status);
    }

    /// <summary>Records that a node of the table now has this name.</summary>
    public void Move(TreeNode node, TreeNode parent, ReadOnlySpan<byte> name)
    {
        TreeNode? removed = null;
        lock (gate) Place(node, parent, name, ref removed);
        DisposeAll(removed);
    }

    /// <summary>
    /// Records that a name is gone. A node that cannot be opened again now keeps <paramref name="held"/>.
    /// </summary>
    public void LoseName(TreeNode node, Descriptor held, TreeNode parent, ReadOnlySpan<byte> name)
    {
        TreeNode? removed = null;
        lock (gate)
        {
            if (node.Removed || isDisposed) return;
            if (node.Parent == parent && name.SequenceEqual(node.Name)) LeavePlace(node, ref removed);

            // It may have been the last name: a handle no longer leads to a node that nothing holds.
            node.Handle = null;
            if (node.CanReopen) return;
            recent.Remove(node);
            if (!node.IsHeld) node.Own = held.Use();
        }

        DisposeAll(removed);
    }

    private Descriptor? TryUse(TreeNode node)
    {
        if (node.Removed || isDisposed) return null;
        if (node.FirstOpen is { } file) return file.Descriptor.Use();
        if (node.Own is not { } own) return null;
        recent.Touch(node);
        return own.Use();
    }

    /// <summary>Gives a node a descriptor of its own.</summary>
    /// <returns>The descriptor of another that had to go for it, to be disposed outside the lock.</returns>
    private Descriptor? Adopt(TreeNode node, Descriptor descriptor)
    {
        node.Own = descriptor;
        if (node.CanReopen && node != Root) recent.Add(node);
        return recent.Count > capacity ? recent.TakeOldest() : null;
    }

    private void Place(TreeNode node, TreeNode? parent, ReadOnlySpan<byte> name, ref TreeNode? removed)
    {
        if (node == Root || node.Removed || parent is null or { Removed: true }) return;
        if (node.Parent == parent && name.SequenceEqual(node.Name)) return;

        parent.Holds++;
        node.Holds++;

        // Others may have moved directories so that what was known of an ancestor would now make a ring.
        for (TreeNode? ancestor = parent; ancestor != null; ancestor = ancestor.Parent)
        {
            if (ancestor.Parent != node) continue;
            LeavePlace(ancestor, ref removed);
            break;
        }

        LeavePlace(node, ref removed);
        node.Parent = parent;
        node.Name = name.ToArray();
        if (node.Own != null && !node.IsQueued) recent.Add(node);
        node.Holds--;
        Collect(node, ref removed);
    }

    private void LeavePlace(TreeNode node, ref TreeNode? removed)
    {
        if (node.Parent is not { } parent) return;
        node.Parent = null;
        if (!node.CanReopen) recent.Remove(node);
        parent.Holds--;
        Collect(parent, ref removed);
    }

    /// <summary>
    /// Opens a node, and what of its ancestors is needed for it, again; ESTALE when another is in its place.
    /// </summary>
    private Errno Reopen(TreeNode node, out Descriptor descriptor)
    {
        var closed = new Stack<TreeNode>();
        Descriptor? ancestor = null;
        lock (gate)
        {
            for (TreeNode? at = node; at != null && ancestor == null; at = at.Parent)
            {
                ancestor = TryUse(at);
                if (ancestor == null) closed.Push(at);
            }
        }

        while (closed.TryPop(out TreeNode? next))
        {
            Errno error = OpenAgain(next, ancestor, out Descriptor opened);
            ancestor?.Dispose();
            descriptor = opened;
            if (error != Errno.None) return error;
            ancestor = opened;
        }

        descriptor = ancestor!;
        return Errno.None;
    }

    private unsafe Errno OpenAgain(TreeNode node, Descriptor? parent, out Descriptor descriptor)
    {
        descriptor = null!;
        byte[] name, handle;
        lock (gate)
        {
            name = node.Name;
            handle = node.Handle ?? [];
        }

        int number = -1;
        if (parent != null)
        {
            byte* path = stackalloc byte[EntryName.BufferBytes];
            if (EntryName.Write(name, EntryName.MaxBytes, path) != Errno.None) return Errno.Stale;
            number = LibC.OpenAt(parent.Number, path, OpenFlags.NodeOnly, 0);
        }
        else if (handle.Length > 0 && Mount is { } mount)
        {
            number = KernelHandle.Open(mount, handle);
        }

        if (number < 0) return Errno.Stale;
        var opened = new Descriptor(number, isPath: true);
        if (opened.ReadStatus(out Statx status) != Errno.None
            || status.Identity != node.Identity || BirthOf(in status) != node.Birth)
        {
            opened.Dispose();
            return Errno.Stale;
        }

        Descriptor? surplus = null;
        lock (gate)
        {
            if (node.Own == null && !node.Removed && !isDisposed) surplus = Adopt(node, opened.Use());
        }

        surplus?.Dispose();
        descriptor = opened;
        return Errno.None;
    }

    /// <summary>Opens the node of an open file as a node only.</summary>
    private static unsafe Descriptor? TryOpenNode(Descriptor file)
    {
        byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
        EntryName.WriteDescriptorPath(file.Number, path);
        int number = LibC.OpenAt(At.CurrentDirectory, path, OpenFlags.Path | OpenFlags.CloseOnExec, 0);
        return number < 0 ? null : new Descriptor(number, isPath: true);
    }
}
