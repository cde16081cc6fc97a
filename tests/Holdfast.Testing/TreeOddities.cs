using System.Text;
using Holdfast.Files;

namespace Holdfast.Testing;

/// One of each thing that is rare and easily forgotten, under names that say what it is.
internal sealed class TreeOddities(PosixDirectory root, Random random, TreeShape shape)
{
    private const long Second2300 = 10_413_792_000;

    public void Create()
    {
        CreateNames();
        CreateSymlinks();
        CreateSparseFiles();
        CreateSpecialFiles();
        CreateHardLinks();
        CreateDirectories();
        if (shape.Xattrs) CreateXattrs();
        if (shape.DeepPath) CreateDeepPath();
    }

    private void CreateNames()
    {
        using PosixDirectory names = Enter("names"u8);
        foreach (byte[] name in TreeNames.Nasty) WriteFile(names, name, name);
    }

    private void CreateSymlinks()
    {
        using PosixDirectory links = Enter("symlinks"u8);
        byte[] longest = new byte[4095];
        longest.AsSpan().Fill((byte)'t');
        links.CreateSymlink("relative"u8, "../names/-rf"u8);
        links.CreateSymlink("absolute"u8, "/etc/hostname"u8);
        links.CreateSymlink("dangling"u8, "nothing/there"u8);
        links.CreateSymlink("to-parent"u8, ".."u8);
        links.CreateSymlink("to-itself"u8, "to-itself"u8);
        links.CreateSymlink("to-root"u8, "/"u8);
        links.CreateSymlink("not-utf8"u8, [0xFF, (byte)'/', 0x80]);
        links.CreateSymlink("newline"u8, "a\nb "u8);
        TreeAttributes.Try(() => links.CreateSymlink("longest"u8, longest));
        links.SetModificationTime("relative"u8, new UnixTime(-86_400, 1));
        links.SetModificationTime("dangling"u8, new UnixTime(Second2300, 999_999_999));
        if (PosixDirectory.IsRoot) links.SetOwner("absolute"u8, 54_321, 65_534);
    }

    private void CreateSparseFiles()
    {
        const int block = 4096, size = 40 * block;
        using PosixDirectory sparse = Enter("sparse"u8);
        CreateSparse(sparse, "hole-at-start"u8, size, (size - block, block));
        CreateSparse(sparse, "hole-in-middle"u8, size, (0, block), (size - block, block));
        CreateSparse(sparse, "hole-at-end"u8, size, (0, block));
        CreateSparse(sparse, "only-hole"u8, size);
        CreateSparse(sparse, "many-holes"u8, size, [.. Enumerable.Range(0, 10).Select(i => (4 * i * block, block))]);
        CreateSparse(sparse, "unaligned"u8, size + 17, (0, block + 1), (20 * block + 5, 3), (size + 16, 1));
        if (shape.HugeSparseFile) CreateSparse(sparse, "huge"u8, (5L << 30) + 3, (0, 10));
        CreateSparse(sparse, "written-zeros"u8, size);
        using PosixFile zeros = sparse.OpenToWrite("written-zeros"u8);
        zeros.Write(new byte[size], 0);
    }

    private void CreateSparse(PosixDirectory directory, ReadOnlySpan<byte> name, long size, params (int, int)[] data)
    {
        using PosixFile file = directory.CreateFile(name);
        file.SetLength(size);
        foreach ((int offset, int length) in data)
        {
            byte[] content = new byte[length];
            random.NextBytes(content);
            file.Write(content, offset);
        }
    }

    private void CreateSpecialFiles()
    {
        using PosixDirectory special = Enter("special"u8);
        special.CreateSpecial("fifo"u8, NodeKind.Fifo);
        special.SetModificationTime("fifo"u8, new UnixTime(-1, 5));
        if (shape.Sockets) special.CreateSpecial("socket"u8, NodeKind.Socket);
        if (!shape.Devices) return;
        TreeAttributes.Try(() => special.CreateSpecial("null"u8, NodeKind.CharacterDevice, 1, 3));
        TreeAttributes.Try(() => special.CreateSpecial("block"u8, NodeKind.BlockDevice, 7, 200));
        TreeAttributes.Try(() => special.CreateSpecial("large-numbers"u8, NodeKind.BlockDevice, 4095, 1_048_575));
    }

