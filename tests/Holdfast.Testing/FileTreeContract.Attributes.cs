using Holdfast.Files;
using Xunit;

namespace Holdfast.Testing;

public abstract partial class FileTreeContract
{
    [Fact]
    public async Task WhatIsMadeHasTheModeLessTheUmaskAndTheCallersOwner()
    {
        Caller masked = Caller with { Umask = 0x12 };
        OpenRequest request = new(OpenAccess.Write, CreateMode.CreateNew, 0x1FF);
        OpenedNode file = (await Tree.OpenAtAsync(masked, Tree.Root, Bytes("file"), request)).Value;
        CreatedNode directory = (await Tree.CreateDirectoryAsync(Caller, Tree.Root, Bytes("directory"), 0x1FF)).Value;
        CreatedNode fifo = (await Tree.CreateSpecialAsync(
            masked, Tree.Root, Bytes("fifo"), NodeKind.Fifo, 0x1B6, 0, 0)).Value;

        Assert.Equal(0x1EDu, file.Node.Attributes.Mode);
        Assert.Equal(0x1FFu, directory.Node.Attributes.Mode);
        Assert.Equal(0x1A4u, fifo.Node.Attributes.Mode);
        Assert.Equal(NodeKind.Fifo, fifo.Node.Attributes.Kind);
        foreach (Node node in new[] { file.Node, directory.Node, fifo.Node })
        {
            Assert.Equal((Caller.Uid, Caller.Gid), (node.Attributes.Uid, node.Attributes.Gid));
            Assert.Equal(node.Attributes.Mode, (await Attributes(node.Id)).Mode);
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task WhatIsMadeForAnotherUserIsHis(bool wantsMutations)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("needs root");
        var other = new Caller { Uid = 12345, Gid = 23456, Umask = 0, WantsMutations = wantsMutations };
        OpenRequest request = new(OpenAccess.Write, CreateMode.CreateNew, 0xDED);
        Node file = (await Tree.OpenAtAsync(other, Tree.Root, Bytes("file"), request)).Value.Node;
        Node directory = (await Tree.CreateDirectoryAsync(other, Tree.Root, Bytes("directory"), 0x1FF)).Value.Node;
        Node link = (await Tree.CreateSymlinkAsync(other, Tree.Root, Bytes("link"), Bytes("target"))).Value.Node;
        foreach (Node node in new[] { file, directory, link })
        {
            NodeAttributes attributes = await Attributes(node.Id);
            Assert.Equal((12345u, 23456u), (attributes.Uid, attributes.Gid));
            Assert.Equal(attributes, node.Attributes);
        }

        Assert.Equal(0xDEDu, file.Attributes.Mode);
        await Tree.SetAttributesAsync(Caller, directory.Id, new AttributeChanges { Gid = 777, Mode = 0x5FF });
        Node inner = (await Tree.CreateDirectoryAsync(other, directory.Id, Bytes("inner"), 0x1C0)).Value.Node;
        Assert.Equal((777u, 0x5C0u), (inner.Attributes.Gid, inner.Attributes.Mode));
        Node within = (await Tree.OpenAtAsync(other, directory.Id, Bytes("within"), request)).Value.Node;
        Assert.Equal((12345u, 777u), (within.Attributes.Uid, within.Attributes.Gid));
        Assert.Equal(within.Attributes, await Attributes(within.Id));
    }

    [Fact]
    public async Task AttributesAreSetInAnOrderThatKeepsThemAll()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("needs root");
        Node node = await MakeFile(Tree.Root, "f", "some content");
        var changes = new AttributeChanges
        {
            Uid = 4000,
            Gid = 5000,
            Mode = 0xFED,
            Size = 4,
            AccessTime = new UnixTime(1_500_000_000, 1),
            ModifyTime = new UnixTime(1_600_000_000, 999_999_999),
        };

        Mutation mutation = (await Tree.SetAttributesAsync(Caller, node.Id, changes)).Value;

        NodeAttributes after = mutation.After;
        Assert.Equal(12, mutation.Before.Size);
        Assert.Equal((4000u, 5000u, 0xFEDu, 4L), (after.Uid, after.Gid, after.Mode, after.Size));
        Assert.Equal((changes.AccessTime, changes.ModifyTime), (after.AccessTime, after.ModifyTime));
        Assert.Equal(after, await Attributes(node.Id));
    }

    public static TheoryData<long, int> Times => new()
    {
        { 0, 0 }, { 0, 1 }, { 1_700_000_000, 999_999_999 }, { -1, 0 }, { -1, 999_999_999 }, { -1_000_000_000, 500 },
        { 2_147_483_647, 0 }, { 2_147_483_648, 7 }, { 13_569_465_600, 123_456_789 },
    };

