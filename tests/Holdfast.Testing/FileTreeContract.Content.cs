using Holdfast.Files;
using Xunit;

namespace Holdfast.Testing;

public abstract partial class FileTreeContract
{
    [Theory]
    [InlineData(0), InlineData(1), InlineData(4095), InlineData(4096), InlineData(4097), InlineData(1_000_003)]
    public async Task ContentIsReadBackAsWritten(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);

        await Write(made.File, 0, content);

        Assert.Equal(length, (await Tree.GetOpenAttributesAsync(Caller, made.File)).Value.Size);
        Assert.Equal(content, await Read(made.File, 0, length + 10));
        int middle = length / 2;
        Assert.Equal(content[middle..], await Read(made.File, middle, length));
        Assert.Empty(await Read(made.File, length, 1));
        Assert.Empty(await Read(made.File, length + 1_000_000L, 1));
        Tree.Close(made.File);
    }

    [Fact]
    public async Task WritesReplaceExtendAndLeaveHolesThatReadAsZeros()
    {
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        await Write(made.File, 0, Bytes("hello world"));
        await Write(made.File, 6, Bytes("WORLD!"));
        await Write(made.File, 15, Bytes("end"));
        Assert.Equal(Bytes("hello WORLD!\0\0\0end"), await Read(made.File, 0, 100));
        Result<WriteOutcome> before = await Tree.WriteAsync(Caller, made.File, -1, new byte[1], Stability.Unstable);
        Assert.Equal(Errno.Invalid, before.Error);
        Assert.Equal(Errno.Invalid, (await Tree.ReadAsync(Caller, made.File, -1, new byte[1])).Error);
    }

    [Theory, InlineData(Stability.Unstable), InlineData(Stability.Data), InlineData(Stability.All)]
    public async Task WritesReachTheStabilityAskedForAndTellTheAttributesAround(Stability stability)
    {
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        await Write(made.File, 0, Bytes("12345"));

        WriteOutcome outcome = (await Tree.WriteAsync(Caller, made.File, 3, Bytes("abcd"), stability)).Value;

        Assert.Equal(4, outcome.Written);
        Assert.True(outcome.Reached >= stability);
        Assert.Equal(5, outcome.File.Before.Size);
        Assert.Equal(7, outcome.File.After.Size);
        Assert.Equal(7, (await Tree.CommitAsync(Caller, made.File, stability)).Value.Size);
    }

    [Fact]
    public async Task AFileIsOpenForWhatWasAskedOnly()
    {
        Node node = await MakeFile(Tree.Root, "f", "content");
        OpenId reading = (await Tree.OpenAsync(Caller, node.Id, OpenAccess.Read | OpenAccess.KeepAccessTime)).Value;
        OpenId writing = (await Tree.OpenAsync(Caller, node.Id, OpenAccess.Write)).Value;

        Assert.Equal(Errno.BadFile, (await Tree.WriteAsync(Caller, reading, 0, Bytes("x"), Stability.Unstable)).Error);
        Assert.Equal(Errno.BadFile, (await Tree.ReadAsync(Caller, writing, 0, new byte[1])).Error);
        Assert.Equal(Errno.Invalid, (await Tree.OpenAsync(Caller, node.Id, OpenAccess.None)).Error);
        const OpenAccess senseless = OpenAccess.Read | OpenAccess.Truncate;
        Assert.Equal(Errno.Invalid, (await Tree.OpenAsync(Caller, node.Id, senseless)).Error);

        Tree.Close(reading);
        Assert.Equal(Errno.BadFile, (await Tree.ReadAsync(Caller, reading, 0, new byte[1])).Error);
        Assert.Equal(Errno.BadFile, (await Tree.CommitAsync(Caller, new OpenId(0), Stability.All)).Error);
        Tree.Close(writing);
        Assert.Equal("content", await Content(node.Id));
    }

    [Fact]
    public async Task OpeningWithTruncateThrowsTheContentAway()
    {
        Node node = await MakeFile(Tree.Root, "f", "content");
        Tree.Close((await Tree.OpenAsync(Caller, node.Id, OpenAccess.Write | OpenAccess.Truncate)).Value);
        Assert.Equal(0, (await Attributes(node.Id)).Size);
        Tree.Close((await Open(Tree.Root, "f", access: OpenAccess.Write | OpenAccess.Truncate)).File);
        Assert.Equal("", await Content(node.Id));
    }

    [Fact]
    public async Task OnlyRegularFilesAreOpened()
    {
        var kinds = new (string Name, Errno Expected)[]
        {
            ("directory", Errno.IsDirectory), ("symlink", Errno.Loop),
            ("fifo", Errno.Invalid), ("socket", Errno.Invalid),
        };
        await MakeFile(Tree.Root, "file");
        await MakeDirectory(Tree.Root, "directory");
        await MakeSymlink(Tree.Root, "symlink", "file");
        await Tree.CreateSpecialAsync(Caller, Tree.Root, Bytes("fifo"), NodeKind.Fifo, 0x1B6, 0, 0);
        await Tree.CreateSpecialAsync(Caller, Tree.Root, Bytes("socket"), NodeKind.Socket, 0x1B6, 0, 0);
        foreach ((string name, Errno expected) in kinds)
        {
            Node node = await LookUp(Tree.Root, name);
            const OpenAccess both = OpenAccess.Read | OpenAccess.Write;
            foreach (OpenAccess access in new[] { OpenAccess.Read, OpenAccess.Write, both })
            {
                Assert.Equal(expected, (await Tree.OpenAsync(Caller, node.Id, access)).Error);
                Assert.Equal(expected, await OpenError(name, CreateMode.OpenExisting, access));
                Assert.Equal(expected, await OpenError(name, CreateMode.OpenOrCreate, access));
                Assert.Equal(Errno.Exists, await OpenError(name, CreateMode.CreateNew, access));
                Assert.Equal(Errno.Exists, await OpenError(name, CreateMode.Exclusive, access));
            }
        }
    }

    private async Task<Errno> OpenError(string name, CreateMode create, OpenAccess access, ulong verifier = 0) =>
        (await Tree.OpenAtAsync(
            Caller, Tree.Root, Bytes(name), new OpenRequest(access, create, 0x1A4, verifier))).Error;

    [Fact]
    public async Task CreateModesDoWhatTheySay()
    {
        Assert.Equal(Errno.NoEntry, await OpenError("f", CreateMode.OpenExisting, OpenAccess.Read));
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.OpenOrCreate);
        OpenedNode again = await Open(Tree.Root, "f", CreateMode.OpenOrCreate);

        Assert.True(made.Created);
        Assert.NotEqual(made.Directory.Before.ModifyTime, default);
        Assert.False(again.Created);
        Assert.Equal(again.Directory.Before, again.Directory.After);
        Assert.Equal(made.Node.Id, again.Node.Id);
        Assert.Equal(Errno.Exists, await OpenError("f", CreateMode.CreateNew, OpenAccess.Write));
        OpenedNode existing = await Open(Tree.Root, "f");
        Assert.False(existing.Created);
        Assert.Equal(existing.Directory.Before, existing.Directory.After);
    }

    [Theory, InlineData(0UL), InlineData(1UL), InlineData(0x0123_4567_89AB_CDEFUL), InlineData(ulong.MaxValue)]
    public async Task AnExclusiveCreateIsKnownAgainByItsVerifier(ulong verifier)
    {
        OpenRequest request = new(OpenAccess.Write, CreateMode.Exclusive, 0x1A4, verifier);
        OpenedNode made = (await Tree.OpenAtAsync(Caller, Tree.Root, Bytes("f"), request)).Value;
        OpenedNode resent = (await Tree.OpenAtAsync(Caller, Tree.Root, Bytes("f"), request)).Value;

        Assert.True(made.Created);
        Assert.False(resent.Created);
        Assert.Equal(made.Node.Id, resent.Node.Id);
        Assert.Equal(Errno.Exists, await OpenError("f", CreateMode.Exclusive, OpenAccess.Write, verifier ^ 0x10));

        await SetOldTimes(made.Node.Id);
        Assert.Equal(Errno.Exists, await OpenError("f", CreateMode.Exclusive, OpenAccess.Write, verifier));
    }

    [Fact]
    public async Task AnOpenFileSurvivesUnlinkAndRename()
    {
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        await Write(made.File, 0, Bytes("kept"));
        Result<TwoDirectoryMutation> renamed = await Tree.RenameAsync(
            Caller, Tree.Root, Bytes("f"), Tree.Root, Bytes("g"), RenameMode.Replace);
        Assert.True(renamed.Ok);
        await Write(made.File, 4, Bytes(" here"));
        Assert.True((await Tree.UnlinkAsync(Caller, Tree.Root, Bytes("g"))).Ok);

        Assert.Equal(Bytes("kept here"), await Read(made.File, 0, 100));
        await Write(made.File, 9, Bytes("!"));
        Assert.Equal(0u, (await Tree.GetOpenAttributesAsync(Caller, made.File)).Value.LinkCount);
        Assert.Equal(10, (await Attributes(made.Node.Id)).Size);

        Tree.Close(made.File);
        Assert.Equal(10, (await Attributes(made.Node.Id)).Size);
        Tree.Forget(made.Node.Id, 1);
        Assert.Empty(await Names(Tree.Root));
    }

    [Fact]
    public async Task AForgottenNodeDoesNotCloseItsOpenFile()
    {
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        Tree.Forget(made.Node.Id, 1);
        await Write(made.File, 0, Bytes("written"));
        Assert.Equal(Bytes("written"), await Read(made.File, 0, 10));
        Tree.Close(made.File);
        Assert.Equal(Errno.Stale, (await Tree.GetAttributesAsync(Caller, made.Node.Id)).Error);
    }

    [Fact]
    public async Task HolesAreFound()
    {
        const long dataAt = 1 << 20, size = 5L << 30;
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        await Write(made.File, dataAt, new byte[65536].Select((_, i) => (byte)(i | 1)).ToArray());
        var changes = new AttributeChanges { Size = size };
        Mutation grown = (await Tree.SetAttributesAsync(Caller, made.Node.Id, changes)).Value;

        Assert.Equal(size, grown.After.Size);
        Assert.Equal(new byte[16], await Read(made.File, size - 16, 100));
        long at = 0, dataBytes = 0;
        int runs = 0;
        while ((await Tree.FindExtentAsync(Caller, made.File, at)).TryGetValue(out FileExtent extent))
        {
            Assert.Equal(at, extent.Offset);
            Assert.True(extent.Length > 0);
            if (!extent.IsHole) dataBytes += extent.Length;
            at += extent.Length;
            Assert.True(++runs < 1000);
        }

        Assert.Equal(size, at);
        if (KeepsHoles)
        {
            Assert.Equal((3, 65536), (runs, dataBytes));
            Assert.True(grown.After.AllocatedBytes < 1 << 20);
            FileExtent inside = (await Tree.FindExtentAsync(Caller, made.File, dataAt + 100)).Value;
            Assert.Equal(new FileExtent(dataAt + 100, 65436, IsHole: false), inside);
        }

        Assert.Equal(Errno.NoDevice, (await Tree.FindExtentAsync(Caller, made.File, size)).Error);
        Assert.Equal(Errno.NoDevice, (await Tree.FindExtentAsync(Caller, made.File, size + 1)).Error);
        Assert.Equal(Errno.Invalid, (await Tree.FindExtentAsync(Caller, made.File, -1)).Error);
    }

    [Fact]
    public async Task AnEmptyFileHasNoExtent()
    {
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        Assert.Equal(Errno.NoDevice, (await Tree.FindExtentAsync(Caller, made.File, 0)).Error);
    }

    [Fact]
    public async Task ManyReadersAndWritersShareAFile()
    {
        const int writers = 8, blocks = 50, blockBytes = 1000;
        OpenedNode made = await Open(Tree.Root, "f", CreateMode.CreateNew);
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            byte[] block = Enumerable.Repeat((byte)(writer + 1), blockBytes).ToArray();
            for (int i = 0; i < blocks; i++) await Write(made.File, ((i * writers) + writer) * blockBytes, block);
        })));

        byte[] content = await Read(made.File, 0, (writers * blocks * blockBytes) + 1);
        Assert.Equal(writers * blocks * blockBytes, content.Length);
        for (int i = 0; i < content.Length; i++) Assert.Equal((i / blockBytes % writers) + 1, content[i]);
    }
}
