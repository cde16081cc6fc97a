using System.Text;
using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Indexing;

/// Goal: while every chunk of a vault is moved, and the packs and index objects that were there go, whoever reads notices nothing.
/// Method: the moving is cut into its single puts and deletes. A restore runs once for each of its calls to the store with the moving
/// begun at that call, one step further before each call from then on; what it restores is compared with what was backed up.
public sealed class VanishingObjectsTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory, InlineData(1, 1), InlineData(2, 3), InlineData(3, 100)]
    public async Task ARestoreDoesNotNoticeThatAllIsMovedMeanwhile(int seed, int stepsAtOnce)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        using OpenVault origin = await fixture.InitAsync();
        await fixture.BackupAsync(origin);
        await System.IO.File.WriteAllBytesAsync(Path.Combine(fixture.Source, "more"), TestKeys.Content(300_000), Token);
        SessionId point = (await fixture.BackupAsync(origin)).Point!.Value;
        TreeSnapshot expected = TreeSnapshot.Take(fixture.Source);

        for (int begin = 1; ; begin++)
        {
            var store = new MemoryObjectStore();
            foreach (ObjectEntry entry in await AllAsync(fixture.Store)) store.Overwrite(entry.Name, (await ObjectStoreExtensions.TryGetAsync(fixture.Store, entry.Name, 64 << 20, Token))!);
            using OpenVault mover = Open(origin, store);
            using var moving = new StepwiseMove(mover, store);
            var seen = new FaultyObjectStore(store);
            int calls = 0;
            using OpenVault reader = Open(origin, seen);
            reader.Index.RemovalSource = _ => Task.FromResult(moving.Removed);
            IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(reader, Token);
            seen.BeforeEach = async call =>
            {
                if (Interlocked.Increment(ref calls) >= begin) await moving.GoOnAsync(stepsAtOnce);
            };
            string target = fixture.PathOf($"target-{begin}");
            RestoreSummary summary = await RestoreAsync(reader, points.Single(candidate => candidate.Id == point), target);
            string what = $"seed {seed}, from call {begin} on";
            Assert.True(summary.Errors == 0, what);
            Assert.True(reader.Damages.Count == 0, $"{what}: {string.Join(", ", reader.Damages)}");
            TreeCompare.AssertEqual(expected, TreeSnapshot.Take(target), new TreeCompareOptions { IgnoreSockets = true });
            TreeGenerator.Delete(target);
            if (calls < begin) break;
        }

        Assert.DoesNotContain(fixture.Notices, notice => notice.IsError);
    }

    [Fact]
    public async Task APackThatIsLostIsDamageAllTheSame()
    {
        await System.IO.File.WriteAllBytesAsync(Path.Combine(fixture.Source, "file"), TestKeys.Content(300_000), Token);
        using OpenVault vault = await fixture.InitAsync();
        SessionId point = (await fixture.BackupAsync(vault)).Point!.Value;
        string pack = (await AllAsync(fixture.Store)).First(entry => entry.Name.StartsWith(PackId.DataPrefix, StringComparison.Ordinal)).Name;
        await fixture.Store.DeleteAsync(pack, Token);
        using OpenVault reader = await fixture.OpenAsync();

        RestoreSummary summary = await fixture.RestoreAsync(reader, point, "target");

        Assert.Equal(1, summary.Damaged);
        Assert.Contains($"{pack}: is missing", string.Join('\n', reader.Damages), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnIndexObjectThatIsLostIsToldOfAndMadeUpForByFooters()
    {
        await System.IO.File.WriteAllBytesAsync(Path.Combine(fixture.Source, "file"), TestKeys.Content(300_000), Token);
        using OpenVault vault = await fixture.InitAsync();
        await fixture.BackupAsync(vault);
        using OpenVault reader = await fixture.OpenAsync();
        await reader.Index.LoadAsync(Token);
        IndexReader index = Assert.Single(reader.Index.Readers);
        PackFooter?[] packs = await Task.WhenAll(index.Packs.Select(pack => vault.Index.TryGetFooterAsync(pack.Id, Token).AsTask()));
        await fixture.Store.DeleteAsync(index.Name, Token);

        foreach (PackFooter? pack in packs)
        {
            foreach (PackChunk chunk in pack!.Chunks) Assert.Equal(pack.Pack, (await reader.Index.FindAsync(chunk.Id, pack.Pack.Kind, Token))?.Footer.Pack);
        }

        Assert.Equal([$"{index.Name}: is missing"], reader.Damages);
    }

    /// <summary>A listing that began before a new object was put may show neither it nor the old one that it replaced.</summary>
    [Fact]
    public async Task AListingDuringWhichAnObjectWentIsRepeated()
    {
        ObjectSealer sealer = TestKeys.Sealer();
        var objects = new MemoryObjectStore();
        var store = new FaultyObjectStore(objects);
        var damages = new List<Exception>();
        using var index = new VaultIndex(store, sealer, 1 << 20, damages.Add);
        using var builder = new PackBuilder(sealer, Compressor.DefaultLevel);
        builder.Begin(new PackId(ObjectKind.DataPack, new SessionId(1, 1), 0));
        builder.Add(new(1, 2, 3, 4), [1]);
        PackFooter pack = builder.Finish(out ReadOnlyMemory<byte> content);
        await objects.PutIfAbsentAsync(pack.Pack.ObjectName, content, Token);
        string old = IndexObject.Name(new SessionId(2, 0), 0), replacing = IndexObject.Name(new SessionId(1, 0), 0);
        await objects.PutIfAbsentAsync(old, IndexObject.Build(sealer, old, [pack]), Token);
        store.Before(StoreMethod.Read, 1, async _ =>
        {
            await objects.PutIfAbsentAsync(replacing, IndexObject.Build(sealer, replacing, [pack]), Token);
            await objects.DeleteAsync(old, Token);
        });

        await index.RefreshAsync(Token);

        Assert.Equal([replacing], index.Readers.Select(reader => reader.Name));
        Assert.Equal(pack.Pack, (await index.FindAsync(new(1, 2, 3, 4), ObjectKind.DataPack, Token))?.Footer.Pack);
        Assert.Empty(damages);
    }

    private OpenVault Open(OpenVault origin, IObjectStore store) =>
        OpenVault.Open(fixture.Host, store, origin.VaultId, origin.KeySlotId, origin.Sealer.Ring, OpenVault.DefaultCacheBytes);

    private async Task<RestoreSummary> RestoreAsync(OpenVault vault, RestorePoint point, string target)
    {
        Directory.CreateDirectory(target);
        using DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(target)).Value;
        return await RestoreRun.RunAsync(vault, point, new RestoreRequest { Target = tree, Owners = new OwnerNames(), OnNotice = fixture.Notices.Add }, Token);
    }

    private static async Task<List<ObjectEntry>> AllAsync(IObjectStore store)
    {
        var all = new List<ObjectEntry>();
        await foreach (ObjectEntry entry in store.ListAsync("", Token)) all.Add(entry);
        return all;
    }

    /// <summary>Moves all chunks of a vault to new packs and merges its index, a put or a delete at a time.</summary>
    private sealed class StepwiseMove(OpenVault vault, MemoryObjectStore store) : IDisposable
    {
        private readonly SemaphoreSlim gate = new(1);
        private IEnumerator<Func<Task>>? steps;
        private MovedChunks? moved;

        public IReadOnlySet<PackId> Removed { get; private set; } = new HashSet<PackId>();

        public void Dispose()
        {
            gate.Dispose();
            steps?.Dispose();
        }

        public async Task GoOnAsync(int count)
        {
            await gate.WaitAsync(Token);
            try
            {
                steps ??= Steps().GetEnumerator();
                for (int i = 0; i < count && steps.MoveNext(); i++) await steps.Current();
            }
            finally
            {
                gate.Release();
            }
        }

        private IEnumerable<Func<Task>> Steps()
        {
            string[] oldIndexes = [.. store.Names.Where(name => name.StartsWith(IndexObject.Prefix, StringComparison.Ordinal))];
            yield return MoveAsync;
            yield return async () =>
            {
                string name = IndexObject.Name(new SessionId(0, 1), 0);
                await store.PutIfAbsentAsync(name, IndexObject.Build(vault.Sealer, name, moved!.NewPacks), Token);
            };
            yield return () =>
            {
                Removed = moved!.Moved.Select(pack => pack.Source).ToHashSet();
                return Task.CompletedTask;
            };
            foreach (MovedPack pack in moved!.Moved) yield return () => store.DeleteAsync(pack.Source.ObjectName, Token);
            foreach (string name in oldIndexes) yield return () => store.DeleteAsync(name, Token);
        }

        private async Task MoveAsync()
        {
            await vault.Index.RefreshAsync(Token);
            var packs = new List<(PackFooter, ulong[])>();
            foreach (PackId pack in vault.Index.Readers.SelectMany(reader => reader.Packs.Select(listed => listed.Id)))
            {
                PackFooter footer = (await vault.Index.TryGetFooterAsync(pack, Token))!;
                ulong[] all = new ulong[(footer.Chunks.Length + 63) / 64];
                Array.Fill(all, ulong.MaxValue);
                packs.Add((footer, all));
            }

            using var mover = new PackMover(vault, new SessionId(0, 1));
            moved = await mover.MoveAsync(packs, null, Token);
        }
    }
}
