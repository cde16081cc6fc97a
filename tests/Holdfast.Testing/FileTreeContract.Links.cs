using Holdfast.Files;
using Xunit;

namespace Holdfast.Testing;

public abstract partial class FileTreeContract
{
    [Theory, InlineData("x"), InlineData("/absolute/../path"), InlineData("..."), InlineData("näher\n")]
    public async Task ASymlinkKeepsItsTarget(string target)
    {
        Node link = await MakeSymlink(Tree.Root, "link", target);
        Assert.Equal(Bytes(target), (await Tree.ReadLinkAsync(Caller, link.Id)).Value.ToArray());
        Assert.Equal((NodeKind.Symlink, Bytes(target).Length), (link.Attributes.Kind, link.Attributes.Size));
    }

    [Fact]
    public async Task SymlinkTargetsAreBytesUpToTheKernelsLimit()
    {
        byte[] target = [0xFF, 0x80, (byte)'/', 0x0A];
        Node link = (await Tree.CreateSymlinkAsync(Caller, Tree.Root, Bytes("l"), target)).Value.Node;
        Assert.Equal(target, (await Tree.ReadLinkAsync(Caller, link.Id)).Value.ToArray());
        Node longest = await MakeSymlink(Tree.Root, "longest", new string('t', 4095));
        Assert.Equal(4095, (await Tree.ReadLinkAsync(Caller, longest.Id)).Value.Length);
        Assert.Equal(Errno.Invalid, (await Tree.CreateSymlinkAsync(Caller, Tree.Root, Bytes("x"), default)).Error);
        Assert.Equal(Errno.Invalid, (await Tree.CreateSymlinkAsync(Caller, Tree.Root, Bytes("x"), new byte[1])).Error);
        Result<CreatedNode> tooLong = await Tree.CreateSymlinkAsync(
            Caller, Tree.Root, Bytes("x"), Bytes(new string('t', 4096)));
        Assert.Equal(Errno.NameTooLong, tooLong.Error);
        Assert.Equal(Errno.Invalid, (await Tree.ReadLinkAsync(Caller, Tree.Root)).Error);
    }

    [Fact]
    public async Task ASymlinkIsNeverFollowed()
    {
        Node directory = await MakeDirectory(Tree.Root, "directory");
        await MakeFile(directory.Id, "inner", "content");
        Node link = await MakeSymlink(Tree.Root, "link", "directory");

        Assert.Equal(NodeKind.Symlink, (await LookUp(Tree.Root, "link")).Attributes.Kind);
        Assert.Equal(Errno.NotDirectory, await LookUpError(link.Id, "inner"));
        Assert.Equal(Errno.NotDirectory, (await Tree.ScanAsync(Caller, link.Id, new DirectoryScan())).Error);
        Assert.Equal(Errno.NotDirectory, (await Tree.RemoveDirectoryAsync(Caller, Tree.Root, Bytes("link"))).Error);
        Assert.True((await Tree.LinkAsync(Caller, link.Id, Tree.Root, Bytes("second"))).Ok);
        Assert.Equal(link.Id, (await LookUp(Tree.Root, "second")).Id);
        Assert.True((await Tree.UnlinkAsync(Caller, Tree.Root, Bytes("link"))).Ok);
        Assert.Equal(["inner"], await Names(directory.Id));
    }

    [Fact]
    public async Task HardLinksAreNamesOfOneNode()
    {
        Node node = await MakeFile(Tree.Root, "first", "shared");
        Node directory = await MakeDirectory(Tree.Root, "d");
        Assert.True((await Tree.LinkAsync(Caller, node.Id, directory.Id, Bytes("second"))).Ok);

        Node second = await LookUp(directory.Id, "second");
        Assert.Equal(node.Id, second.Id);
        Assert.Equal(2u, second.Attributes.LinkCount);
        Assert.Equal(Errno.Exists, (await Tree.LinkAsync(Caller, node.Id, directory.Id, Bytes("second"))).Error);
        Assert.Equal(Errno.NotPermitted, (await Tree.LinkAsync(Caller, directory.Id, Tree.Root, Bytes("x"))).Error);

        Mutation removed = (await Tree.UnlinkAsync(Caller, Tree.Root, Bytes("first"))).Value;
        Assert.True(removed.Before.IsDirectory);
        Assert.Equal("shared", await Content(node.Id));
        Assert.Equal(1u, (await Attributes(node.Id)).LinkCount);
        Tree.Forget(node.Id, 1);
        Assert.Equal("shared", await Content(second.Id));
    }