    [Theory, MemberData(nameof(Times))]
    public async Task TimesAreKeptToTheNanosecondFromBefore1970ToTheFarFuture(long seconds, int nanoseconds)
    {
        var time = new UnixTime(seconds, nanoseconds);
        Node[] all =
        [
            await MakeFile(Tree.Root, "file"), await MakeDirectory(Tree.Root, "directory"),
            await MakeSymlink(Tree.Root, "symlink", "nowhere"),
        ];
        foreach (Node node in all)
        {
            var changes = new AttributeChanges { ModifyTime = time, AccessTime = time };
            Mutation mutation = (await Tree.SetAttributesAsync(Caller, node.Id, changes)).Value;
            Assert.Equal((time, time), (mutation.After.AccessTime, mutation.After.ModifyTime));
        }
    }

    [Fact]
    public async Task WhatIsNotNamedStays()
    {
        Node node = await MakeFile(Tree.Root, "f", "content");
        await SetOldTimes(node.Id);

        Mutation access = (await Tree.SetAttributesAsync(
            Caller, node.Id, new AttributeChanges { AccessTime = new UnixTime(5, 6) })).Value;
        Mutation mode = (await Tree.SetAttributesAsync(Caller, node.Id, new AttributeChanges { Mode = 0x100 })).Value;

        Assert.Equal((new UnixTime(5, 6), LongAgo), (access.After.AccessTime, access.After.ModifyTime));
        Assert.Equal((0x1A4u, 0x100u), (mode.Before.Mode, mode.After.Mode));
        NodeAttributes after = mode.After;
        Assert.Equal((new UnixTime(5, 6), LongAgo, 7L), (after.AccessTime, after.ModifyTime, after.Size));
    }

    [Fact]
    public async Task ASymlinksOwnAttributesAreSetAndItsModeIsLeftAlone()
    {
        Node target = await MakeFile(Tree.Root, "target");
        await SetOldTimes(target.Id);
        NodeAttributes targetBefore = await Attributes(target.Id);
        Node link = await MakeSymlink(Tree.Root, "link", "target");
        var changes = new AttributeChanges { Mode = 0x40, ModifyTime = new UnixTime(77, 0) };

        Mutation mutation = (await Tree.SetAttributesAsync(Caller, link.Id, changes)).Value;

        Assert.Equal(new UnixTime(77, 0), mutation.After.ModifyTime);
        Assert.Equal(mutation.Before.Mode, mutation.After.Mode);
        Assert.Equal(targetBefore, await Attributes(target.Id));
    }

    [Fact]
    public async Task SizesThatMakeNoSenseAreRefused()
    {
        Node file = await MakeFile(Tree.Root, "f");
        Node directory = await MakeDirectory(Tree.Root, "d");
        Node link = await MakeSymlink(Tree.Root, "l", "f");
        Assert.Equal(Errno.Invalid, await SetError(file.Id, new AttributeChanges { Size = -1 }));
        Assert.Equal(Errno.IsDirectory, await SetError(directory.Id, new AttributeChanges { Size = 0 }));
        Assert.Equal(Errno.Invalid, await SetError(link.Id, new AttributeChanges { Size = 0 }));
        var noTime = new AttributeChanges { ModifyTime = new UnixTime(0, 1_000_000_000) };
        Assert.Equal(Errno.Invalid, await SetError(file.Id, noTime));
    }

    private async Task<Errno> SetError(NodeId node, AttributeChanges changes) =>
        (await Tree.SetAttributesAsync(Caller, node, changes)).Error;

    [Fact]
    public async Task SizeIsSetThroughAFileThatIsOpenForWriting()
    {
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        await Write(made.File, 0, Bytes("0123456789"));
        var changes = new AttributeChanges { Mode = 0, Size = 3 };
        Assert.Equal(3, (await Tree.SetAttributesAsync(Caller, made.Node.Id, changes)).Value.After.Size);
        Assert.Equal(Bytes("012"), await Read(made.File, 0, 10));
    }

    [Fact]
    public async Task MutationsTellTheAttributesBeforeAndAfter()
    {
        NodeId root = Tree.Root;
        Node from = await MakeDirectory(root, "from"), to = await MakeDirectory(root, "to");
        Node file = await MakeFile(from.Id, "file");

        CreatedNode made = (await Tree.CreateDirectoryAsync(Caller, from.Id, Bytes("d"), 0x1FF)).Value;
        Assert.Equal((2u, 3u), (made.Directory.Before.LinkCount, made.Directory.After.LinkCount));
        Assert.Equal(made.Directory.After, await Attributes(from.Id));

        TwoDirectoryMutation moved = (await Tree.RenameAsync(
            Caller, from.Id, Bytes("d"), to.Id, Bytes("e"), RenameMode.Replace)).Value;
        Assert.Equal((3u, 2u), (moved.From.Before.LinkCount, moved.From.After.LinkCount));
        Assert.Equal((2u, 3u), (moved.To.Before.LinkCount, moved.To.After.LinkCount));

        Mutation removed = (await Tree.RemoveDirectoryAsync(Caller, to.Id, Bytes("e"))).Value;
        Assert.Equal((3u, 2u), (removed.Before.LinkCount, removed.After.LinkCount));

        TwoDirectoryMutation linked = (await Tree.LinkAsync(Caller, file.Id, to.Id, Bytes("second"))).Value;
        Assert.Equal((1u, 2u), (linked.From.Before.LinkCount, linked.From.After.LinkCount));
        Assert.True(linked.To.Before.IsDirectory);
        Assert.Equal(linked.To.After, await Attributes(to.Id));
    }

