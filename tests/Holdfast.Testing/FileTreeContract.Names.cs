using Holdfast.Files;
using Xunit;

namespace Holdfast.Testing;

public abstract partial class FileTreeContract
{
    public static TheoryData<byte[]> StrangeNames => new(
        "plain"u8.ToArray(),
        "with\nnewline"u8.ToArray(),
        "-rf"u8.ToArray(),
        "..."u8.ToArray(),
        " "u8.ToArray(),
        "\\*?\"'`$|;&<>"u8.ToArray(),
        "näme✓"u8.ToArray(),
        [0xFF, 0xFE, 0x80],
        [0x01, 0x7F, 0x1B],
        "%2F"u8.ToArray());

    public static TheoryData<byte[], Errno> BadNames => new()
    {
        { [], Errno.Invalid },
        { "."u8.ToArray(), Errno.Invalid },
        { ".."u8.ToArray(), Errno.Invalid },
        { "/"u8.ToArray(), Errno.Invalid },
        { "a/b"u8.ToArray(), Errno.Invalid },
        { "a/"u8.ToArray(), Errno.Invalid },
        { [(byte)'a', 0], Errno.Invalid },
        { [0], Errno.Invalid },
    };

    [Theory, MemberData(nameof(StrangeNames))]
    public async Task NamesAreBytes(byte[] name)
    {
        OpenRequest create = new(OpenAccess.Write, CreateMode.CreateNew);
        OpenedNode made = (await Tree.OpenAtAsync(Caller, Tree.Root, name, create)).Value;
        Tree.Close(made.File);

        var scan = new DirectoryScan();
        Assert.Equal(1, (await Tree.ScanAsync(Caller, Tree.Root, scan)).Value);
        Assert.Equal(name, scan.NameOf(0).ToArray());
        Node found = (await Tree.LookupAsync(Caller, Tree.Root, name)).Value;
        Assert.Equal(made.Node.Id, found.Id);
        Assert.Equal(Errno.None, (await Tree.UnlinkAsync(Caller, Tree.Root, name)).Error);
    }

    [Fact]
    public async Task NamesMayBeAsLongAsTheLimitAndNoLonger()
    {
        var longest = new string('x', Tree.Limits.MaxNameBytes);

        await MakeFile(Tree.Root, longest);

        Assert.Equal([longest], await Names(Tree.Root));
        await EveryOperationByNameAnswers(Bytes(longest + "x"), Errno.NameTooLong);
    }

    [Theory, MemberData(nameof(BadNames))]
    public async Task BadNamesAreRefusedByEveryOperation(byte[] name, Errno expected)
    {
        await EveryOperationByNameAnswers(name, expected);
        Assert.Equal(["good"], await Names(Tree.Root));
    }

    private async Task EveryOperationByNameAnswers(byte[] name, Errno expected)
    {
        NodeId root = Tree.Root;
        Node good = await OpenOrMake("good");
        byte[] goodName = Bytes("good"), spare = Bytes("spare");
        if (!name.AsSpan().SequenceEqual(".."u8))
        {
            Assert.Equal(expected, (await Tree.LookupAsync(Caller, root, name)).Error);
        }

        foreach (CreateMode mode in Enum.GetValues<CreateMode>())
        {
            OpenRequest request = new(OpenAccess.Write, mode);
            Assert.Equal(expected, (await Tree.OpenAtAsync(Caller, root, name, request)).Error);
        }

        Assert.Equal(expected, (await Tree.CreateDirectoryAsync(Caller, root, name, 0x1FF)).Error);
        Assert.Equal(expected, (await Tree.CreateSymlinkAsync(Caller, root, name, Bytes("target"))).Error);
        Assert.Equal(expected, (await Tree.CreateSpecialAsync(Caller, root, name, NodeKind.Fifo, 0x1FF, 0, 0)).Error);
        Assert.Equal(expected, (await Tree.LinkAsync(Caller, good.Id, root, name)).Error);
        Assert.Equal(expected, (await Tree.UnlinkAsync(Caller, root, name)).Error);
        Assert.Equal(expected, (await Tree.RemoveDirectoryAsync(Caller, root, name)).Error);
        Assert.Equal(expected, (await Tree.RenameAsync(Caller, root, goodName, root, name, RenameMode.Replace)).Error);
        Assert.Equal(expected, (await Tree.RenameAsync(Caller, root, name, root, spare, RenameMode.Replace)).Error);
    }

    private async Task<Node> OpenOrMake(string name)
    {
        OpenedNode opened = await Open(Tree.Root, name, CreateMode.OpenOrCreate);
        Tree.Close(opened.File);
        return opened.Node;
    }

    [Fact]
    public async Task TheRootIsAlwaysValid()
    {
        Tree.Forget(Tree.Root, 1);
        Tree.Forget(Tree.Root, 1000);
        Assert.Equal(NodeKind.Directory, (await Attributes(Tree.Root)).Kind);
    }

    [Fact]
    public async Task DotDotIsTheParentAndTheRootsIsTheRoot()
    {
        Node outer = await MakeDirectory(Tree.Root, "outer");
        Node inner = await MakeDirectory(outer.Id, "inner");
        Assert.Equal(outer.Id, (await LookUp(inner.Id, "..")).Id);
        Assert.Equal(Tree.Root, (await LookUp(outer.Id, "..")).Id);
        Assert.Equal(Tree.Root, (await LookUp(Tree.Root, "..")).Id);
        Node file = await MakeFile(Tree.Root, "file");
        Assert.Equal(Errno.NotDirectory, await LookUpError(file.Id, ".."));
    }

    [Fact]
    public async Task MissingAndMisplacedNamesAreAnsweredByErrno()
    {
        Node file = await MakeFile(Tree.Root, "file");
        Assert.Equal(Errno.NoEntry, await LookUpError(Tree.Root, "absent"));
        Assert.Equal(Errno.NotDirectory, await LookUpError(file.Id, "x"));
        Assert.Equal(Errno.NotDirectory, (await Tree.ScanAsync(Caller, file.Id, new DirectoryScan())).Error);
        Assert.Equal(Errno.NotDirectory, (await Tree.ListAsync(Caller, file.Id, 0, [], 10)).Error);
        Assert.Equal(Errno.NotDirectory, (await Tree.CreateDirectoryAsync(Caller, file.Id, Bytes("x"), 0x1FF)).Error);
        Assert.Equal(Errno.Exists, (await Tree.CreateDirectoryAsync(Caller, Tree.Root, Bytes("file"), 0x1FF)).Error);
        Assert.Equal(Errno.Exists, (await Tree.CreateSymlinkAsync(Caller, Tree.Root, Bytes("file"), Bytes("t"))).Error);
        Assert.Equal(Errno.NoEntry, (await Tree.UnlinkAsync(Caller, Tree.Root, Bytes("absent"))).Error);
    }

    [Fact]
    public async Task AReferencedNodeIsFoundUnderTheSameIdAndAForgottenOneIsGone()
    {
        Node made = await MakeDirectory(Tree.Root, "d");
        Node again = await LookUp(Tree.Root, "d");
        Assert.Equal(made.Id, again.Id);

        Tree.Forget(made.Id, 1);
        Assert.Equal(NodeKind.Directory, (await Attributes(made.Id)).Kind);
        Tree.Forget(made.Id, 1);

        Assert.Equal(Errno.Stale, (await Tree.GetAttributesAsync(Caller, made.Id)).Error);
        Assert.NotEqual(made.Id, (await LookUp(Tree.Root, "d")).Id);
    }
}
