using System.Runtime.InteropServices;
using System.Text;
using Holdfast.Files;

namespace Holdfast.Testing;

/// An open directory of a test's tree, through which everything in it is reached by one name: paths may be longer than
/// the kernel takes in one call.
public sealed unsafe class PosixDirectory : IDisposable
{
    private readonly int directory;

    private PosixDirectory(int directory) => this.directory = directory;

    public static bool IsRoot => PosixCalls.EffectiveUserId() == 0;

    /// Opens a directory by a path of any length; from the root, or from the working directory.
    public static PosixDirectory Open(ReadOnlySpan<byte> path)
    {
        const int workingDirectory = -100;
        byte[] start = path.StartsWith("/"u8) ? "/\0"u8.ToArray() : ".\0"u8.ToArray();
        int opened = PosixCalls.OpenAt(workingDirectory, start, OpenFlags, 0);
        return Descend(new PosixDirectory((int)PosixCalls.Check(opened, "open", path)), path, follow: true);
    }

    /// Opens a directory by a path relative to this one; empty is this one again.
    public PosixDirectory OpenBelow(ReadOnlySpan<byte> path) => Descend(OpenDirectory("."u8), path, follow: false);

    public void Dispose() => _ = PosixCalls.Close(directory);

    public PosixDirectory OpenDirectory(ReadOnlySpan<byte> name, bool follow = false)
    {
        int flags = OpenFlags | (follow ? 0 : PosixCalls.NoFollow);
        int opened = PosixCalls.OpenAt(directory, PosixCalls.Terminate(name), flags, 0);
        return new PosixDirectory((int)PosixCalls.Check(opened, "open", name));
    }

    public PosixFile OpenToRead(ReadOnlySpan<byte> name) =>
        OpenFile(name, PosixCalls.ReadOnly | PosixCalls.NonBlocking);

    public PosixFile OpenToWrite(ReadOnlySpan<byte> name) => OpenFile(name, PosixCalls.WriteOnly);

    public PosixFile CreateFile(ReadOnlySpan<byte> name) =>
        OpenFile(name, PosixCalls.WriteOnly | PosixCalls.Create | PosixCalls.Exclusive);

