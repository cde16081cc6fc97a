using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>Making of directories, symlinks and special files, and whose they are.</summary>
public sealed unsafe partial class DirectoryTree
{
    /// <summary>What the process itself takes away from modes; undone where a caller's umask would leave it.</summary>
    private static readonly uint ProcessUmask = ReadProcessUmask();

    /// <inheritdoc/>
    public ValueTask<Result<CreatedNode>> CreateDirectoryAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, uint mode) =>
        new(CreateDirectory(caller, directory, name.Span, mode));

    /// <inheritdoc/>
    public ValueTask<Result<CreatedNode>> CreateSymlinkAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        new(CreateSymlink(caller, directory, name.Span, target.Span));

    /// <inheritdoc/>
    public ValueTask<Result<CreatedNode>> CreateSpecialAsync(
        Caller caller, NodeId directory, ReadOnlyMemory<byte> name, NodeKind kind, uint mode, uint major, uint minor) =>
        new(CreateSpecial(caller, directory, name.Span, kind, mode, major, minor));

    private Result<CreatedNode> CreateDirectory(Caller caller, NodeId directory, ReadOnlySpan<byte> name, uint mode)
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
                uint wanted = ModeFor(caller, mode);
                if (LibC.MakeDirectoryAt(at.Number, path, wanted) != 0) return LibC.LastError;
                return RegisterMade(caller, parent, at, name, path, NodeKind.Directory, wanted, in before);
            }
        }
    }

    private Result<CreatedNode> CreateSymlink(
        Caller caller, NodeId directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        byte* path = stackalloc byte[EntryName.BufferBytes];
        Errno error = WriteName(name, path);
        if (error != Errno.None) return error;
        if (target.IsEmpty || target.Contains((byte)0)) return Errno.Invalid;
        if (target.Length >= NativeBuffers.Bytes) return Errno.NameTooLong;
        error = nodes.Acquire(directory, out TreeNode parent, out Descriptor at);
        if (error != Errno.None) return error;
        using (at)
        {
            using NativeBuffers.Rented buffer = buffers.Rent();
            target.CopyTo(new Span<byte>(buffer.Pointer, NativeBuffers.Bytes));
            buffer.Pointer[target.Length] = 0;
            lock (ChangeLockOf(parent))
            {
                error = ReadBefore(caller, at, out Statx before);
                if (error != Errno.None) return error;
                if (LibC.SymlinkAt(buffer.Pointer, at.Number, path) != 0) return LibC.LastError;
                return RegisterMade(caller, parent, at, name, path, NodeKind.Symlink, mode: 0, in before);
            }
        }
    }

    private Result<CreatedNode> CreateSpecial(
        Caller caller, NodeId directory, ReadOnlySpan<byte> name, NodeKind kind, uint mode, uint major, uint minor)
    {
        uint kindBits = ModeBits.OfSpecial(kind);
        bool isDevice = kind is NodeKind.CharacterDevice or NodeKind.BlockDevice;
        if (kindBits == 0) return Errno.Invalid;
        if (isDevice && (major > DeviceNumber.MaxMajor || minor > DeviceNumber.MaxMinor)) return Errno.Invalid;
        ulong device = isDevice ? DeviceNumber.Encode(major, minor) : 0;

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
                uint wanted = ModeFor(caller, mode);
                if (LibC.MakeNodeAt(at.Number, path, kindBits | wanted, device) != 0) return LibC.LastError;
                return RegisterMade(caller, parent, at, name, path, kind, wanted, in before);
            }
        }
    }

    /// <summary>
    /// Gives what was just made to the caller and adds a reference to it; takes it away again on failure.
    /// </summary>
    private Result<CreatedNode> RegisterMade(
        Caller caller, TreeNode parent, Descriptor at, ReadOnlySpan<byte> name, byte* path, NodeKind kind, uint mode,
        in Statx before)
    {
        int number = LibC.OpenAt(at.Number, path, OpenFlags.NodeOnly, 0);
        if (number < 0) return LibC.LastError;
        var made = new Descriptor(number, isPath: true);
        Errno error = made.ReadStatus(out Statx status);

        // Others may put something else in its place before it is opened: that must not be given to anybody.
        bool isOther = error == Errno.None
            && (status.Kind != kind || (kind != NodeKind.Directory && status.LinkCount != 1));
        if (isOther) error = Errno.Stale;
        if (error == Errno.None) error = GiveTo(caller, made, mode, at, ref status);
        if (error != Errno.None)
        {
            if (!isOther) _ = LibC.UnlinkAt(at.Number, path, kind == NodeKind.Directory ? At.RemoveDirectory : 0);
            made.Dispose();
            return error;
        }

        NodeId id = nodes.Register(parent, name, made, in status);
        return new CreatedNode(new Node(id, status.ToAttributes()), MutationSince(caller, in before, at));
    }

    /// <summary>
    /// Sets owner and mode of what was just made as far as the kernel has not, and updates its attributes.
    /// </summary>
    /// <remarks>A directory with setgid hands down its group, and the bit to directories.</remarks>
    private static Errno GiveTo(
        Caller caller, Descriptor made, uint mode, Descriptor directory, ref Statx status)
    {
        Errno read = InheritsGroup(caller, directory, in status, out bool inheritsGroup);
        if (read != Errno.None) return read;
        uint gid = inheritsGroup ? status.Gid : caller.Gid;
        bool given = false;
        if (status.Uid != caller.Uid || status.Gid != gid)
        {
            Errno error = ChangeOwner(made, caller.Uid, gid);
            if (error is not (Errno.None or Errno.NotPermitted)) return error;
            given = error == Errno.None;
        }

        // The kernel took the process's umask away, unless the directory has a default ACL; chown clears two bits.
        if (status.Kind == NodeKind.Directory && inheritsGroup) mode |= ModeBits.SetGid;
        uint now = status.Mode & ModeBits.Permissions, masked = mode & ~ProcessUmask;
        uint wanted = masked != mode && now == masked
            ? mode
            : (now & ~ModeBits.SetUidOrGid) | (mode & ModeBits.SetUidOrGid);
        bool setMode = status.Kind != NodeKind.Symlink
            && (wanted != now || (given && (wanted & ModeBits.SetUidOrGid) != 0));
        if (setMode && ChangeMode(made, wanted) is var failed and not Errno.None) return failed;
        return given || setMode ? made.ReadStatus(out status) : Errno.None;
    }

    /// <summary>Whether the group of what was made, where it is not the caller's, is its directory's.</summary>
    private static Errno InheritsGroup(Caller caller, Descriptor directory, in Statx made, out bool inherits)
    {
        // A new directory shows it by its own bit.
        inherits = made.Kind == NodeKind.Directory && (made.Mode & ModeBits.SetGid) != 0;
        if (made.Kind == NodeKind.Directory || made.Gid == caller.Gid) return Errno.None;
        Errno error = directory.ReadStatus(out Statx parent);
        inherits = (parent.Mode & ModeBits.SetGid) != 0;
        return error;
    }

    private static uint ModeFor(Caller caller, uint mode) => mode & ModeBits.Permissions & ~caller.Umask;

    private static uint ReadProcessUmask()
    {
        const uint strict = 0x3F; // 077: what another thread makes in this instant is too private rather than too open.
        uint mask = LibC.ExchangeUmask(strict);
        _ = LibC.ExchangeUmask(mask);
        return mask;
    }
}
