using System.Text;
using Holdfast.Testing;
using Xunit.Sdk;

namespace Holdfast.Files.Tests;

/// The comparison is what other tests stand on: it must see every kind of difference, and none where there is none.
public sealed class TreeCompareTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("holdfast-compare-").FullName;

    public TreeCompareTests()
    {
        using PosixDirectory tree = PosixDirectory.Open(Encoding.UTF8.GetBytes(root));
        tree.CreateFile("file"u8).Dispose();
        Write(tree, "file"u8, Enumerable.Repeat((byte)'x', 100_000).ToArray(), 0);
        tree.CreateFile("other"u8).Dispose();
        Write(tree, "other"u8, "other"u8, 0);
        tree.CreateFile("sparse"u8).Dispose();
        SetLength(tree, "sparse"u8, 1 << 20);
        tree.CreateDirectory("directory"u8);
        tree.CreateSymlink("symlink"u8, "file"u8);
        tree.CreateSpecial("fifo"u8, NodeKind.Fifo);
        tree.CreateSpecial("socket"u8, NodeKind.Socket);
        tree.Link("linked"u8, tree, "other"u8);
        tree.SetXattr("file"u8, "user.a"u8, [1]);
        foreach (byte[] name in tree.List()) tree.SetModificationTime(name, new UnixTime(1_000_000, 5));
    }

    public void Dispose() => TreeGenerator.Delete(root);

    [Fact]
    public void ATreeEqualsItself() => TreeCompare.AssertEqual(TreeSnapshot.Take(root), TreeSnapshot.Take(root));

    public static TheoryData<string, string> Changes => new()
    {
        { "content", "file: content" },
        { "size", "file: size 100000, found 99999" },
        { "mode", "file: mode 0600, found 0640" },
        { "setuid", "file: mode 0600, found 04600" },
        { "time", "file: modification time 1000000.000000005, found 1000000.000000006" },
        { "symlink time", "symlink: modification time" },
        { "directory time", "directory: modification time 1000000.000000005, found -1.000000000" },
        { "xattr value", "file: attribute user.a [01], found [02]" },
        { "xattr empty", "file: attribute user.b [absent], found []" },
        { "xattr gone", "file: attribute user.a [01], found [absent]" },
        { "target", "symlink: target file, found other" },
        { "kind", "fifo: kind fifo, found directory" },
        { "missing", "directory: directory is missing" },
        { "added", "new\\nname: unexpected symlink" },
        { "added to directory", "directory/x: unexpected fifo" },
        { "link broken", "linked: hard links linked = other, found none" },
        { "link more", "other: hard links linked = other, found linked = more = other" },
        { "filled", "sparse: data outside holes 0 bytes, found 1048576" },
        { "root", "(root): mode" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void EveryChangeIsSeen(string change, string expected)
    {
        TreeSnapshot before = TreeSnapshot.Take(root);
        using (PosixDirectory tree = PosixDirectory.Open(Encoding.UTF8.GetBytes(root))) Apply(tree, change);
        TreeSnapshot after = TreeSnapshot.Take(root);

        // What only the change itself touches: a new name also moves its directory's time.
        IReadOnlyList<string> differences = TreeCompare.FindDifferences(before, after);
        Assert.Contains(differences, difference => difference.StartsWith(expected, StringComparison.Ordinal));
        var error = Assert.Throws<XunitException>(() => TreeCompare.AssertEqual(before, after));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void OwnersAndDevicesAreSeen()
    {
        Assert.SkipUnless(PosixDirectory.IsRoot, "needs the rights of root");
        using PosixDirectory tree = PosixDirectory.Open(Encoding.UTF8.GetBytes(root));
        tree.CreateSpecial("device"u8, NodeKind.CharacterDevice, 1, 3);
        TreeSnapshot before = TreeSnapshot.Take(root);
        tree.SetOwner("symlink"u8, 12, 34);
        tree.Delete("device"u8);
        tree.CreateSpecial("device"u8, NodeKind.CharacterDevice, 1, 5);
        TreeSnapshot after = TreeSnapshot.Take(root);

        IReadOnlyList<string> differences = TreeCompare.FindDifferences(before, after);
        Assert.Contains("symlink: owner 0:0, found 12:34", differences);
        Assert.Contains("device: device 1:3, found 1:5", differences);
        var options = new TreeCompareOptions { IgnoreOwners = true };
        Assert.DoesNotContain(TreeCompare.FindDifferences(before, after, options), line => line.Contains("owner"));
    }

    [Fact]
    public void OptionsLeaveThingsOut()
    {
        TreeSnapshot before = TreeSnapshot.Take(root);
        using (PosixDirectory tree = PosixDirectory.Open(Encoding.UTF8.GetBytes(root)))
        {
            tree.Delete("socket"u8);
            tree.SetModificationTime("directory"u8, new UnixTime(2, 0));
            tree.SetXattr("file"u8, "user.b"u8, []);
            using PosixFile sparse = tree.OpenToWrite("sparse"u8);
            sparse.Write(new byte[1 << 20], 0);
            tree.SetModificationTime("sparse"u8, new UnixTime(1_000_000, 5));
        }

        TreeSnapshot after = TreeSnapshot.Take(root);
        Assert.Equal(5, TreeCompare.FindDifferences(before, after).Count);
        TreeCompare.AssertEqual(before, after, new TreeCompareOptions
        {
            IgnoreSockets = true,
            IgnoreRootAttributes = true,
            IgnoreDirectoryTimes = true,
            IgnoreXattrs = true,
            IgnoreSparseness = true,
        });
        TreeCompare.AssertEqual(before, after, new TreeCompareOptions { Only = (path, _) => path == "fifo" });
    }

    [Fact]
    public void ARestoreMayBeSparser()
    {
        using PosixDirectory tree = PosixDirectory.Open(Encoding.UTF8.GetBytes(root));
        using PosixFile sparse = tree.OpenToWrite("sparse"u8);
        sparse.Write(new byte[1 << 20], 0);
        tree.SetModificationTime("sparse"u8, new UnixTime(1, 0));
        TreeSnapshot before = TreeSnapshot.Take(root);
        sparse.Punch(0, 1 << 20);
        tree.SetModificationTime("sparse"u8, new UnixTime(1, 0));
        TreeCompare.AssertEqual(before, TreeSnapshot.Take(root));
    }

    [Fact]
    public void TheMessageListsTheFirstTwenty()
    {
        TreeSnapshot before = TreeSnapshot.Take(root);
        for (int i = 0; i < 30; i++) File.WriteAllText(Path.Combine(root, $"new{i:D2}"), "");
        TreeSnapshot after = TreeSnapshot.Take(root);
        var options = new TreeCompareOptions { IgnoreRootAttributes = true };
        var error = Assert.Throws<XunitException>(() => TreeCompare.AssertEqual(before, after, options));
        string[] lines = error.Message.Split('\n');
        Assert.Equal(22, lines.Length);
        Assert.Equal("the trees differ in 30 ways", lines[0]);
        Assert.Equal("  new19: unexpected file", lines[20]);
        Assert.Equal("  and 10 more", lines[21]);
    }

    private static void Apply(PosixDirectory tree, string change)
    {
        switch (change)
        {
            case "content": Write(tree, "file"u8, "y"u8, 50_000); break;
            case "size": SetLength(tree, "file"u8, 99_999); break;
            case "mode": tree.SetMode("file"u8, 0x1A0); break;
            case "setuid": tree.SetMode("file"u8, 0x980); break;
            case "time": tree.SetModificationTime("file"u8, new UnixTime(1_000_000, 6)); break;
            case "symlink time": tree.SetModificationTime("symlink"u8, new UnixTime(1_000_001, 5)); break;
            case "directory time": tree.SetModificationTime("directory"u8, new UnixTime(-1, 0)); break;
            case "xattr value": tree.SetXattr("file"u8, "user.a"u8, [2]); break;
            case "xattr empty": tree.SetXattr("file"u8, "user.b"u8, []); break;
            case "xattr gone": tree.RemoveXattr("file"u8, "user.a"u8); break;
            case "missing": tree.Delete("directory"u8); break;
            case "added": tree.CreateSymlink("new\nname"u8, "x"u8); break;
            case "link more": tree.Link("more"u8, tree, "other"u8); break;
            case "filled": Write(tree, "sparse"u8, new byte[1 << 20], 0); break;
            case "root": tree.SetMode("."u8, 0x1FF); break;
            case "target":
                tree.Delete("symlink"u8);
                tree.CreateSymlink("symlink"u8, "other"u8);
                break;
            case "kind":
                tree.Delete("fifo"u8);
                tree.CreateDirectory("fifo"u8);
                break;
            case "link broken":
                tree.Delete("linked"u8);
                tree.CreateFile("linked"u8).Dispose();
                Write(tree, "linked"u8, "other"u8, 0);
                break;
            case "added to directory":
                using (PosixDirectory sub = tree.OpenDirectory("directory"u8)) sub.CreateSpecial("x"u8, NodeKind.Fifo);
                break;
            default: throw new ArgumentOutOfRangeException(nameof(change), change, "no such change");
        }
    }

    private static void Write(PosixDirectory tree, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, long offset)
    {
        using PosixFile file = tree.OpenToWrite(name);
        file.Write(data, offset);
    }

    private static void SetLength(PosixDirectory tree, ReadOnlySpan<byte> name, long length)
    {
        using PosixFile file = tree.OpenToWrite(name);
        file.SetLength(length);
    }
}
