using System.Text;
using Holdfast.Files;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>A small tree with one of each thing; devices only where we may make them.</summary>
internal static class GoldenSource
{
    private static readonly UnixTime Time = new(1_700_000_000, 123_456_789);

    private static readonly byte[][] Names =
        [[0xFF, 0xFE, (byte)'x'], [(byte)'c', (byte)'a', (byte)'f', 0xE9], "new\nline"u8.ToArray(), "-rf"u8.ToArray(), " "u8.ToArray(), "..."u8.ToArray(), "測試 😀"u8.ToArray(), Longest()];

    public static void Create(string path)
    {
        using PosixDirectory root = PosixDirectory.Open(Encoding.UTF8.GetBytes(path));
        using (PosixDirectory names = Enter(root, "names"u8))
        {
            foreach (byte[] name in Names) Write(names, name, name);
        }

        using (PosixDirectory files = Enter(root, "files"u8))
        {
            Write(files, "empty"u8, []);
            Write(files, "compressible"u8, new byte[5000].Select(static (_, i) => (byte)(i / 100)).ToArray());
            Write(files, "incompressible"u8, TestKeys.Content(3000));
            Write(files, "equal"u8, TestKeys.Content(3000));
            Write(files, "several chunks"u8, [.. Enumerable.Range(0, 300_000).Select(static i => (byte)(i / 3000))]);
            files.SetXattr("equal"u8, "user.golden"u8, [1, 0, 0xFF]);
            files.Link("hard link"u8, files, "incompressible"u8);
            files.SetMode("empty"u8, 0xDED);
        }

        using (PosixDirectory sparse = Enter(root, "sparse"u8))
        {
            // More pieces than stand in an entry: they go to chunk lists.
            using PosixFile holes = sparse.CreateFile("many-holes"u8);
            holes.SetLength(700 * 8192);
            byte[] block = TestKeys.Content(4096);
            for (int i = 0; i < 700; i++) holes.Write(block, i * 8192L);
            using PosixFile hole = sparse.CreateFile("only-a-hole"u8);
            hole.SetLength(32 << 20);
        }

        using (PosixDirectory others = Enter(root, "others"u8))
        {
            others.CreateSymlink("symlink"u8, "../files/equal"u8);
            others.CreateSymlink("odd symlink"u8, [0xFF, (byte)'/', 0x80]);
            others.CreateSpecial("fifo"u8, NodeKind.Fifo);
            Enter(others, "empty directory"u8).Dispose();
            if (PosixDirectory.IsRoot)
            {
                others.CreateSpecial("null"u8, NodeKind.CharacterDevice, 1, 3);
                others.CreateSpecial("disk"u8, NodeKind.BlockDevice, 8, 300);
            }
        }
    }

    /// <summary>What the second point differs in.</summary>
    public static void Change(string path)
    {
        using PosixDirectory root = PosixDirectory.Open(Encoding.UTF8.GetBytes(path));
        using PosixDirectory files = root.OpenDirectory("files"u8), names = root.OpenDirectory("names"u8);
        Write(files, "added"u8, "added"u8);
        files.Delete("empty"u8);
        names.SetMode("-rf"u8, 0x1FF);
    }

    private static PosixDirectory Enter(PosixDirectory parent, ReadOnlySpan<byte> name)
    {
        parent.CreateDirectory(name);
        return parent.OpenDirectory(name);
    }

    private static void Write(PosixDirectory directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        using (PosixFile file = directory.CreateFile(name)) file.Write(content, 0);
        directory.SetModificationTime(name, Time);
    }

    private static byte[] Longest()
    {
        byte[] name = new byte[255];
        name.AsSpan().Fill((byte)'n');
        return name;
    }
}