    [Fact]
    public async Task ForACallerWhoDoesNotWantMutationsTheChangesAreTheSame()
    {
        NodeId root = Tree.Root;
        Caller incurious = Caller with { WantsMutations = false };
        Node from = (await Tree.CreateDirectoryAsync(incurious, root, Bytes("from"), 0x1ED)).Value.Node;
        Node to = (await Tree.CreateDirectoryAsync(incurious, root, Bytes("to"), 0x1ED)).Value.Node;
        OpenRequest request = new(OpenAccess.Read | OpenAccess.Write, CreateMode.OpenOrCreate, 0x1A4);
        OpenedNode made = (await Tree.OpenAtAsync(incurious, from.Id, Bytes("file"), request)).Value;
        OpenedNode again = (await Tree.OpenAtAsync(incurious, from.Id, Bytes("file"), request)).Value;
        Assert.Equal((true, false, made.Node.Id), (made.Created, again.Created, again.Node.Id));
        Assert.Equal(made.Node.Attributes, again.Node.Attributes);
        foreach (Node node in new[] { from, to, made.Node }) Assert.Equal(node.Attributes.Mode, (await Attributes(node.Id)).Mode);

        WriteOutcome written = (await Tree.WriteAsync(incurious, made.File, 2, Bytes("content"), Stability.All)).Value;
        Assert.Equal((7, Stability.All), (written.Written, written.Reached));
        var changes = new AttributeChanges { Mode = 0x100, Size = 5, ModifyTime = LongAgo };
        Assert.True((await Tree.SetAttributesAsync(incurious, made.Node.Id, changes)).Ok);
        Assert.True((await Tree.LinkAsync(incurious, made.Node.Id, to.Id, Bytes("link"))).Ok);
        Assert.True((await Tree.RenameAsync(incurious, from.Id, Bytes("file"), to.Id, Bytes("moved"), RenameMode.NoReplace)).Ok);
        Assert.True((await Tree.RemoveDirectoryAsync(incurious, root, Bytes("from"))).Ok);
        Assert.Equal(Errno.NoEntry, (await Tree.UnlinkAsync(incurious, to.Id, Bytes("file"))).Error);

        NodeAttributes now = await Attributes((await LookUp(to.Id, "moved")).Id);
        Assert.Equal((0x100u, 5L, LongAgo, 2u), (now.Mode, now.Size, now.ModifyTime, now.LinkCount));
        Assert.Equal(Bytes("\0\0con"), await Read(made.File, 0, 10));
        Assert.Equal(["to"], await Names(root));
        Assert.Equal(["link", "moved"], await Names(to.Id));
    }

    [Fact]
    public async Task SpecialFilesKeepTheirKindAndNumbers()
    {
        Result<CreatedNode> socket = await Tree.CreateSpecialAsync(
            Caller, Tree.Root, Bytes("socket"), NodeKind.Socket, 0x1C0, 5, 6);
        Assert.Equal((NodeKind.Socket, 0u, 0u), KindAndNumbers(socket.Value.Node.Attributes));
        foreach (NodeKind kind in new[] { NodeKind.None, NodeKind.Regular, NodeKind.Directory, NodeKind.Symlink })
        {
            Assert.Equal(Errno.Invalid, (await Tree.CreateSpecialAsync(
                Caller, Tree.Root, Bytes("x"), kind, 0x1C0, 0, 0)).Error);
        }

        if (!Environment.IsPrivilegedProcess) Assert.Skip("the rest needs root");
        foreach ((NodeKind kind, uint major, uint minor) in new[]
        {
            (NodeKind.CharacterDevice, 1u, 3u), (NodeKind.BlockDevice, 259u, 0x54321u),
        })
        {
            CreatedNode device = (await Tree.CreateSpecialAsync(
                Caller, Tree.Root, Bytes($"{kind}"), kind, 0x1B0, major, minor)).Value;
            Assert.Equal((kind, major, minor), KindAndNumbers(device.Node.Attributes));
        }
    }

    private static (NodeKind, uint, uint) KindAndNumbers(in NodeAttributes attributes) =>
        (attributes.Kind, attributes.DeviceMajor, attributes.DeviceMinor);

    [Fact]
    public async Task SpaceIsPlausible()
    {
        FileSystemSpace space = (await Tree.GetSpaceAsync(Caller, Tree.Root)).Value;
        Assert.True(space.TotalBytes >= space.FreeBytes && space.FreeBytes >= space.AvailableBytes);
        Assert.True(space.TotalBytes > 0 && space.BlockBytes > 0);
    }
}
