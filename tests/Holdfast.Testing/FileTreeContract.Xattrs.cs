using System.Diagnostics;
using System.Text;
using Holdfast.Files;
using Xunit;

namespace Holdfast.Testing;

public abstract partial class FileTreeContract
{
    public static TheoryData<byte[]> XattrValues => new(
        [], [0], "text"u8.ToArray(), Enumerable.Range(0, 256).Select(i => (byte)i).ToArray(), new byte[3000]);

    [Theory, MemberData(nameof(XattrValues))]
    public async Task XattrsKeepAnyValue(byte[] value)
    {
        Node[] all = [await MakeFile(Tree.Root, "file"), await MakeDirectory(Tree.Root, "directory")];
        foreach (Node node in all)
        {
            await SetXattr(node.Id, "user.näme", value);
            Assert.Equal(value, (await Tree.GetXattrAsync(Caller, node.Id, Bytes("user.näme"))).Value.ToArray());
            Assert.Equal(["user.näme"], await XattrNames(node.Id));
        }
    }

    [Fact]
    public async Task XattrModesAndRemovalDoWhatTheySay()
    {
        Node node = await MakeFile(Tree.Root, "f");
        Assert.Empty(await XattrNames(node.Id));
        Assert.Equal(Errno.NoAttribute, (await Tree.GetXattrAsync(Caller, node.Id, Bytes("user.a"))).Error);
        Assert.Equal(Errno.NoAttribute, await SetXattrError(node.Id, "user.a", XattrMode.Replace));
        await SetXattr(node.Id, "user.a", Bytes("1"));
        await SetXattr(node.Id, "user.b", Bytes("2"));
        Assert.Equal(Errno.Exists, await SetXattrError(node.Id, "user.a", XattrMode.CreateNew));
        Assert.Equal(Errno.None, await SetXattrError(node.Id, "user.a", XattrMode.Replace));
        Assert.Equal(Errno.None, await SetXattrError(node.Id, "user.c", XattrMode.CreateNew));
        Assert.Equal(["user.a", "user.b", "user.c"], await XattrNames(node.Id));

        Mutation removed = (await Tree.RemoveXattrAsync(Caller, node.Id, Bytes("user.b"))).Value;
        Assert.Equal(removed.After, await Attributes(node.Id));
        Assert.Equal(["user.a", "user.c"], await XattrNames(node.Id));
        Assert.Equal(Errno.NoAttribute, (await Tree.RemoveXattrAsync(Caller, node.Id, Bytes("user.b"))).Error);
    }

    [Fact]
    public async Task BadXattrNamesAreRefused()
    {
        Node node = await MakeFile(Tree.Root, "f");
        foreach ((string name, Errno expected) in new[]
        {
            ("", Errno.Invalid), ("user.\0", Errno.Invalid), ("user." + new string('x', 251), Errno.Range),
        })
        {
            Assert.Equal(expected, await SetXattrError(node.Id, name, XattrMode.Set));
            Assert.Equal(expected, (await Tree.GetXattrAsync(Caller, node.Id, Bytes(name))).Error);
            Assert.Equal(expected, (await Tree.RemoveXattrAsync(Caller, node.Id, Bytes(name))).Error);
        }
    }

