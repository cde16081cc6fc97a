using Holdfast.Files;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using static Holdfast.Vault.Tests.Hostile.VaultForge;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Hostile;

/// <summary>Something hostile in a vault.</summary>
/// <param name="Name">What.</param>
/// <param name="Forge">Puts it, and the point that is to be read.</param>
/// <param name="Complaints">The verbs that must say so; the others may.</param>
internal sealed record HostileCase(string Name, Func<VaultForge, RestorePoint> Forge, params string[] Complaints)
{
    /// <summary>The verbs that must not be kept from what is whole.</summary>
    public string[] Passes { get; init; } = [];
}

/// <summary>Vaults that a writer made who has a key and means harm.</summary>
/// <remarks>A tree cannot lead to itself: what names a chunk holds the hash of it. What comes nearest is here: chains that are
/// very deep, and few directories that name each other so often that there is no end to their paths.</remarks>
internal static class HostileTrees
{
    private static readonly string[] Walks = ["ls", "find", "restore", "rehearse", "diff", "check"];
    private static readonly string[] Endless = [.. Walks, "export"];
    private static readonly string[] Readers = ["ls", "find", "cat", "changes", "diff", "restore", "backup"];
    private static readonly string[] Contents = ["cat", "restore", "check"];

    public static IReadOnlyList<HostileCase> All { get; } =
    [
        new("directories that name each other over and over", forge => forge.PutPoint(Laughs(forge)), Endless),
        new("very deep directories", forge => forge.PutPoint(Deep(forge, 20_000)), Endless),
        new("as deep as a path may be", forge => forge.PutPoint(Deep(forge, 1000))) { Passes = ["ls", "find", "diff", "restore", "check"] },
        new("a run without end", forge => forge.PutPoint(forge.Directory(File("file", new ContentItem(ContentItemKind.Run, forge.Data([1, 2, 3, 4]).Id, 4, 1L << 60)))), Endless),
        new("a hole without end", forge => forge.PutPoint(forge.Directory(File("file", ContentItem.Hole(long.MaxValue)))), Walks),
        new("chunk lists that name each other over and over", forge => forge.PutPoint(forge.Directory(Entry("file", NodeKind.Regular, ListLaughs(forge)))), Endless),
        new("chunk lists too deep", forge => forge.PutPoint(forge.Directory(Entry("file", NodeKind.Regular, new Content(5, [forge.Data([1])])))), [.. Walks, "cat"]),
        new("a list that says another length", forge => forge.PutPoint(OfFile(forge, new Content(1, [forge.List(Some(forge), length: 99)]))), Contents),
        new("a list that says another depth", forge => forge.PutPoint(OfFile(forge, new Content(3, [forge.List(Some(forge))]))), Contents),
        new("a list of nothing", forge => forge.PutPoint(OfFile(forge, new Content(1, [forge.List(Content.Empty, length: 1)]))), Contents),
        new("a list in place of a directory", forge => forge.PutPoint(new Content(0, [Exact(forge, ListBytes(Some(forge)))])), Walks),
        new("a directory in place of a list", forge => forge.PutPoint(OfFile(forge, new Content(1, [Exact(forge, Encode(File("x")))]))), Contents),
        new("file content in place of a directory", forge => forge.PutPoint(new Content(0, [forge.Data(Encode(File("x")))])), Walks),
        new("a directory in place of file content", forge => forge.PutPoint(OfFile(forge, new Content(0, [Exact(forge, Encode(File("x")))]))), Contents),
        new("a directory of runs", forge => forge.PutPoint(new Content(0, [Exact(forge, Encode(File("x"))) with { Kind = ContentItemKind.Run, Repeats = 1L << 40 }])), Walks),
        new("a directory of holes", forge => forge.PutPoint(new Content(0, [ContentItem.Hole(1L << 40)])), Walks),
        new("a piece of a directory without entries, over and over", forge => forge.PutPoint(new Content(0, [.. Enumerable.Repeat(Exact(forge, Encode()), 1000)])), Walks),
        new("the same piece of a directory twice", forge => forge.PutPoint(new Content(0, [.. Enumerable.Repeat(Exact(forge, Encode(File("x"))), 2)])), Walks),
        new("a chunk with another length than is said", forge => forge.PutPoint(OfFile(forge, new Content(0, [forge.Data([1, 2, 3]) with { Length = 4 }]))), Contents),
        new("names twice", forge => forge.PutPoint(forge.Directory(File("x"), File("x"))), Walks),
        new("names out of order", forge => forge.PutPoint(forge.Directory(File("y"), File("x"))), Walks),
        new("a name of 1,024 bytes", forge => forge.PutPoint(forge.Directory(File(new string('n', 1024)))), Walks),
        new("a name with NUL", forge => forge.PutPoint(forge.Directory(File("a\0b"))), Walks),
        new("a name that leads up", forge => forge.PutPoint(forge.Directory(File("../outside/evil"))), Walks),
        new("a symlink, and a directory of its name", forge => forge.PutPoint(
            forge.Directory(Entry("a", NodeKind.Symlink, target: "../outside"), Entry("a", NodeKind.Directory, forge.Directory(File("evil"))))), Walks),
        new("a symlink, and a hard link of it as a directory", forge => forge.PutPoint(LinkTrick(forge))),
        new("a tree that begins elsewhere", forge => forge.PutPointOf(forge.Directory(Entry("/elsewhere", NodeKind.Directory))), "ls", "find", "restore", "diff", "export", "check"),
        new("a root twice", forge => forge.PutPointOf(forge.Directory(Entry("/source", NodeKind.Directory), Entry("/source", NodeKind.Directory))), Walks),
        new("a change list over and over", forge => forge.PutPoint(forge.Directory(File("file")), point => point with { Changes = Changes(forge) }), "changes"),
        new("a tree that is not there", forge => forge.PutPoint(new Content(0, [ContentItem.Chunk(new ChunkId(1, 2, 3, 4), 50)])), Walks),
        new("counts as large as can be", forge => forge.PutPoint(OfFile(forge, Some(forge)), Boast)) { Passes = [.. Readers, "stats", "check"] },
        new("a group that grows to the limit", forge => forge.PutPoint(OfFile(forge, Bomb(forge, Compress(new byte[8 << 20]), 8 << 20))), Contents),
        new("a group that grows beyond what is said", forge => forge.PutPoint(OfFile(forge, Bomb(forge, Compress(new byte[64 << 20]), 1000))), Contents),
        new("a group that is said to be enormous", forge => forge.PutPoint(OfFile(forge, Bomb(forge, Compress(new byte[100]), uint.MaxValue))), Contents),
        new("an index that leads nowhere", IndexToNowhere, "check") { Passes = Readers },
        new("references of absurd counts", forge => Spoil(forge, ObjectKind.References, ReferenceSet.Name, [0xFF, 0xFF, 0xFF, 0xFF]), "check", "stats") { Passes = Readers },
        // Our own signature says that there is one: what was sealed without it, removed keys could read.
        new("objects of an epoch that is not", OtherEpochs, "check", "backup") { Passes = [.. Readers.Except(["backup"])] },
    ];