    [Fact]
    public async Task UnlinkIsForFilesAndRemoveDirectoryForEmptyDirectories()
    {
        Node directory = await MakeDirectory(Tree.Root, "d");
        await MakeFile(directory.Id, "f");
        Assert.Equal(Errno.IsDirectory, (await Tree.UnlinkAsync(Caller, Tree.Root, Bytes("d"))).Error);
        Assert.Equal(Errno.NotEmpty, (await Tree.RemoveDirectoryAsync(Caller, Tree.Root, Bytes("d"))).Error);
        Assert.Equal(Errno.NotDirectory, (await Tree.RemoveDirectoryAsync(Caller, directory.Id, Bytes("f"))).Error);
        Assert.True((await Tree.UnlinkAsync(Caller, directory.Id, Bytes("f"))).Ok);
        Assert.True((await Tree.RemoveDirectoryAsync(Caller, Tree.Root, Bytes("d"))).Ok);

        Assert.Equal(NodeKind.Directory, (await Attributes(directory.Id)).Kind);
        Assert.Equal(Errno.NoEntry, (await Tree.CreateDirectoryAsync(Caller, directory.Id, Bytes("x"), 0x1FF)).Error);
        Assert.Equal(Errno.NoEntry, await LookUpError(Tree.Root, "d"));
    }

    [Fact]
    public async Task RenameReplacesOrNotOrExchanges()
    {
        Node a = await MakeFile(Tree.Root, "a", "content of a"), b = await MakeFile(Tree.Root, "b", "content of b");
        Assert.Equal(Errno.Exists, await RenameError("a", "b", RenameMode.NoReplace));
        Assert.Equal(Errno.NoEntry, await RenameError("a", "absent", RenameMode.Exchange));
        Assert.Equal(Errno.NoEntry, await RenameError("absent", "b", RenameMode.Replace));

        Assert.Equal(Errno.None, await RenameError("a", "b", RenameMode.Exchange));
        Assert.Equal((b.Id, a.Id), ((await LookUp(Tree.Root, "a")).Id, (await LookUp(Tree.Root, "b")).Id));
        Assert.Equal("content of a", await Content(a.Id));

        Assert.Equal(Errno.None, await RenameError("a", "b", RenameMode.Replace));
        Assert.Equal(["b"], await Names(Tree.Root));
        Assert.Equal(b.Id, (await LookUp(Tree.Root, "b")).Id);
        Assert.Equal("content of a", await Content(a.Id));
        Assert.Equal(0u, (await Attributes(a.Id)).LinkCount);

        Assert.Equal(Errno.None, await RenameError("b", "c", RenameMode.NoReplace));
        Assert.Equal(["c"], await Names(Tree.Root));
    }

    [Fact]
    public async Task RenamingDirectoriesKeepsWhatIsBelow()
    {
        Node outer = await MakeDirectory(Tree.Root, "outer"), inner = await MakeDirectory(outer.Id, "inner");
        Node target = await MakeDirectory(Tree.Root, "target");
        Node file = await MakeFile(inner.Id, "f", "content");
        Result<TwoDirectoryMutation> intoItself = await Tree.RenameAsync(
            Caller, Tree.Root, Bytes("outer"), inner.Id, Bytes("x"), RenameMode.Replace);
        Assert.Equal(Errno.Invalid, intoItself.Error);
        Assert.Equal(Errno.NotEmpty, await RenameError("target", "outer", RenameMode.Replace));

        Result<TwoDirectoryMutation> moved = await Tree.RenameAsync(
            Caller, outer.Id, Bytes("inner"), target.Id, Bytes("moved"), RenameMode.Replace);
        Assert.True(moved.Ok);
        Assert.Equal(target.Id, (await LookUp(inner.Id, "..")).Id);
        Assert.Equal(inner.Id, (await LookUp(target.Id, "moved")).Id);
        Assert.Equal(file.Id, (await LookUp(inner.Id, "f")).Id);
        Assert.Equal("content", await Content(file.Id));
        Assert.Equal(Errno.None, await RenameError("target", "outer", RenameMode.Replace));
    }

    [Fact]
    public async Task RenamingANameOverAnotherOfTheSameNodeKeepsBoth()
    {
        Node node = await MakeFile(Tree.Root, "a");
        await Tree.LinkAsync(Caller, node.Id, Tree.Root, Bytes("b"));
        Assert.Equal(Errno.None, await RenameError("a", "b", RenameMode.Replace));
        Assert.Equal(["a", "b"], await Names(Tree.Root));
        Assert.Equal(node.Id, (await LookUp(Tree.Root, "a")).Id);
    }

    private async Task<Errno> RenameError(string from, string to, RenameMode mode) =>
        (await Tree.RenameAsync(Caller, Tree.Root, Bytes(from), Tree.Root, Bytes(to), mode)).Error;
}
