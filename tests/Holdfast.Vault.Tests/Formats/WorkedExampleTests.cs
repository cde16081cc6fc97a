using Holdfast.Files;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Formats;

public sealed class WorkedExampleTests
{
    private static readonly byte[] VaultId = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];
    private static readonly ChunkId Chunk = ChunkId.Decode([.. Enumerable.Range(0x80, 32).Select(i => (byte)i)]);

    [Fact]
    public void TheDescriptorIsWrittenAsTheDocumentShows() =>
        Assert.Equal(VaultDocument.DumpAfter("The descriptor of the vault"), VaultDescriptor.Encode(VaultId));

    [Fact]
    public void ADirectoryOfOneFileIsWrittenAsTheDocumentShows()
    {
        var writer = new ByteWriter();
        DirectoryCodec.Encode(writer, [Entry()]);

        Assert.Equal(Convert.ToHexString(VaultDocument.DumpAfter("The tree chunk of a directory")), Convert.ToHexString(writer.Written));
    }

    [Fact]
    public void TheDirectoryOfTheDocumentIsRead()
    {
        TreeEntry read = Assert.Single(DirectoryCodec.Decode(VaultDocument.DumpAfter("The tree chunk of a directory"), "test", isPointRoot: false));

        Assert.Equal("a.txt"u8, read.Name);
        Assert.Equal(Entry().Attributes, read.Attributes);
        Assert.Equal("root"u8, read.UserName!);
        Assert.Null(read.GroupName);
        Assert.True(Entry().Content!.SameAs(read.Content!));
    }

    private static TreeEntry Entry() => new()
    {
        Name = "a.txt"u8.ToArray(),
        Attributes = new NodeAttributes
        {
            Kind = NodeKind.Regular,
            Mode = 0x1A4,
            Uid = 0,
            Gid = 100,
            ModifyTime = new UnixTime(1_767_225_600, 500),
            ChangeTime = new UnixTime(1_767_225_601, 0),
            Inode = 1234,
            LinkCount = 1,
            Size = 300,
        },
        UserName = "root"u8.ToArray(),
        Xattrs = [new Xattr("user.k"u8.ToArray(), "v"u8.ToArray())],
        Content = new Content(0, [ContentItem.Chunk(Chunk, 300)]),
    };
}