    private void CreateHardLinks()
    {
        using PosixDirectory first = Enter("links"u8), second = Enter("links-elsewhere"u8);
        WriteFile(first, "file"u8, "linked"u8);
        first.Link("file-again"u8, first, "file"u8);
        second.Link("file"u8, first, "file"u8);
        WriteFile(first, "empty"u8, []);
        second.Link("empty"u8, first, "empty"u8);
        first.CreateSymlink("symlink"u8, "file"u8);
        second.Link("symlink"u8, first, "symlink"u8);
        first.CreateSpecial("fifo"u8, NodeKind.Fifo);
        second.Link("fifo"u8, first, "fifo"u8);
        if (!shape.Devices) return;
        TreeAttributes.Try(() =>
        {
            first.CreateSpecial("device"u8, NodeKind.CharacterDevice, 1, 5);
            second.Link("device"u8, first, "device"u8);
        });
    }

    private void CreateDirectories()
    {
        root.CreateDirectory("empty-directory"u8);
        using (PosixDirectory unreadable = Enter("unreadable"u8)) WriteFile(unreadable, "inside"u8, "secret"u8);
        root.SetModificationTime("unreadable"u8, new UnixTime(Second2300, 5));
        root.SetMode("unreadable"u8, 0);
        WriteFile(root, "unreadable-file"u8, "secret"u8);
        root.SetMode("unreadable-file"u8, 0);
        WriteFile(root, "setuid"u8, "#!/bin/sh\n"u8);
        if (PosixDirectory.IsRoot) root.SetOwner("setuid"u8, 33, 54_321);
        root.SetMode("setuid"u8, 0xDED);
        root.CreateDirectory("sticky"u8);
        root.SetMode("sticky"u8, 0x7FF);
    }

    private void CreateXattrs()
    {
        using PosixDirectory xattrs = Enter("xattrs"u8);
        foreach (string name in new[] { "user", "acl", "capability", "trusted" })
        {
            WriteFile(xattrs, Encoding.UTF8.GetBytes(name), "x"u8);
        }

        xattrs.CreateDirectory("default-acl"u8);
        xattrs.CreateSymlink("symlink"u8, "user"u8);
        byte[] acl = TreeAttributes.CreateAcl(1234), capability = TreeAttributes.CreateCapability();
        TreeAttributes.Try(() => xattrs.SetXattr("user"u8, "user.binary"u8, [0, 255, 10, 0]));
        TreeAttributes.Try(() => xattrs.SetXattr("user"u8, "user.empty"u8, []));
        TreeAttributes.Try(() => xattrs.SetXattr("user"u8, [.. "user.\u00fc\n "u8, 0xFF], "name"u8.ToArray()));
        TreeAttributes.Try(() => xattrs.SetXattr("acl"u8, "system.posix_acl_access"u8, acl));
        TreeAttributes.Try(() => xattrs.SetXattr("default-acl"u8, "system.posix_acl_default"u8, acl));
        TreeAttributes.Try(() => xattrs.SetXattr("capability"u8, "security.capability"u8, capability));
        TreeAttributes.Try(() => xattrs.SetXattr("trusted"u8, "trusted.holdfast"u8, [1, 2, 3]));
        TreeAttributes.Try(() => xattrs.SetXattr("symlink"u8, "trusted.holdfast"u8, [4, 5, 6]));
    }

    // 18 names of 255 bytes: 4,608 bytes of path, and the kernel takes 4,096.
    private void CreateDeepPath()
    {
        PosixDirectory current = Enter("deep"u8);
        for (int depth = 0; depth < 18; depth++)
        {
            using PosixDirectory above = current;
            byte[] name = TreeNames.Longest((byte)('a' + depth));
            above.CreateDirectory(name);
            current = above.OpenDirectory(name);
        }

        using PosixDirectory deepest = current;
        WriteFile(deepest, "bottom"u8, "down here"u8);
        deepest.CreateSymlink("symlink"u8, ".."u8);
    }

    private PosixDirectory Enter(ReadOnlySpan<byte> name)
    {
        root.CreateDirectory(name);
        return root.OpenDirectory(name);
    }

    private static void WriteFile(PosixDirectory directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        using PosixFile file = directory.CreateFile(name);
        file.Write(content, 0);
    }
}
