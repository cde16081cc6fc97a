using System.Text;
using Holdfast.Files;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Tests;

/// <summary>Whatever a vault says, a restore stays inside its target.</summary>
public sealed class HostileVaultTests : IDisposable
{
    private readonly VaultFixture fixture = new();
    private readonly string outside;

    public HostileVaultTests()
    {
        outside = fixture.PathOf("outside");
        Directory.CreateDirectory(outside);
    }

    private CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory, InlineData("../outside/evil"), InlineData("/tmp/evil"), InlineData("a/b"), InlineData(".."), InlineData("."), InlineData("")]
    public async Task ANameThatLeadsElsewhereIsDamageAndWritesNothing(string name)
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId point = await WritePointAsync(vault, [await FileAsync(vault, name)]);

        RestoreSummary summary = await fixture.RestoreAsync(vault, point, "target");

        Assert.Equal(1, summary.Damaged);
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Empty(Directory.GetFileSystemEntries(fixture.PathOf("target")));
        Assert.False(File.Exists("/tmp/evil"));
    }

    [Fact]
    public async Task ASymlinkAndThenAFileThroughItIsDamageAndWritesNothingOutside()
    {
        using OpenVault vault = await fixture.InitAsync();
        TreeEntry link = Entry("a", NodeKind.Symlink, target: outside);
        TreeEntry directory = Entry("a", NodeKind.Directory);
        directory.Content = await DirectoryAsync(vault, [await FileAsync(vault, "evil")]);
        SessionId point = await WritePointAsync(vault, [link, directory]);

        RestoreSummary summary = await fixture.RestoreAsync(vault, point, "target");

        Assert.Equal(1, summary.Damaged);
        Assert.Empty(Directory.GetFileSystemEntries(outside));
    }

    [Fact]
    public async Task ASymlinkInTheTargetIsReplacedAndNotFollowed()
    {
        using OpenVault vault = await fixture.InitAsync();
        TreeEntry directory = Entry("a", NodeKind.Directory);
        directory.Content = await DirectoryAsync(vault, [await FileAsync(vault, "file")]);
        SessionId point = await WritePointAsync(vault, [directory, await FileAsync(vault, "b")]);
        Directory.CreateDirectory(fixture.PathOf("target"));
        Directory.CreateSymbolicLink(fixture.PathOf("target/a"), outside);
        File.WriteAllText(Path.Combine(outside, "victim"), "untouched");
        File.CreateSymbolicLink(fixture.PathOf("target/b"), Path.Combine(outside, "victim"));

        RestoreSummary summary = await fixture.RestoreAsync(vault, point, "target");

        Assert.Equal(0, summary.Errors);
        Assert.Equal(["victim"], Directory.GetFileSystemEntries(outside).Select(Path.GetFileName));
        Assert.Equal("untouched", File.ReadAllText(Path.Combine(outside, "victim")));
        Assert.Equal("evil content", File.ReadAllText(fixture.PathOf("target/a/file")));
        Assert.Equal("evil content", File.ReadAllText(fixture.PathOf("target/b")));
        Assert.Null(File.ResolveLinkTarget(fixture.PathOf("target/b"), false));
    }

    [Fact]
    public async Task AFileWithANameOutsideOfTheTargetIsReplacedAndNotWrittenInto()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId point = await WritePointAsync(vault, [await FileAsync(vault, "file")]);
        Directory.CreateDirectory(fixture.PathOf("target"));
        string victim = Path.Combine(outside, "victim");
        File.WriteAllText(victim, "untouched");
        System.Diagnostics.Process.Start("ln", [victim, fixture.PathOf("target/file")]).WaitForExit();

        RestoreSummary summary = await fixture.RestoreAsync(vault, point, "target");

        Assert.Equal(0, summary.Errors);
        Assert.Equal("untouched", File.ReadAllText(victim));
        Assert.Equal("evil content", File.ReadAllText(fixture.PathOf("target/file")));
    }

    [Fact]
    public async Task AFileWhoseContentIsNotInTheVaultIsNamedAndTheRestComesBack()
    {
        using OpenVault vault = await fixture.InitAsync();
        TreeEntry broken = Entry("broken", NodeKind.Regular);
        broken.Content = new Content(0, [ContentItem.Chunk(new ChunkId(1, 2, 3, 4), 100)]);
        broken.Attributes = broken.Attributes with { Size = 100 };
        SessionId point = await WritePointAsync(vault, [broken, await FileAsync(vault, "whole")]);

        RestoreSummary summary = await fixture.RestoreAsync(vault, point, "target");

        Assert.Equal(1, summary.Damaged);
        Assert.Equal("broken", Encoding.UTF8.GetString(Assert.Single(fixture.Notices).Path.Span));
        Assert.Equal(["whole"], Directory.GetFileSystemEntries(fixture.PathOf("target")).Select(Path.GetFileName));
    }

    private static TreeEntry Entry(string name, NodeKind kind, string? target = null) => new()
    {
        Name = Encoding.UTF8.GetBytes(name),
        Attributes = new NodeAttributes { Kind = kind, Mode = 0x1ED, LinkCount = 1, ModifyTime = new UnixTime(1_000_000, 0) },
        Target = target is null ? null : Encoding.UTF8.GetBytes(target),
        Content = Content.Empty,
    };

    /// <summary>A directory as the document describes it, but with whatever names: our own codec refuses to write some.</summary>
    private static ByteWriter EncodeUnchecked(TreeEntry[] entries)
    {
        var writer = new ByteWriter();
        writer.U8((byte)TreeChunkKind.Directory);
        writer.Varint(0);
        writer.Varint(0);
        foreach (TreeEntry entry in entries)
        {
            writer.U8((byte)entry.Attributes.Kind);
            writer.ByteString(entry.Name);
            foreach (uint number in (uint[])[entry.Attributes.Mode, 0, 0]) writer.Varint(number);
            writer.SignedVarint(entry.Attributes.ModifyTime.Seconds);
            writer.Varint(0);
            writer.SignedVarint(0);
            // Nanoseconds of ctime, inode, device, links, extended attributes.
            foreach (uint number in (uint[])[0, 1, 0, 1, 0]) writer.Varint(number);
            if (entry.Attributes.Kind == NodeKind.Regular) writer.Varint((ulong)entry.Attributes.Size);
            if (entry.Attributes.Kind == NodeKind.Symlink) writer.ByteString(entry.Target);
            else entry.Content!.Encode(writer);
        }

        return writer;
    }

    private static async Task<T> WriteAsync<T>(OpenVault vault, Func<WriteSession, Task<T>> write)
    {
        await using WriteSession session = await WriteSession.BeginAsync(vault, "hostile", 3, 4, TestContext.Current.CancellationToken);
        T result = await write(session);
        await session.SealAsync(TestContext.Current.CancellationToken);
        await session.EndAsync(TestContext.Current.CancellationToken);
        return result;
    }

    private Task<TreeEntry> FileAsync(OpenVault vault, string name) => WriteAsync(vault, async session =>
    {
        byte[] content = "evil content"u8.ToArray();
        var sink = new ChunkSink(session, ObjectKind.DataPack);
        ChunkId id = vault.DataIdentity.Of(content);
        await sink.AddAsync(id, content, Token);
        sink.Flush(Token);
        TreeEntry entry = Entry(name, NodeKind.Regular);
        entry.Content = new Content(0, [ContentItem.Chunk(id, content.Length)]);
        entry.Attributes = entry.Attributes with { Size = content.Length };
        return entry;
    });

    private Task<Content> DirectoryAsync(OpenVault vault, TreeEntry[] entries) => WriteAsync(vault, async session =>
    {
        ByteWriter piece = EncodeUnchecked(entries);
        var sink = new ChunkSink(session, ObjectKind.TreePack);
        ChunkId id = vault.TreeIdentity.Of(piece.Written);
        await sink.AddAsync(id, piece.WrittenMemory, Token);
        sink.Flush(Token);
        return new Content(0, [ContentItem.Chunk(id, piece.Length)]);
    });

    private async Task<SessionId> WritePointAsync(OpenVault vault, TreeEntry[] entries)
    {
        TreeEntry root = Entry("/source", NodeKind.Directory);
        root.Content = await DirectoryAsync(vault, entries);
        Content tree = await DirectoryAsync(vault, [root]);
        return await WriteAsync(vault, async session =>
        {
            var point = new RestorePoint
            {
                Id = session.Id,
                Time = DateTimeOffset.UnixEpoch,
                Received = default,
                EffectiveTime = default,
                Kind = PointKind.Full,
                Base = null,
                Host = "hostile",
                Roots = ["/source"u8.ToArray()],
                Tags = [],
                Program = "test",
                Counts = new BackupCounts(),
                Tree = tree,
            };
            await session.PutObjectAsync(ObjectKind.Point, PointCodec.Name(session.Id), PointCodec.Encode(point), Token);
            return session.Id;
        });
    }
}
