using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Handles: the kernel's own, see <see cref="KernelHandle"/>.</summary>
public sealed unsafe partial class DirectoryTree
{
    private readonly Lock mountGate = new();

    /// <inheritdoc/>
    /// <remarks>EOPNOTSUPP where the file system has no handles, or the node lies on another one than the
    /// root.</remarks>
    public Result<int> EncodeHandle(NodeId node, Span<byte> target)
    {
        Errno error = nodes.Acquire(node, out TreeNode found, out Descriptor descriptor);
        if (error != Errno.None) return error;
        using (descriptor)
        {
            if (found.Identity.Device != nodes.Root.Identity.Device) return Errno.NotSupported;
            return KernelHandle.Encode(descriptor, target);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Takes CAP_DAC_READ_SEARCH, else EOPNOTSUPP. A handle names any node of the root's file system, whether
    /// or not it lies below the root: who accepts handles from others must authenticate them. EINVAL for bytes that are
    /// none.</remarks>
    public ValueTask<Result<Node>> ResolveHandleAsync(Caller caller, ReadOnlyMemory<byte> handle) =>
        new(ResolveHandle(handle.Span));

    private Result<Node> ResolveHandle(ReadOnlySpan<byte> handle)
    {
        if (!KernelHandle.IsWellFormed(handle)) return Errno.Invalid;
        Errno error = OpenMount(out Descriptor? mount);
        if (mount == null) return error;
        int number = KernelHandle.Open(mount, handle);
        if (number < 0)
        {
            error = LibC.LastError;
            return error is Errno.NotPermitted or Errno.NotImplemented ? Errno.NotSupported : error;
        }

        var descriptor = new Descriptor(number, isPath: true);
        error = descriptor.ReadStatus(out Statx status);
        if (error != Errno.None)
        {
            descriptor.Dispose();
            return error;
        }

        return new Node(nodes.Register(null, default, descriptor, in status, handle.ToArray()), status.ToAttributes());
    }

    /// <summary>
    /// open_by_handle_at wants an open file of the mount, for which the root's O_PATH descriptor does not do.
    /// </summary>
    private Errno OpenMount(out Descriptor? mount)
    {
        lock (mountGate)
        {
            mount = nodes.Mount;
            if (mount != null) return Errno.None;
            Result<Descriptor> opened = OpenEntries(nodes.Root.Id);
            if (!opened.TryGetValue(out mount)) return opened.Error;
            nodes.Mount = mount;
            return Errno.None;
        }
    }
}
