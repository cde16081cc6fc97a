using System.Text;
using Holdfast.Files;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Hostile;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>Goal: whatever became of the base, or was forged into it, the next point holds the source as it is.</summary>
public sealed class DamagedBaseTests : IDisposable
{
    private const int PieceBytes = 64 << 10;
    private static readonly BackupCounts AnyCounts = new() { Files = 1, Directories = 1, Bytes = long.MaxValue };
    private readonly BackupWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    /// <summary>A file of so many parts that its content is in lists, which are gone or broken.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task LostChunkListsOfTheBaseCostReadingAndNoMore(bool isChanged, bool isBroken)
    {
        byte[] content = TestKeys.Content(1500 * 40);
        string path = Path.Combine(world.Source, "parts");
        using (FileStream file = File.Create(path))
        {
            for (int i = 0; i < 1500; i++)
            {
                file.Position = (long)i * PieceBytes;
                file.Write(content.AsSpan(i * 40, 40));
            }
        }

        world.Write("z", [1]);
        await world.BackupAsync();
        ContentItem list;
        PackId pack;
        using (OpenVault vault = await world.OpenAsync())
        {
            Content found = await FindAsync(vault, "parts");
            Assert.Equal(1, found.Depth);
            list = found.Items[^1];
            pack = (await vault.Index.FindAsync(list.Id, ObjectKind.TreePack, Token))!.Value.Footer.Pack;
        }

        await RuinAsync(pack, list.Id, isBroken);
        if (isChanged)
        {
            using FileStream file = File.OpenWrite(path);
            file.WriteByte(77);
        }

        BackupSummary second = await world.BackupAsync();

        Assert.Equal(0, second.Counts.Errors);
        await AssertIsSourceAsync();
    }

    /// <summary>A directory of which one piece cannot be read: it is written anew, and is whole in the new point.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ALostDirectoryOfTheBaseIsWrittenAnew(bool isBroken)
    {
        for (int i = 0; i < 30; i++) world.Write($"d/f{i}", TestKeys.Content(1000 + i));
        await world.BackupAsync();
        ContentItem piece;
        PackId pack;
        using (OpenVault vault = await world.OpenAsync())
        {
            piece = (await FindAsync(vault, "d")).Items[0];
            pack = (await vault.Index.FindAsync(piece.Id, ObjectKind.TreePack, Token))!.Value.Footer.Pack;
        }

        await RuinAsync(pack, piece.Id, isBroken);
        await world.BackupAsync();

        await AssertIsSourceAsync();
    }

    /// <summary>Checks that fit nothing, those of other chunks, and none: hints, which mislead nobody.</summary>
    [Theory]
    [InlineData("none")]
    [InlineData("of nothing")]
    [InlineData("of the next")]
    [InlineData("right")]
    public async Task ChecksOfAForgedBaseMisleadNobody(string checks)
    {
        byte[] content = TestKeys.Content(3 << 20);
        world.Write("large", content);
        using OpenVault vault = await world.OpenAsync();
        using ChunkChecker checker = vault.NewChecker();
        var forge = new VaultForge(world.Store, FaultWorld.Ring);
        ContentItem[] items =
        [
            .. Enumerable.Range(0, content.Length / PieceBytes).Select(i =>
            {
                byte[] next = i + 1 < content.Length / PieceBytes ? Piece(content, i + 1) : Piece(content, 0);
                return forge.Data(Piece(content, i)) with
                {
                    Check = checks switch
                    {
                        "of nothing" => new ChunkCheck(1, (ulong)i),
                        "of the next" => checker.Of(next),
                        "right" => checker.Of(Piece(content, i)),
                        _ => default,
                    },
                };
            }),
        ];
        forge.PutPointOf(Root(forge, VaultForge.File("large", items)), point => point with { Roots = ["/src"u8.ToArray()], Counts = AnyCounts });

        BackupSummary summary = await world.BackupAsync();

        Assert.NotNull(summary.Base);
        // It is the keyed check that is trusted, and nothing else: right ones are cuts that no chunker of ours makes.
        if (checks == "right" && ChunkChecker.IsFast) Assert.InRange(summary.Counts.BytesAdded, 0, PieceBytes);
        else Assert.InRange(summary.Counts.BytesAdded, content.Length, content.Length + PieceBytes);
        await world.AssertIsSourceAsync();
    }

    /// <summary>Lists of lists of nothing but holes, 2⁵⁰ of them: who looks for the next chunk must give up.</summary>
    [Fact]
    public async Task HolesWithoutEndInAForgedBaseDoNotHoldUpTheBackup()
    {
        world.Write("large", TestKeys.Content(2 << 20));
        using OpenVault vault = await world.OpenAsync();
        var forge = new VaultForge(world.Store, FaultWorld.Ring);
        var content = new Content(0, [.. Enumerable.Repeat(ContentItem.Hole(1), Content.MaxItems)]);
        for (int depth = 1; depth <= Content.MaxDepth; depth++) content = new Content(depth, [.. Enumerable.Repeat(forge.List(content), Content.MaxItems)]);
        forge.PutPointOf(
            Root(forge, VaultForge.Entry("large", NodeKind.Regular, content)), point => point with { Roots = ["/src"u8.ToArray()], Counts = AnyCounts });

        BackupSummary summary = await world.BackupAsync().WaitAsync(TimeSpan.FromSeconds(20), Token);

        Assert.NotNull(summary.Base);
        await world.AssertIsSourceAsync();
    }

    private static Content Root(VaultForge forge, TreeEntry entry) =>
        forge.Directory(VaultForge.Entry("/src", NodeKind.Directory, forge.Directory(entry)));

    private static byte[] Piece(byte[] content, int index) => content[(index * PieceBytes)..((index + 1) * PieceBytes)];

    /// <summary>The newest point must be whole and hold the source; of the older one damage is known.</summary>
    private async Task AssertIsSourceAsync()
    {
        using OpenVault vault = await world.OpenAsync();
        await FaultWorld.AssertIsAsync(vault, await BackupWorld.NewestAsync(vault), world.Source);
    }

    private static async Task<Content> FindAsync(OpenVault vault, string name)
    {
        RestorePoint point = await BackupWorld.NewestAsync(vault);
        List<TreeEntry> roots = await vault.Trees.ReadDirectoryAsync(point.Tree, isPointRoot: true, Token);
        await foreach (TreeItem item in TreeWalk.BelowAsync(vault.Trees, Assert.Single(roots), [], Token))
        {
            if (Encoding.UTF8.GetString(item.Path) == name) return item.Entry.Content!;
        }

        throw new InvalidOperationException($"{name} is not in the tree");
    }

    /// <summary>Takes a pack away, or breaks the group in it where a chunk lies.</summary>
    private async Task RuinAsync(PackId pack, ChunkId chunk, bool isBroken)
    {
        if (!isBroken)
        {
            Assert.True(await world.Store.DeleteAsync(pack.ObjectName, Token));
            return;
        }

        using OpenVault vault = await world.OpenAsync();
        PackFooter footer = (await vault.Index.TryGetFooterAsync(pack, Token))!;
        PackGroup group = footer.Groups[footer.Chunks.Single(each => each.Id == chunk).Group];
        byte[] content = (await Storage.ObjectStoreExtensions.TryGetAsync(world.Store, pack.ObjectName, PackFooter.MaxPackBytes, Token))!;
        content[group.Offset] ^= 1;
        world.Store.Overwrite(pack.ObjectName, content);
    }
}