    /// <summary>2⁶⁰ files in 60 chunks.</summary>
    public static Content Laughs(VaultForge forge)
    {
        Content inner = forge.Directory(File("file", forge.Data([1])));
        for (int i = 0; i < 60; i++) inner = forge.Directory(Entry("a", NodeKind.Directory, inner), Entry("b", NodeKind.Directory, inner));
        return inner;
    }

    /// <summary>A point that says of itself whatever cannot be.</summary>
    public static RestorePoint Boast(RestorePoint point) => point with
    {
        Counts = new BackupCounts { Files = long.MaxValue, Directories = long.MaxValue, Bytes = long.MaxValue, Duration = TimeSpan.MaxValue / 4 },
    };

    private static Content Deep(VaultForge forge, int levels)
    {
        Content inner = forge.Directory(File("file", forge.Data([1])));
        for (int i = 0; i < levels; i++) inner = forge.Directory(Entry("d", NodeKind.Directory, inner));
        return inner;
    }

    /// <summary>10¹⁵ bytes in five chunks.</summary>
    private static Content ListLaughs(VaultForge forge)
    {
        var content = new Content(0, [.. Enumerable.Repeat(forge.Data([1]), 1000)]);
        for (int depth = 1; depth <= Content.MaxDepth; depth++) content = new Content(depth, [.. Enumerable.Repeat(forge.List(content), 1000)]);
        return content;
    }

    private static Content Some(VaultForge forge) => new(0, [forge.Data(TestKeys.Content(500))]);

    private static Content OfFile(VaultForge forge, Content content) => forge.Directory(Entry("file", NodeKind.Regular, content));