    [Fact]
    public async Task XattrsOfAnOpenFileAreTheNodes()
    {
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew, OpenAccess.Write);
        await SetXattr(made.Node.Id, "user.open", Bytes("yes"));
        Assert.Equal(["user.open"], await XattrNames(made.Node.Id));
        Assert.True((await Tree.UnlinkAsync(Caller, Tree.Root, Bytes("f"))).Ok);
        Result<ReadOnlyMemory<byte>> value = await Tree.GetXattrAsync(Caller, made.Node.Id, Bytes("user.open"));
        Assert.Equal(Bytes("yes"), value.Value.ToArray());
        Tree.Close(made.File);
        Assert.Equal(["user.open"], await XattrNames(made.Node.Id));
        Assert.True((await Tree.RemoveXattrAsync(Caller, made.Node.Id, Bytes("user.open"))).Ok);
    }

    [Fact]
    public async Task ASymlinkHasXattrsOfItsOwn()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("those of symlinks need root");
        Node target = await MakeFile(Tree.Root, "target");
        Node link = await MakeSymlink(Tree.Root, "link", "target");
        await SetXattr(link.Id, "trusted.of-link", Bytes("v"));
        Assert.Equal(["trusted.of-link"], await XattrNames(link.Id));
        Assert.Equal(Bytes("v"), (await Tree.GetXattrAsync(Caller, link.Id, Bytes("trusted.of-link"))).Value.ToArray());
        Assert.Empty(await XattrNames(target.Id));
        Assert.True((await Tree.RemoveXattrAsync(Caller, link.Id, Bytes("trusted.of-link"))).Ok);
    }

    [Fact]
    public async Task HandlesLeadBackToTheirNodesUntilTheseAreGone()
    {
        var handle = new byte[64];
        Node directory = await MakeDirectory(Tree.Root, "d");
        Node[] all =
        [
            await MakeFile(directory.Id, "f", "content"), directory, await MakeSymlink(Tree.Root, "l", "nowhere"),
        ];
        foreach (Node node in all)
        {
            Result<int> length = Tree.EncodeHandle(node.Id, handle);
            if (!HasHandles)
            {
                if (length.Ok) length = (await Tree.ResolveHandleAsync(Caller, handle.AsMemory(0, length.Value))).Error;
                Assert.Equal(Errno.NotSupported, length.Error);
                continue;
            }

            Assert.InRange(length.Value, 1, 64);
            ReadOnlyMemory<byte> encoded = handle.AsMemory(0, length.Value);
            Assert.Equal(node.Id, (await Tree.ResolveHandleAsync(Caller, encoded)).Value.Id);
            Tree.Forget(node.Id, 2);
        }

        if (!HasHandles) return;
        Assert.Equal(Tree.Root, (await Tree.ResolveHandleAsync(Caller, Handle(Tree.Root))).Value.Id);
        Assert.False((await Tree.ResolveHandleAsync(Caller, ReadOnlyMemory<byte>.Empty)).Ok);
        Assert.False((await Tree.ResolveHandleAsync(Caller, new byte[64])).Ok);

        Node file = await LookUp((await LookUp(Tree.Root, "d")).Id, "f");
        byte[] ofFile = Handle(file.Id);
        Tree.Forget(file.Id, 1);
        Node resolved = (await Tree.ResolveHandleAsync(Caller, ofFile)).Value;
        Assert.Equal("content", await Content(resolved.Id));
        NodeId parent = (await LookUp(Tree.Root, "d")).Id;
        await Tree.RenameAsync(Caller, parent, Bytes("f"), Tree.Root, Bytes("g"), RenameMode.Replace);
        Assert.Equal("content", await Content((await Tree.ResolveHandleAsync(Caller, ofFile)).Value.Id));
        Assert.True((await Tree.UnlinkAsync(Caller, Tree.Root, Bytes("g"))).Ok);
        Tree.Forget(resolved.Id, 2);
        // A program that another test starts has a copy of every descriptor until it runs, and keeps the file there so long.
        var deadline = Stopwatch.StartNew();
        Result<Node> gone = await Tree.ResolveHandleAsync(Caller, ofFile);
        while (gone.Ok && deadline.Elapsed < TimeSpan.FromSeconds(30))
        {
            Tree.Forget(gone.Value.Id, 1);
            await Task.Yield();
            gone = await Tree.ResolveHandleAsync(Caller, ofFile);
        }

        Assert.Equal(Errno.Stale, gone.Error);
    }

    private byte[] Handle(NodeId node)
    {
        var handle = new byte[64];
        return handle[..Tree.EncodeHandle(node, handle).Value];
    }

    [Fact]
    public void AWatchCanBeBegunAndEnded() => Tree.Watch(_ => { }).Dispose();

    private async Task SetXattr(NodeId node, string name, byte[] value)
    {
        Result<Mutation> outcome = await Tree.SetXattrAsync(Caller, node, Bytes(name), value, XattrMode.Set);
        if (outcome.Error == Errno.NotSupported) Assert.Skip("the file system has no extended attributes");
        Assert.Equal(Errno.None, outcome.Error);
        Assert.Equal(outcome.Value.After, await Attributes(node));
    }

    private async Task<Errno> SetXattrError(NodeId node, string name, XattrMode mode) =>
        (await Tree.SetXattrAsync(Caller, node, Bytes(name), Bytes("value"), mode)).Error;

    private async Task<List<string>> XattrNames(NodeId node)
    {
        var names = new List<string>();
        foreach (ReadOnlyMemory<byte> name in (await Tree.ListXattrsAsync(Caller, node)).Value)
        {
            string text = Encoding.UTF8.GetString(name.Span);
            if (!text.StartsWith("security.", StringComparison.Ordinal)) names.Add(text);
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }
}
