using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Trees;
using TreeEntry = Holdfast.Vault.Trees.TreeEntry;

namespace Holdfast.Vault.Tests.Faults;

/// <summary>Sources on the real disk, vaults on any store, opened without the cost of a password.</summary>
internal sealed class FaultWorld : IDisposable
{
    public static readonly byte[] VaultId = TestKeys.Content(16);
    public static readonly KeyRing Ring = TestKeys.Ring();
    private readonly TemporaryDirectory directory = new();
    private readonly List<DirectoryTree> trees = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A directory with these files, "name: content", and a tree on it.</summary>
    public (string Path, DirectoryTree Tree) Source(string name, params (string Name, byte[] Content)[] files)
    {
        string path = Path.Combine(directory.Path, name);
        Directory.CreateDirectory(path);
        foreach ((string file, byte[] content) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(path, file))!);
            File.WriteAllBytes(Path.Combine(path, file), content);
        }

        DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(path)).Value;
        trees.Add(tree);
        return (path, tree);
    }

    public static async Task InitAsync(IObjectStore store) => await store.PutIfAbsentAsync("vault", VaultDescriptor.Encode(VaultId), Token);

    public static async Task<OpenVault> OpenAsync(IObjectStore store, int seed, TimeProvider? clock = null) => OpenVault.Open(
        new Host(new SimulatedDisk(seed), clock ?? TimeProvider.System, new SimulatedEntropy(seed)), store,
        await VaultDescriptor.ReadIdAsync(store, Token), "0000000000000000", Ring, 4 << 20);

    public static BackupRequest Request(IFileTree tree, PointKind kind = PointKind.Incremental) => new()
    {
        Roots = [new BackupRoot("/src"u8.ToArray(), tree, default)],
        Host = "here",
        Workers = 1,
        Kind = kind,
    };

    public static Task<BackupSummary> BackupAsync(OpenVault vault, IFileTree tree, CancellationToken cancellationToken = default) =>
        BackupRun.RunAsync(vault, Request(tree), cancellationToken);

    /// <summary>Every file of a point by its path, each chunk of it verified.</summary>
    public static async Task<SortedDictionary<string, byte[]>> ReadAsync(OpenVault vault, RestorePoint point)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        List<TreeEntry> roots = await vault.Trees.ReadDirectoryAsync(point.Tree, isPointRoot: true, Token);
        TreeEntry root = Assert.Single(roots);
        await foreach (TreeItem item in TreeWalk.BelowAsync(vault.Trees, root, [], Token))
        {
            if (item.Entry.Attributes.Kind != NodeKind.Regular) continue;
            var content = new MemoryStream();
            await foreach (ContentItem piece in vault.Trees.FlattenAsync(item.Entry.Content!, Token))
            {
                if (piece.Kind == ContentItemKind.Hole)
                {
                    content.Write(new byte[piece.Length]);
                    continue;
                }

                ReadOnlyMemory<byte> chunk = await vault.DataChunks.FetchAsync(piece.Id, Token);
                Assert.Equal(piece.Length, chunk.Length);
                for (long i = 0; i < piece.Repeats; i++) content.Write(chunk.Span);
            }

            Assert.Equal(item.Entry.Attributes.Size, content.Length);
            files[Encoding.UTF8.GetString(item.Path)] = content.ToArray();
        }

        await AssertReferencedAsync(vault, point, root);
        return files;
    }

    public static async Task AssertIsAsync(OpenVault vault, RestorePoint point, string sourcePath)
    {
        SortedDictionary<string, byte[]> files = await ReadAsync(vault, point);
        string[] expected =
        [
            .. Directory.EnumerateFiles(sourcePath, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(sourcePath, path)),
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), files.Keys);
        foreach (string name in expected) Assert.True(File.ReadAllBytes(Path.Combine(sourcePath, name)).AsSpan().SequenceEqual(files[name]), name);
    }

    public void Dispose()
    {
        foreach (DirectoryTree tree in trees) tree.Dispose();
        directory.Dispose();
    }

    /// <summary>What the point says that it needs must be all that its tree is made of.</summary>
    private static async Task AssertReferencedAsync(OpenVault vault, RestorePoint point, TreeEntry root)
    {
        string name = ReferenceSet.Name(point.References);
        Removals removals = await Removals.ReadAsync(vault, null, Token);
        var set = ReferenceSet.Decode(await removals.ReadReferencesAsync(vault, point.References, Token), name);
        var ids = new HashSet<ChunkId>();
        foreach (PackId pack in set.Packs)
        {
            PackFooter? footer = await vault.Index.TryGetFooterAsync(pack, Token);
            Assert.NotNull(footer);
            for (int i = 0; i < footer.Chunks.Length; i++)
            {
                if (set.Contains(pack, i)) ids.Add(footer.Chunks[i].Id);
            }
        }

        Assert.All(point.Tree.Items.Concat(point.Changes.Items), item => Assert.Contains(item.Id, ids));
        await AssertHasAsync(vault, ids, root.Content!);
        await foreach (TreeItem item in TreeWalk.BelowAsync(vault.Trees, root, [], Token))
        {
            if (item.Entry.Content is not null) await AssertHasAsync(vault, ids, item.Entry.Content);
        }
    }

    private static async Task AssertHasAsync(OpenVault vault, HashSet<ChunkId> ids, Content content)
    {
        foreach (ContentItem item in content.Items)
        {
            if (item.Kind == ContentItemKind.Hole) continue;
            Assert.Contains(item.Id, ids);
            if (content.Depth > 0) await AssertHasAsync(vault, ids, await vault.Trees.ReadListAsync(item, content.Depth, Token));
        }
    }
}