    /// All names but "." and "..", in the order of their bytes.
    public IReadOnlyList<byte[]> List()
    {
        const int nameOffset = 19;
        int again = PosixCalls.OpenAt(directory, ".\0"u8.ToArray(), OpenFlags, 0);
        nint stream = PosixCalls.OpenStream((int)PosixCalls.Check(again, "open"));
        var names = new List<byte[]>();
        while (true)
        {
            byte* entry = PosixCalls.ReadStream(stream);
            if (entry == null) break;
            ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + nameOffset);
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8)) names.Add(name.ToArray());
        }

        int errno = Marshal.GetLastPInvokeError();
        _ = PosixCalls.CloseStream(stream);
        if (errno != 0) throw new PosixException(errno, "readdir", default);
        names.Sort((left, right) => left.AsSpan().SequenceCompareTo(right));
        return names;
    }

    public PosixStatus Status(ReadOnlySpan<byte> name)
    {
        const uint basic = 0x7FF;
        byte[] status = new byte[256];
        int result = PosixCalls.Statx(directory, PosixCalls.Terminate(name), PosixCalls.SymlinkNoFollow, basic, status);
        PosixCalls.Check(result, "statx", name);
        return new PosixStatus(status);
    }

    public bool Exists(ReadOnlySpan<byte> name)
    {
        try
        {
            Status(name);
            return true;
        }
        catch (PosixException missing) when (missing.Errno == PosixCalls.NoEntry)
        {
            return false;
        }
    }

    public void CreateDirectory(ReadOnlySpan<byte> name) =>
        PosixCalls.Check(PosixCalls.MkdirAt(directory, PosixCalls.Terminate(name), 0x1C0), "mkdir", name);

    public void CreateSymlink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        int result = PosixCalls.SymlinkAt(PosixCalls.Terminate(target), directory, PosixCalls.Terminate(name));
        PosixCalls.Check(result, "symlink", name);
    }

    public void CreateSpecial(ReadOnlySpan<byte> name, NodeKind kind, uint major = 0, uint minor = 0)
    {
        uint format = kind switch
        {
            NodeKind.Fifo => PosixCalls.Fifo,
            NodeKind.Socket => PosixCalls.Socket,
            NodeKind.CharacterDevice => PosixCalls.CharacterDevice,
            NodeKind.BlockDevice => PosixCalls.BlockDevice,
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };

        // glibc's makedev.
        ulong low = minor & 0xFF | (major & 0xFFF) << 8;
        ulong device = low | (ulong)(minor & ~0xFFu) << 12 | (ulong)(major & ~0xFFFu) << 32;
        int result = PosixCalls.MknodAt(directory, PosixCalls.Terminate(name), format | 0x180, device);
        PosixCalls.Check(result, "mknod", name);
    }

    public void Link(ReadOnlySpan<byte> name, PosixDirectory from, ReadOnlySpan<byte> existing)
    {
        byte[] old = PosixCalls.Terminate(existing);
        int result = PosixCalls.LinkAt(from.directory, old, directory, PosixCalls.Terminate(name), 0);
        PosixCalls.Check(result, "link", name);
    }

    public void Rename(ReadOnlySpan<byte> name, PosixDirectory to, ReadOnlySpan<byte> newName)
    {
        byte[] target = PosixCalls.Terminate(newName);
        int result = PosixCalls.RenameAt(directory, PosixCalls.Terminate(name), to.directory, target);
        PosixCalls.Check(result, "rename", name);
    }

    /// Removes an entry, a directory with all that is in it.
    public void Delete(ReadOnlySpan<byte> name)
    {
        byte[] terminated = PosixCalls.Terminate(name);
        if (Status(name).Kind != NodeKind.Directory)
        {
            PosixCalls.Check(PosixCalls.UnlinkAt(directory, terminated, 0), "unlink", name);
            return;
        }

        if (!IsRoot) SetMode(name, 0x1C0);
        using (PosixDirectory child = OpenDirectory(name))
        {
            foreach (byte[] entry in child.List()) child.Delete(entry);
        }

        PosixCalls.Check(PosixCalls.UnlinkAt(directory, terminated, PosixCalls.RemoveDirectory), "rmdir", name);
    }

    public byte[] ReadLink(ReadOnlySpan<byte> name)
    {
        byte[] target = new byte[8192];
        nint length = PosixCalls.ReadlinkAt(directory, PosixCalls.Terminate(name), target, target.Length);
        return target[..(int)PosixCalls.Check(length, "readlink", name)];
    }

    public void SetMode(ReadOnlySpan<byte> name, uint mode) =>
        PosixCalls.Check(PosixCalls.ChmodAt(directory, PosixCalls.Terminate(name), mode, 0), "chmod", name);

    public void SetOwner(ReadOnlySpan<byte> name, uint uid, uint gid)
    {
        int result = PosixCalls.ChownAt(directory, PosixCalls.Terminate(name), uid, gid, PosixCalls.SymlinkNoFollow);
        PosixCalls.Check(result, "chown", name);
    }

    public void SetModificationTime(ReadOnlySpan<byte> name, UnixTime time)
    {
        long[] times = [0, PosixCalls.OmitTime, time.Seconds, time.Nanoseconds];
        int result = PosixCalls.SetTimesAt(directory, PosixCalls.Terminate(name), times, PosixCalls.SymlinkNoFollow);
        PosixCalls.Check(result, "utimensat", name);
    }

    public void SetXattr(ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, byte[] value)
    {
        int result = PosixCalls.SetXattr(PathOf(name), PosixCalls.Terminate(attribute), value, value.Length, 0);
        PosixCalls.Check(result, "setxattr", attribute);
    }

    public void RemoveXattr(ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute)
    {
        int result = PosixCalls.RemoveXattr(PathOf(name), PosixCalls.Terminate(attribute));
        PosixCalls.Check(result, "removexattr", attribute);
    }

    /// Every extended attribute, empty where the file system has none.
    public IReadOnlyList<(byte[] Name, byte[] Value)> Xattrs(ReadOnlySpan<byte> name)
    {
        byte[] path = PathOf(name);
        byte[] buffer = new byte[65536];
        nint length = PosixCalls.ListXattrs(path, buffer, buffer.Length);
        if (length < 0 && Marshal.GetLastPInvokeError() == PosixCalls.NotSupported) return [];
        PosixCalls.Check(length, "listxattr", name);
        var attributes = new List<(byte[], byte[])>();
        for (int start = 0; start < length;)
        {
            int end = Array.IndexOf(buffer, (byte)0, start);
            byte[] attribute = buffer[start..end];
            byte[] value = new byte[65536];
            nint size = PosixCalls.GetXattr(path, PosixCalls.Terminate(attribute), value, value.Length);
            attributes.Add((attribute, value[..(int)PosixCalls.Check(size, "getxattr", attribute)]));
            start = end + 1;
        }

        return attributes;
    }

    private static int OpenFlags => PosixCalls.ReadOnly | PosixCalls.OnlyDirectory | PosixCalls.CloseOnExec;

    // Closes the directory it begins with, and each one passed through.
    private static PosixDirectory Descend(PosixDirectory current, ReadOnlySpan<byte> path, bool follow)
    {
        foreach (ReadOnlySpan<byte> name in BytePath.Components(path))
        {
            using PosixDirectory above = current;
            current = above.OpenDirectory(name, follow);
        }

        return current;
    }

    private PosixFile OpenFile(ReadOnlySpan<byte> name, int flags)
    {
        flags |= PosixCalls.NoFollow | PosixCalls.CloseOnExec;
        int file = PosixCalls.OpenAt(directory, PosixCalls.Terminate(name), flags, 0x180);
        return new PosixFile((int)PosixCalls.Check(file, "open", name));
    }

    // There is no call for attributes relative to a directory; the kernel's link to the open directory serves as one.
    private byte[] PathOf(ReadOnlySpan<byte> name) =>
        [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{directory}/"), .. name, 0];
}
