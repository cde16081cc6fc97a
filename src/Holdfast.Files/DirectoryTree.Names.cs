using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Links, removals and renames. The table is told what became of the names by which it knows nodes.</summary>
public sealed unsafe partial class DirectoryTree
{
    /// <inheritdoc/>
    public ValueTask<Result<TwoDirectoryMutation>> LinkAsync(
        Caller caller, NodeId node, NodeId directory, ReadOnlyMemory<byte> name) =>
        new(Link(caller, node, directory, name.Span));

    /// <inheritdoc/>
    public ValueTask<Result<Mutation>> UnlinkAsync(Caller caller, NodeId directory, ReadOnlyMemory<byte> name) =>
        new(Remove(caller, directory, name.Span, flags: 0));

    /// <inheritdoc/>
    public ValueTask<Result<Mutation>> RemoveDirectoryAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name) =>
        new(Remove(caller, directory, name.Span, At.RemoveDirectory));

    /// <inheritdoc/>
    public ValueTask<Result<TwoDirectoryMutation>> RenameAsync(
        Caller caller, NodeId fromDirectory, ReadOnlyMemory<byte> fromName, NodeId toDirectory,
        ReadOnlyMemory<byte> toName, RenameMode mode) =>
        new(Rename(caller, fromDirectory, fromName.Span, toDirectory, toName.Span, mode));

    private Result<TwoDirectoryMutation> Link(Caller caller, NodeId id, NodeId directory, ReadOnlySpan<byte> name)
    {
        byte* to = stackalloc byte[EntryName.BufferBytes];
        Errno error = WriteName(name, to);
        if (error != Errno.None) return error;
        error = nodes.Acquire(id, out TreeNode node, out Descriptor linked);
        if (error != Errno.None) return error;
        using (linked)
        {
            if (node.Kind == NodeKind.Directory) return Errno.NotPermitted;
            error = nodes.Acquire(directory, out TreeNode parent, out Descriptor at);
            if (error != Errno.None) return error;
            using (at)
            {
                (Lock first, Lock second) = ChangeLocksOf(node, parent);
                lock (first)
                {
                    lock (second)
                    {
                        error = ReadBefore(caller, linked, out Statx before);
                        if (error != Errno.None) return error;
                        error = ReadBefore(caller, at, out Statx directoryBefore);
                        if (error != Errno.None) return error;
                        byte* from = stackalloc byte[EntryName.DescriptorPathBytes];
                        EntryName.WriteDescriptorPath(linked.Number, from);
                        int outcome = LibC.LinkAt(At.CurrentDirectory, from, at.Number, to, At.Follow);
                        if (outcome != 0) return LibC.LastError;
                        return new TwoDirectoryMutation(
                            MutationSince(caller, in before, linked), MutationSince(caller, in directoryBefore, at));
                    }
                }
            }
        }
    }

    private Result<Mutation> Remove(Caller caller, NodeId directory, ReadOnlySpan<byte> name, int flags)
    {
        byte* path = stackalloc byte[EntryName.BufferBytes];
        Errno error = WriteName(name, path);
        if (error != Errno.None) return error;
        error = nodes.Acquire(directory, out TreeNode parent, out Descriptor at);
        if (error != Errno.None) return error;
        using (at)
        {
            lock (ChangeLockOf(parent))
            {
                error = ReadBefore(caller, at, out Statx before);
                if (error != Errno.None) return error;
                using Held target = FindHeld(at, path);
                if (LibC.UnlinkAt(at.Number, path, flags) != 0) return LibC.LastError;
                if (target.Node != null) nodes.LoseName(target.Node, target.Descriptor!, parent, name);
                return MutationSince(caller, in before, at);
            }
        }
    }

    private Result<TwoDirectoryMutation> Rename(
        Caller caller, NodeId fromDirectory, ReadOnlySpan<byte> fromName, NodeId toDirectory, ReadOnlySpan<byte> toName,
        RenameMode mode)
    {
        if (mode is < RenameMode.Replace or > RenameMode.Exchange) return Errno.Invalid;
        byte* from = stackalloc byte[EntryName.BufferBytes], to = stackalloc byte[EntryName.BufferBytes];
        Errno error = WriteName(fromName, from);
        if (error == Errno.None) error = WriteName(toName, to);
        if (error != Errno.None) return error;
        error = nodes.Acquire(fromDirectory, out TreeNode fromParent, out Descriptor fromAt);
        if (error != Errno.None) return error;
        using (fromAt)
        {
            error = nodes.Acquire(toDirectory, out TreeNode toParent, out Descriptor toAt);
            if (error != Errno.None) return error;
            using (toAt)
            {
                (Lock first, Lock second) = ChangeLocksOf(fromParent, toParent);
                lock (first)
                {
                    lock (second)
                    {
                        error = ReadBefore(caller, fromAt, out Statx fromBefore);
                        if (error != Errno.None) return error;
                        error = ReadBefore(caller, toAt, out Statx toBefore);
                        if (error != Errno.None) return error;
                        using Held moved = FindHeld(fromAt, from), displaced = FindHeld(toAt, to);
                        if (LibC.RenameAt(fromAt.Number, from, toAt.Number, to, (uint)mode) != 0) return LibC.LastError;
                        NoteRename(moved, fromParent, fromName, displaced, toParent, toName, mode);
                        return new TwoDirectoryMutation(
                            MutationSince(caller, in fromBefore, fromAt), MutationSince(caller, in toBefore, toAt));
                    }
                }
            }
        }
    }

    private void NoteRename(
        in Held moved, TreeNode fromParent, ReadOnlySpan<byte> fromName,
        in Held displaced, TreeNode toParent, ReadOnlySpan<byte> toName, RenameMode mode)
    {
        // Renaming one name of a node over another of its names does nothing at all.
        if (moved.Identity == displaced.Identity) return;
        if (displaced.Node != null)
        {
            nodes.LoseName(displaced.Node, displaced.Descriptor!, toParent, toName);
            if (mode == RenameMode.Exchange) nodes.Move(displaced.Node, fromParent, fromName);
        }

        if (moved.Node != null) nodes.Move(moved.Node, toParent, toName);
    }

    /// <summary>
    /// The node of an entry whose name is about to go, if the table has it, with a descriptor that keeps it.
    /// </summary>
    private Held FindHeld(Descriptor at, byte* path)
    {
        Statx status;
        const int flags = At.NoFollow | At.NoAutomount;
        if (LibC.Statx(at.Number, path, flags, Statx.BasicStatsAndBirth, &status) != 0) return default;
        if (nodes.Find(in status) is not { } node) return new Held(status.Identity, null, null);
        return nodes.Acquire(node, out Descriptor descriptor) == Errno.None
            ? new Held(status.Identity, node, descriptor)
            : new Held(status.Identity, null, null);
    }

    private readonly struct Held(FileIdentity identity, TreeNode? node, Descriptor? descriptor) : IDisposable
    {
        public FileIdentity Identity { get; } = identity;
        public TreeNode? Node { get; } = node;
        public Descriptor? Descriptor { get; } = descriptor;

        public void Dispose() => Descriptor?.Dispose();
    }
}