    private static ContentItem Exact(VaultForge forge, byte[] tree) => forge.Tree(tree);

    private static byte[] ListBytes(Content content)
    {
        var writer = new ByteWriter();
        writer.U8((byte)TreeChunkKind.ChunkList);
        content.Encode(writer);
        return writer.ToArray();
    }

    private static Content Changes(VaultForge forge)
    {
        var writer = new ByteWriter();
        writer.U8((byte)TreeChunkKind.ChangeList);
        TreeChange.Encode(writer, ChangeKind.Added, "file"u8);
        var content = new Content(0, [.. Enumerable.Repeat(forge.Tree(writer.Written), 1000)]);
        for (int depth = 1; depth <= Content.MaxDepth; depth++) content = new Content(depth, [.. Enumerable.Repeat(forge.List(content), 1000)]);
        return content;
    }

    private static Content LinkTrick(VaultForge forge)
    {
        TreeEntry link = Entry("a", NodeKind.Symlink, target: "../outside"), further = Entry("b", NodeKind.Regular, Some(forge));
        link.Attributes = link.Attributes with { LinkCount = 2, Inode = 5 };
        further.Attributes = further.Attributes with { LinkCount = 2, Inode = 5 };
        return forge.Directory(link, further, Entry("c", NodeKind.Directory, forge.Directory(File("x"))));
    }

    /// <summary>A chunk in a group that holds something else than its footer says.</summary>
    private static Content Bomb(VaultForge forge, byte[] stored, long rawBytes)
    {
        long length = Math.Min(rawBytes, 1000);
        var id = new ChunkId(5, 6, 7, 8);
        var pack = new PackId(ObjectKind.DataPack, forge.NextSession(), 0);
        (ChunkId, long)[] chunks = rawBytes <= 1000 ? [(id, length)] : [(id, length), (new ChunkId(6, 6, 7, 8), rawBytes - length)];
        PackFooter footer = forge.PutPack(pack, [new ForgedGroup(stored, rawBytes, (byte)GroupCoding.Zstd, chunks)]);
        string index = IndexObject.Name(pack.Session, 0);
        forge.Store.Overwrite(index, forge.Index(index, [footer]));
        return new Content(0, [ContentItem.Chunk(id, length)]);
    }

    private static RestorePoint IndexToNowhere(VaultForge forge)
    {
        RestorePoint point = forge.PutPoint(OfFile(forge, Some(forge)));
        SessionId session = forge.NextSession();
        PackChunk[] chunks = [.. point.Tree.Items.Select(item => new PackChunk(item.Id, 0, 0, (int)item.Length))];
        PackFooter nowhere = forge.PutPack(new PackId(ObjectKind.TreePack, session, 7), []);
        forge.Store.DeleteAsync(nowhere.Pack.ObjectName, CancellationToken.None).GetAwaiter().GetResult();
        var said = new PackFooter
        {
            Pack = nowhere.Pack,
            WriterId = 0,
            Epoch = 1,
            Cipher = nowhere.Cipher,
            KeyId = 0,
            SealedKey = [],
            PackBytes = 1000,
            FooterBytes = 100,
            Groups = [],
            Chunks = chunks,
        };
        string name = IndexObject.Name(session, 0);
        forge.Store.Overwrite(name, forge.Index(name, [said]));
        return point;
    }

    private static RestorePoint Spoil(VaultForge forge, ObjectKind kind, Func<SessionId, string> nameOf, byte[] body)
    {
        RestorePoint point = forge.PutPoint(OfFile(forge, Some(forge)));
        forge.Store.Overwrite(nameOf(point.Id), forge.Seal(kind, nameOf(point.Id), body));
        return point;
    }

    /// <summary>Beside a good point: none of it may keep anybody from that.</summary>
    private static RestorePoint OtherEpochs(VaultForge forge)
    {
        RestorePoint point = forge.PutPoint(OfFile(forge, Some(forge)));
        SessionId session = forge.NextSession();
        forge.PutPack(new PackId(ObjectKind.TreePack, session, 0), [], epoch: 99);
        forge.Store.Overwrite(PointCodec.Name(session), forge.Seal(ObjectKind.Point, PointCodec.Name(session), [], epoch: 99));
        forge.Store.Overwrite(ReferenceSet.Name(session), forge.Seal(ObjectKind.References, ReferenceSet.Name(session), [], epoch: 99));
        return point;
    }
}
