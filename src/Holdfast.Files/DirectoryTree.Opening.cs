using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Opening and making of regular files.</summary>
public sealed unsafe partial class DirectoryTree
{
    /// <summary>How often to try again when others make and remove the name between two calls.</summary>
    private const int MaxRaces = 16;

    /// <inheritdoc/>
    public ValueTask<Result<OpenId>> OpenAsync(Caller caller, NodeId node, OpenAccess access) =>
        new(Open(node, access));

    /// <inheritdoc/>
    /// <remarks>The verifier of an exclusive create is kept as NFS servers do: in the seconds of the new file's access
    /// and modification time, 31 bits each.</remarks>
    public ValueTask<Result<OpenedNode>> OpenAtAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, OpenRequest request) =>
        new(OpenAt(caller, directory, name.Span, request));

    private Result<OpenId> Open(NodeId id, OpenAccess access)
    {
        if (!OpenFlags.TryFrom(access, out int flags)) return Errno.Invalid;
        Errno error = nodes.Acquire(id, out TreeNode node, out Descriptor descriptor);
        if (error != Errno.None) return error;
        using (descriptor)
        {
            error = ErrorUnlessRegular(node.Kind);
            if (error != Errno.None) return error;
            byte* path = stackalloc byte[EntryName.DescriptorPathBytes];
            EntryName.WriteDescriptorPath(descriptor.Number, path);
            Result<Descriptor> opened = OpenFileAt(At.CurrentDirectory, path, flags & ~OpenFlags.NoFollow, 0);
            return opened.TryGetValue(out Descriptor? file) ? nodes.AddOpenFile(node, file) : opened.Error;
        }
    }

    private Result<OpenedNode> OpenAt(Caller caller, NodeId directory, ReadOnlySpan<byte> name, OpenRequest request)
    {
        if (!OpenFlags.TryFrom(request.Access, out int flags)) return Errno.Invalid;
        byte* path = stackalloc byte[EntryName.BufferBytes];
        Errno error = WriteName(name, path);
        if (error != Errno.None) return error;
        error = nodes.Acquire(directory, out TreeNode parent, out Descriptor at);
        if (error != Errno.None) return error;
        using (at)
        {
            if (request.Create == CreateMode.OpenExisting) return OpenExisting(parent, at, name, path, flags);
            lock (ChangeLockOf(parent)) return OpenOrMake(caller, parent, at, name, path, flags, request);
        }
    }

    private Result<OpenedNode> OpenExisting(
        TreeNode parent, Descriptor at, ReadOnlySpan<byte> name, byte* path, int flags)
    {
        Result<Descriptor> opened = OpenFileAt(at.Number, path, flags, 0);
        if (!opened.TryGetValue(out Descriptor? file)) return opened.Error;
        Errno error = file.ReadStatus(out Statx status);
        if (error == Errno.None) error = ErrorUnlessRegular(status.Kind);
        if (error == Errno.None) return RegisterOpened(parent, name, file, in status, created: false, default);
        file.Dispose();
        return error;
    }

    private Result<OpenedNode> OpenOrMake(
        Caller caller, TreeNode parent, Descriptor at, ReadOnlySpan<byte> name, byte* path, int flags,
        OpenRequest request)
    {
        Errno error = ReadBefore(caller, at, out Statx before);
        if (error != Errno.None) return error;
        NodeAttributes unchanged = caller.WantsMutations ? before.ToAttributes() : default;
        for (int race = 0; race < MaxRaces; race++)
        {
            Result<OpenedNode> made = Make(caller, parent, at, name, path, flags, request, in before);
            if (made.Error != Errno.Exists || request.Create == CreateMode.CreateNew) return made;

            int existingFlags = request.Create == CreateMode.Exclusive ? flags & ~OpenFlags.Truncate : flags;
            Result<OpenedNode> opened = OpenExisting(parent, at, name, path, existingFlags);
            if (opened.Error == Errno.NoEntry) continue;
            if (!opened.TryGetValue(out OpenedNode existing))
            {
                return request.Create == CreateMode.Exclusive ? Errno.Exists : opened.Error;
            }

            if (request.Create == CreateMode.OpenOrCreate || HasVerifier(existing.Node.Attributes, request.Verifier))
            {
                return existing with { Directory = new Mutation(unchanged, unchanged) };
            }

            Forget(existing.Node.Id, 1);
            Close(existing.File);
            return Errno.Exists;
        }

        return Errno.Again;
    }

    /// <summary>Makes a file that must not exist; EEXIST when something has the name.</summary>
    private Result<OpenedNode> Make(
        Caller caller, TreeNode parent, Descriptor at, ReadOnlySpan<byte> name, byte* path, int flags,
        OpenRequest request, in Statx before)
    {
        uint mode = ModeFor(caller, request.Mode);
        Result<Descriptor> opened = OpenFileAt(at.Number, path, flags | OpenFlags.Create | OpenFlags.Exclusive, mode);
        if (!opened.TryGetValue(out Descriptor? file)) return opened.Error;
        Errno error = file.ReadStatus(out Statx status);
        if (error == Errno.None) error = GiveTo(caller, file, mode, at, ref status);
        if (error == Errno.None && request.Create == CreateMode.Exclusive)
        {
            error = SetTimes(file, VerifierHigh(request.Verifier), VerifierLow(request.Verifier));
            if (error == Errno.None) error = file.ReadStatus(out status);
        }

        if (error == Errno.None)
        {
            return RegisterOpened(parent, name, file, in status, created: true, MutationSince(caller, in before, at));
        }

        _ = LibC.UnlinkAt(at.Number, path, 0);
        file.Dispose();
        return error;
    }

    private OpenedNode RegisterOpened(
        TreeNode parent, ReadOnlySpan<byte> name, Descriptor file, in Statx status, bool created, Mutation directory)
    {
        (NodeId node, OpenId open) = nodes.RegisterOpen(parent, name, file, in status);
        return new OpenedNode(new Node(node, status.ToAttributes()), open, created, directory);
    }

    /// <summary>openat; without O_NOATIME where that is not permitted.</summary>
    private static Result<Descriptor> OpenFileAt(int directory, byte* path, int flags, uint mode)
    {
        while (true)
        {
            int number = LibC.OpenAt(directory, path, flags, mode);
            if (number >= 0)
            {
                const int accessMask = 3;
                return new Descriptor(number, isPath: false, isWritable: (flags & accessMask) != OpenFlags.ReadOnly);
            }

            Errno error = LibC.LastError;
            if (error == Errno.Interrupted) continue;
            if (error == Errno.NotPermitted && (flags & OpenFlags.NoAccessTime) != 0)
            {
                flags &= ~OpenFlags.NoAccessTime;
                continue;
            }

            // A socket, or a FIFO that nobody reads.
            return error == Errno.NoDevice ? Errno.Invalid : error;
        }
    }

    private static Errno ErrorUnlessRegular(NodeKind kind) => kind switch
    {
        NodeKind.Regular => Errno.None,
        NodeKind.Directory => Errno.IsDirectory,
        NodeKind.Symlink => Errno.Loop,
        _ => Errno.Invalid,
    };

    // The sign bit stays clear: file systems with 32-bit times would change it.
    private static UnixTime VerifierHigh(ulong verifier) => new((long)(verifier >> 32) & int.MaxValue, 0);

    private static UnixTime VerifierLow(ulong verifier) => new((long)verifier & int.MaxValue, 0);

    private static bool HasVerifier(in NodeAttributes file, ulong verifier) =>
        file.Size == 0 && file.AccessTime == VerifierHigh(verifier) && file.ModifyTime == VerifierLow(verifier);
}
