using System.Runtime.InteropServices;
using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Extended attributes. An open file's are reached through it, others' through /proc/self/fd.</summary>
public sealed unsafe partial class DirectoryTree
{
    private static readonly IReadOnlyList<ReadOnlyMemory<byte>> NoXattrs = [];

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>>> ListXattrsAsync(Caller caller, NodeId node) =>
        new(ListXattrs(node));

    /// <inheritdoc/>
    public ValueTask<Result<ReadOnlyMemory<byte>>> GetXattrAsync(
        Caller caller, NodeId node, ReadOnlyMemory<byte> name) => new(GetXattr(node, name.Span));

    /// <inheritdoc/>
    public ValueTask<Result<Mutation>> SetXattrAsync(
        Caller caller, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, XattrMode mode) =>
        new(SetXattr(caller, node, name.Span, value.Span, mode));

    /// <inheritdoc/>
    public ValueTask<Result<Mutation>> RemoveXattrAsync(Caller caller, NodeId node, ReadOnlyMemory<byte> name) =>
        new(RemoveXattr(caller, node, name.Span));

    private Result<IReadOnlyList<ReadOnlyMemory<byte>>> ListXattrs(NodeId id)
    {
        Errno error = nodes.Acquire(id, out _, out Descriptor node);
        if (error != Errno.None) return error;
        using (node)
        {
            using NativeBuffers.Rented buffer = buffers.Rent();
            byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
            EntryName.WriteDescriptorPath(node.Number, path);
            nint length = node.IsPath
                ? LibC.ListXattrs(path, buffer.Pointer, NativeBuffers.Bytes)
                : LibC.ListOpenXattrs(node.Number, buffer.Pointer, NativeBuffers.Bytes);
            if (length < 0 && LibC.LastError is var failed)
            {
                // A file system that supports none has none.
                return failed == Errno.NotSupported ? Result.From(NoXattrs) : failed;
            }

            return Result.From(SplitNames(new ReadOnlySpan<byte>(buffer.Pointer, (int)length)));
        }
    }

    private static IReadOnlyList<ReadOnlyMemory<byte>> SplitNames(ReadOnlySpan<byte> list)
    {
        if (list.IsEmpty) return NoXattrs;
        byte[] copy = list.ToArray();
        var names = new List<ReadOnlyMemory<byte>>();
        for (int start = 0; start < copy.Length;)
        {
            int length = copy.AsSpan(start).IndexOf((byte)0);
            if (length < 0) length = copy.Length - start;
            names.Add(copy.AsMemory(start, length));
            start += length + 1;
        }

        return names;
    }

    private Result<ReadOnlyMemory<byte>> GetXattr(NodeId id, ReadOnlySpan<byte> name)
    {
        byte* attribute = stackalloc byte[EntryName.BufferBytes];
        Errno error = EntryName.WriteXattr(name, attribute);
        if (error != Errno.None) return error;
        error = nodes.Acquire(id, out _, out Descriptor node);
        if (error != Errno.None) return error;
        using (node)
        {
            using NativeBuffers.Rented buffer = buffers.Rent();
            byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
            EntryName.WriteDescriptorPath(node.Number, path);
            nint length = node.IsPath
                ? LibC.GetXattr(path, attribute, buffer.Pointer, NativeBuffers.Bytes)
                : LibC.GetOpenXattr(node.Number, attribute, buffer.Pointer, NativeBuffers.Bytes);
            if (length < 0) return LibC.LastError;
            return (ReadOnlyMemory<byte>)new ReadOnlySpan<byte>(buffer.Pointer, (int)length).ToArray();
        }
    }

    private Result<Mutation> SetXattr(
        Caller caller, NodeId id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, XattrMode mode)
    {
        byte* attribute = stackalloc byte[EntryName.BufferBytes];
        Errno error = EntryName.WriteXattr(name, attribute);
        if (error != Errno.None) return error;
        error = nodes.Acquire(id, out TreeNode node, out Descriptor descriptor);
        if (error != Errno.None) return error;
        using (descriptor)
        {
            lock (ChangeLockOf(node))
            {
                error = ReadBefore(caller, descriptor, out Statx before);
                if (error != Errno.None) return error;
                byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
                EntryName.WriteDescriptorPath(descriptor.Number, path);
                fixed (byte* bytes = &MemoryMarshal.GetReference(value))
                {
                    int outcome = descriptor.IsPath
                        ? LibC.SetXattr(path, attribute, bytes, (nuint)value.Length, (int)mode)
                        : LibC.SetOpenXattr(descriptor.Number, attribute, bytes, (nuint)value.Length, (int)mode);
                    if (outcome != 0) return LibC.LastError;
                }

                return MutationSince(caller, in before, descriptor);
            }
        }
    }

    private Result<Mutation> RemoveXattr(Caller caller, NodeId id, ReadOnlySpan<byte> name)
    {
        byte* attribute = stackalloc byte[EntryName.BufferBytes];
        Errno error = EntryName.WriteXattr(name, attribute);
        if (error != Errno.None) return error;
        error = nodes.Acquire(id, out TreeNode node, out Descriptor descriptor);
        if (error != Errno.None) return error;
        using (descriptor)
        {
            lock (ChangeLockOf(node))
            {
                error = ReadBefore(caller, descriptor, out Statx before);
                if (error != Errno.None) return error;
                byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
                EntryName.WriteDescriptorPath(descriptor.Number, path);
                int outcome = descriptor.IsPath
                    ? LibC.RemoveXattr(path, attribute)
                    : LibC.RemoveOpenXattr(descriptor.Number, attribute);
                return outcome == 0 ? MutationSince(caller, in before, descriptor) : LibC.LastError;
            }
        }
    }

    /// <summary>Reads the attributes before a change, for a caller who wants to know them.</summary>
    private static Errno ReadBefore(Caller caller, Descriptor node, out Statx before)
    {
        if (caller.WantsMutations) return node.ReadStatus(out before);
        before = default;
        return Errno.None;
    }

    /// <summary>What a change did. Its success stands even where the attributes cannot be read again.</summary>
    private static Mutation MutationSince(Caller caller, in Statx before, Descriptor node)
    {
        if (!caller.WantsMutations) return default;
        NodeAttributes earlier = before.ToAttributes();
        return node.ReadStatus(out Statx after) == Errno.None
            ? new Mutation(earlier, after.ToAttributes())
            : new Mutation(earlier, earlier);
    }
}
