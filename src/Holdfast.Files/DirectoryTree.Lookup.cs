using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Finding nodes and what is known of them.</summary>
public sealed unsafe partial class DirectoryTree
{
    /// <inheritdoc/>
    public ValueTask<Result<Node>> LookupAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) =>
        new(name.Span.SequenceEqual(".."u8) ? LookupParent(directory) : Lookup(directory, name.Span));

    /// <inheritdoc/>
    public ValueTask<Result<NodeAttributes>> GetAttributesAsync(Caller caller, NodeId node) => new(GetAttributes(node));

    /// <inheritdoc/>
    public ValueTask<Result<ReadOnlyMemory<byte>>> ReadLinkAsync(Caller caller, NodeId node) => new(ReadLink(node));

    /// <inheritdoc/>
    public ValueTask<Result<FileSystemSpace>> GetSpaceAsync(Caller caller, NodeId node) => new(GetSpace(node));

    private Result<Node> Lookup(NodeId directory, ReadOnlySpan<byte> name)
    {
        byte* path = stackalloc byte[EntryName.BufferBytes];
        Errno error = WriteName(name, path);
        if (error != Errno.None) return error;
        error = nodes.Acquire(directory, out TreeNode parent, out Descriptor at);
        if (error != Errno.None) return error;
        using (at) return RegisterEntry(parent, at, name, path);
    }

    /// <summary>Opens an entry as a node and adds a reference to it.</summary>
    private Result<Node> RegisterEntry(TreeNode parent, Descriptor at, ReadOnlySpan<byte> name, byte* path)
    {
        int number = LibC.OpenAt(at.Number, path, OpenFlags.NodeOnly, 0);
        if (number < 0) return LibC.LastError;
        var descriptor = new Descriptor(number, isPath: true);
        Errno error = descriptor.ReadStatus(out Statx status);
        if (error != Errno.None)
        {
            descriptor.Dispose();
            return error;
        }

        return new Node(nodes.Register(parent, name, descriptor, in status), status.ToAttributes());
    }

    private Result<Node> LookupParent(NodeId directory)
    {
        Errno error = nodes.Acquire(directory, out TreeNode node, out Descriptor at);
        if (error != Errno.None) return error;
        using (at)
        {
            if (node.Kind != NodeKind.Directory) return Errno.NotDirectory;
            Result<Descriptor> opened = node == nodes.Root ? at.Use() : OpenParent(at);
            if (!opened.TryGetValue(out Descriptor? above)) return opened.Error;
            error = above.ReadStatus(out Statx status);
            if (error == Errno.None && !IsInside(above, in status)) error = Errno.Stale;
            if (error != Errno.None)
            {
                above.Dispose();
                return error;
            }

            return new Node(nodes.Register(null, default, above, in status), status.ToAttributes());
        }
    }

    private static Result<Descriptor> OpenParent(Descriptor directory)
    {
        byte* dots = stackalloc byte[3] { (byte)'.', (byte)'.', 0 };
        int number = LibC.OpenAt(directory.Number, dots, OpenFlags.NodeOnly | OpenFlags.Directory, 0);
        return number < 0 ? LibC.LastError : new Descriptor(number, isPath: true);
    }

    /// <summary>Whether the way up from a directory meets the root: others may have moved it out of the tree.</summary>
    private bool IsInside(Descriptor directory, in Statx status)
    {
        FileIdentity identity = status.Identity;
        Descriptor at = directory.Use();
        try
        {
            while (identity != nodes.Root.Identity)
            {
                if (!OpenParent(at).TryGetValue(out Descriptor? above)) return false;
                at.Dispose();
                at = above;
                if (at.ReadStatus(out Statx statusAbove) != Errno.None) return false;
                if (statusAbove.Identity == identity) return false;
                identity = statusAbove.Identity;
            }

            return true;
        }
        finally
        {
            at.Dispose();
        }
    }

    private Result<NodeAttributes> GetAttributes(NodeId id)
    {
        Errno error = nodes.Acquire(id, out _, out Descriptor node);
        if (error != Errno.None) return error;
        using (node)
        {
            error = node.ReadStatus(out Statx status);
            return error == Errno.None ? status.ToAttributes() : error;
        }
    }

    private Result<ReadOnlyMemory<byte>> ReadLink(NodeId id)
    {
        Errno error = nodes.Acquire(id, out TreeNode node, out Descriptor descriptor);
        if (error != Errno.None) return error;
        using (descriptor)
        {
            if (node.Kind != NodeKind.Symlink) return Errno.Invalid;
            using NativeBuffers.Rented buffer = buffers.Rent();
            byte empty = 0;
            nint length = LibC.ReadLinkAt(descriptor.Number, &empty, buffer.Pointer, NativeBuffers.Bytes);
            if (length < 0) return LibC.LastError;
            return (ReadOnlyMemory<byte>)new ReadOnlySpan<byte>(buffer.Pointer, (int)length).ToArray();
        }
    }

    private Result<FileSystemSpace> GetSpace(NodeId id)
    {
        Errno error = nodes.Acquire(id, out _, out Descriptor node);
        if (error != Errno.None) return error;
        using (node)
        {
            StatVfs status;
            if (LibC.StatVfs(node.Number, &status) != 0) return LibC.LastError;
            long unit = (long)status.FragmentBytes;
            return new FileSystemSpace(
                TotalBytes: (long)status.Blocks * unit,
                FreeBytes: (long)status.FreeBlocks * unit,
                AvailableBytes: (long)status.AvailableBlocks * unit,
                TotalNodes: (long)status.Files,
                FreeNodes: (long)status.FreeFiles,
                BlockBytes: (int)status.BlockBytes);
        }
    }
}
