using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Changing attributes.</summary>
public sealed unsafe partial class DirectoryTree
{
    /// <inheritdoc/>
    /// <remarks>A symlink's mode cannot be changed and is left out. When a step fails, earlier ones stay
    /// done.</remarks>
    public ValueTask<Result<Mutation>> SetAttributesAsync(Caller caller, NodeId node, AttributeChanges changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        return new(SetAttributes(caller, node, changes));
    }

    private Result<Mutation> SetAttributes(Caller caller, NodeId id, AttributeChanges changes)
    {
        if (changes.Size < 0 || !IsValid(changes.AccessTime) || !IsValid(changes.ModifyTime)) return Errno.Invalid;
        Errno error = nodes.Acquire(id, out TreeNode node, out Descriptor descriptor);
        if (error != Errno.None) return error;
        using (descriptor)
        {
            if (changes.Size != null) error = ErrorUnlessRegular(node.Kind);
            if (error != Errno.None) return error == Errno.Loop ? Errno.Invalid : error;
            lock (ChangeLockOf(node))
            {
                error = ReadBefore(caller, descriptor, out Statx before);
                if (error == Errno.None) error = Apply(node, descriptor, changes);
                return error == Errno.None ? MutationSince(caller, in before, descriptor) : error;
            }
        }
    }

    private Errno Apply(TreeNode node, Descriptor descriptor, AttributeChanges changes)
    {
        const uint unchanged = uint.MaxValue;
        Errno error = Errno.None;
        if (changes.Uid != null || changes.Gid != null)
        {
            error = ChangeOwner(descriptor, changes.Uid ?? unchanged, changes.Gid ?? unchanged);
        }

        if (error == Errno.None && changes.Mode is uint mode && node.Kind != NodeKind.Symlink)
        {
            error = ChangeMode(descriptor, mode & ModeBits.Permissions);
        }

        if (error == Errno.None && changes.Size is long size) error = ChangeSize(node, descriptor, size);
        if (error == Errno.None && (changes.AccessTime != null || changes.ModifyTime != null))
        {
            error = SetTimes(descriptor, changes.AccessTime, changes.ModifyTime);
        }

        return error;
    }

    private static bool IsValid(UnixTime? time) => time is not { Nanoseconds: < 0 or > 999_999_999 };

    private static Errno ChangeOwner(Descriptor node, uint uid, uint gid)
    {
        byte empty = 0;
        return LibC.ChangeOwnerAt(node.Number, &empty, uid, gid, At.EmptyPath) == 0 ? Errno.None : LibC.LastError;
    }

    private static Errno ChangeMode(Descriptor node, uint mode)
    {
        byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
        EntryName.WriteDescriptorPath(node.Number, path);
        int outcome = node.IsPath ? LibC.ChangeMode(path, mode) : LibC.ChangeOpenMode(node.Number, mode);
        return outcome == 0 ? Errno.None : LibC.LastError;
    }

    /// <summary>Through an open file where there is one: its right to write does not depend on the mode now.</summary>
    private Errno ChangeSize(TreeNode node, Descriptor descriptor, long size)
    {
        using Descriptor? writable = nodes.TryAcquireWritable(node);
        byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
        EntryName.WriteDescriptorPath(descriptor.Number, path);
        while ((writable != null ? LibC.TruncateOpen(writable.Number, size) : LibC.Truncate(path, size)) != 0)
        {
            Errno error = LibC.LastError;
            if (error != Errno.Interrupted) return error;
        }

        return Errno.None;
    }

    private static Errno SetTimes(Descriptor node, UnixTime? access, UnixTime? modify)
    {
        TimeSpec* times = stackalloc TimeSpec[2] { TimeSpec.From(access), TimeSpec.From(modify) };
        byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
        EntryName.WriteDescriptorPath(node.Number, path);
        int outcome = node.IsPath
            ? LibC.SetTimesAt(At.CurrentDirectory, path, times, 0)
            : LibC.SetOpenTimes(node.Number, times);
        return outcome == 0 ? Errno.None : LibC.LastError;
    }
}
