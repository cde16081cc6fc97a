using System.Globalization;
using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Keys;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>What a key that cannot read trees compares with: never a reason for another point than reading everything would make.</summary>
public sealed class LocalStateTests : IDisposable
{
    private static readonly byte[] Old = TestKeys.Content(3000), New = TestKeys.Content(5000)[2000..];

    private readonly RoleWorld world = new();
    private readonly SimulatedClock clock = new(DateTimeOffset.UnixEpoch.AddYears(200));
    private readonly List<string> notices = [];
    private Dictionary<string, MemoryObjectStore> state = new(StringComparer.Ordinal);
    private KeyRing add = null!;
    private int opened;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task TheSecondBackupReadsNothingThatDidNotChange()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        BackupSummary first = await BackupAsync(tree);

        BackupSummary second = await BackupAsync(tree);

        Assert.Equal((PointKind.Incremental, first.Point), (second.Kind, second.Base));
        Assert.Equal((0, 0, 3), (second.Counts.BytesRead, second.Counts.BytesAdded, second.Counts.FilesUnmodified));
        Assert.Empty(notices);
        await world.AssertIsAsync(world.Root, second.Point!.Value, path);
    }

    [Fact]
    public async Task OfAChangedSourceOnlyWhatChangedIsRead()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        await BackupAsync(tree);
        File.WriteAllBytes(Path.Combine(path, "a", "one"), New);
        File.Delete(Path.Combine(path, "b", "two"));
        var changes = new List<string>();

        BackupSummary second = await BackupAsync(tree, request => request with { OnChange = change => changes.Add($"{(char)change.Kind} {Encoding.UTF8.GetString(change.Path.Span)}") });

        Assert.Equal((New.Length, 1, 1), (second.Counts.BytesRead, second.Counts.FilesChanged, second.Counts.FilesDeleted));
        Assert.Contains("M a/one", changes);
        Assert.Contains("D b/two", changes);
        await world.AssertIsAsync(world.Root, second.Point!.Value, path);
        Assert.Equal(0, (await BackupAsync(tree)).Counts.BytesRead);
    }

    [Fact]
    public async Task ADifferentialIsComparedWithTheNewestFullHoweverManyCameBetween()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        BackupSummary full = await BackupAsync(tree);
        // More than are pruned together.
        for (int i = 0; i < 20; i++)
        {
            File.WriteAllText(Path.Combine(path, "a", "counter"), i.ToString(CultureInfo.InvariantCulture));
            await BackupAsync(tree);
        }

        BackupSummary differential = await BackupAsync(tree, static request => request with { Kind = PointKind.Differential });

        Assert.Equal((PointKind.Differential, full.Point), (differential.Kind, differential.Base));
        Assert.Equal(2, differential.Counts.BytesRead);
        Assert.Empty(notices);
        await world.AssertIsAsync(world.Root, differential.Point!.Value, path);
    }

    [Fact]
    public async Task TheStateDoesNotGrowWithTheNumberOfBackups()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        int most = 0;
        for (int i = 0; i < 60; i++)
        {
            File.WriteAllText(Path.Combine(path, "a", "counter"), i.ToString(CultureInfo.InvariantCulture));
            await BackupAsync(tree);
            most = Math.Max(most, Assert.Single(state).Value.Names.Length);
        }

        Assert.InRange(most, 5, 80);
        Assert.Empty(notices);
    }

    [Fact]
    public async Task WithoutItsStateABackupReadsEverythingAndSaysSo()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        await BackupAsync(tree);
        state.Clear();

        BackupSummary second = await BackupAsync(tree);

        await AssertReadsAllAsync(second, path);
        Assert.Contains("no local state", Assert.Single(notices), StringComparison.Ordinal);
        Assert.Equal(0, (await BackupAsync(tree)).Counts.BytesRead);
    }

    [Fact]
    public async Task AStateThatIsOlderThanTheNewestPointIsNotComparedWith()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        await BackupAsync(tree);
        Dictionary<string, MemoryObjectStore> before = await CopyAsync(state);
        File.WriteAllBytes(Path.Combine(path, "a", "one"), New);
        await BackupAsync(tree);
        state = before;

        BackupSummary third = await BackupAsync(tree);

        await AssertReadsAllAsync(third, path);
        Assert.Contains("no local state", Assert.Single(notices), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStateOfAnotherKeyOrVaultSaysNothing()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        KeyRing own = add;
        add = await world.AddAsync(KeyRole.Add);
        await BackupAsync(tree);
        MemoryObjectStore others = Assert.Single(state).Value;
        add = own;
        await BackupAsync(tree);
        string name = state.Keys.Single(key => state[key] != others);
        state[name] = others;

        BackupSummary second = await BackupAsync(tree);

        await AssertReadsAllAsync(second, path);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task HoweverTheStateIsDamagedThePointIsRight(int seed)
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        await BackupAsync(tree);
        File.WriteAllBytes(Path.Combine(path, "a", "one"), New);
        await BackupAsync(tree);
        Dictionary<string, MemoryObjectStore> whole = await CopyAsync(state);
        string[] vault = world.Store.Names;
        var random = new Random(seed);
        foreach (string name in Assert.Single(whole).Value.Names)
        {
            foreach (bool isLost in (bool[])[true, false])
            {
                state = await CopyAsync(whole);
                foreach (string later in world.Store.Names.Except(vault)) await world.Store.DeleteAsync(later, Token);
                MemoryObjectStore store = Assert.Single(state).Value;
                if (isLost)
                {
                    await store.DeleteAsync(name, Token);
                }
                else
                {
                    byte[] content = await ContentAsync(store, name);
                    content[random.Next(content.Length)] ^= (byte)(1 << random.Next(8));
                    store.Overwrite(name, content);
                }

                BackupSummary made = await BackupAsync(tree);

                await world.AssertIsAsync(world.Root, made.Point!.Value, path);
                BackupSummary next = await BackupAsync(tree);
                Assert.True(next.Counts.BytesRead == 0, $"seed {seed}, {name}, {(isLost ? "lost" : "damaged")}: {string.Join("; ", notices)}");
            }
        }
    }

    [Fact]
    public async Task TwoMachinesWithOneKeyAndOneNameEachMakeRightPoints()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        Dictionary<string, MemoryObjectStore> here = state, there = new(StringComparer.Ordinal);
        for (int i = 0; i < 4; i++)
        {
            state = i % 2 == 0 ? here : there;
            File.WriteAllText(Path.Combine(path, "a", "counter"), i.ToString(CultureInfo.InvariantCulture));
            BackupSummary made = await BackupAsync(tree);

            await AssertReadsAllAsync(made, path);
        }
    }

    [Fact]
    public async Task ABackupThatIsCutOffBetweenStateAndPointLeavesTheOneBeforeToCompareWith()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        BackupSummary first = await BackupAsync(tree);
        File.WriteAllBytes(Path.Combine(path, "a", "one"), New);
        FaultyObjectStore store = Failing(world.Store, static name => name.StartsWith(PointCodec.Prefix, StringComparison.Ordinal));
        await Assert.ThrowsAnyAsync<HoldfastException>(() => BackupAsync(tree, through: store));

        BackupSummary second = await BackupAsync(tree);

        Assert.Equal(first.Point, second.Base);
        Assert.Equal(New.Length, second.Counts.BytesRead);
        Assert.Empty(notices);
        await world.AssertIsAsync(world.Root, second.Point!.Value, path);
    }

    [Fact]
    public async Task WhereThePointComparedWithWasPrunedEverythingIsThereAllTheSame()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        BackupSummary first = await BackupAsync(tree);
        using (OpenVault root = await world.OpenAsync(world.Root))
        {
            await ForgetRun.RunAsync(root, new ForgetRequest { Points = [first.Point!.Value], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
            await PruneRun.RunAsync(root, new PruneRequest { UndeleteWindow = TimeSpan.Zero }, Token);
        }

        BackupSummary second = await BackupAsync(tree);

        await AssertReadsAllAsync(second, path);
    }

    [Fact]
    public async Task AStateThatCannotBeWrittenCostsTheNextBackupItsTimeAndNothingElse()
    {
        (string path, DirectoryTree tree) = await SourceAsync();
        await BackupAsync(tree);
        File.WriteAllBytes(Path.Combine(path, "a", "one"), New);
        // Lease, pack, index, references, point.
        for (int failing = 0; failing < 5; failing++)
        {
            int puts = 0;
            BackupSummary made = await BackupAsync(tree, wrap: store => Failing(store, _ => Interlocked.Increment(ref puts) > failing));

            await world.AssertIsAsync(world.Root, made.Point!.Value, path);
            Assert.Contains(notices, static notice => notice.Contains("reads every file", StringComparison.Ordinal));
            File.WriteAllText(Path.Combine(path, "a", "counter"), failing.ToString(CultureInfo.InvariantCulture));
        }

        await AssertReadsAllAsync(await BackupAsync(tree), path);
        Assert.Equal(0, (await BackupAsync(tree)).Counts.BytesRead);
    }

    [Fact]
    public async Task ADryRunComparesWithTheStateAndLeavesItAsItIs()
    {
        (_, DirectoryTree tree) = await SourceAsync();
        BackupSummary first = await BackupAsync(tree);
        string[] before = Assert.Single(state).Value.Names;

        BackupSummary dry = await BackupAsync(tree, static request => request with { DryRun = true });

        Assert.Equal((first.Point, 3), (dry.Base, dry.Counts.FilesUnmodified));
        Assert.Equal(before, Assert.Single(state).Value.Names);
    }

    [Fact]
    public async Task AKeyThatReadsTreesKeepsNoState()
    {
        (_, DirectoryTree tree) = await SourceAsync();
        add = world.Root;

        await BackupAsync(tree);

        Assert.Empty(state);
    }

    [Fact]
    public async Task WithoutTheKeyTheStateTellsNoName()
    {
        (_, DirectoryTree tree) = await SourceAsync();
        await BackupAsync(tree);
        MemoryObjectStore store = Assert.Single(state).Value;

        foreach (string name in store.Names) Assert.DoesNotContain("three", Encoding.Latin1.GetString(await ContentAsync(store, name)), StringComparison.Ordinal);
    }

    private async Task<(string Path, DirectoryTree Tree)> SourceAsync()
    {
        add = await world.AddAsync(KeyRole.Add);
        return world.Source("src", ("a/one", Old), ("a/three", TestKeys.Content(100)), ("b/two", TestKeys.Content(200)));
    }

    private async Task<BackupSummary> BackupAsync(
        IFileTree tree, Func<BackupRequest, BackupRequest>? change = null, IObjectStore? through = null, Func<IObjectStore, IObjectStore>? wrap = null)
    {
        notices.Clear();
        clock.Advance(TimeSpan.FromSeconds(1));
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        int seed = 1000 + opened++;
        var host = new Host(new SimulatedDisk(seed), clock, new SimulatedEntropy(seed));
        using OpenVault vault = await OpenVault.OpenAsync(host, through ?? world.Store, FaultWorld.VaultId, "0000000000000000", add, 4 << 20, Token);
        BackupRequest request = FaultWorld.Request(tree) with
        {
            OpenState = name => wrap is null ? StateOf(name) : wrap(StateOf(name)),
            OnNotice = notice =>
            {
                lock (notices) notices.Add(notice.Message);
            },
        };
        return await BackupRun.RunAsync(vault, change is null ? request : change(request), Token);
    }

    private MemoryObjectStore StateOf(string name)
    {
        if (!state.TryGetValue(name, out MemoryObjectStore? store)) state.Add(name, store = new MemoryObjectStore(clock));
        return store;
    }

    private async Task<Dictionary<string, MemoryObjectStore>> CopyAsync(Dictionary<string, MemoryObjectStore> stores)
    {
        var copies = new Dictionary<string, MemoryObjectStore>(StringComparer.Ordinal);
        foreach ((string name, MemoryObjectStore store) in stores)
        {
            var copy = new MemoryObjectStore(clock);
            foreach (string inner in store.Names) copy.Overwrite(inner, await ContentAsync(store, inner));
            copies.Add(name, copy);
        }

        return copies;
    }

    private static async Task<byte[]> ContentAsync(MemoryObjectStore store, string name) =>
        (await store.TryGetAsync(name, IObjectStore.MaxObjectBytes, Token))!;

    private static FaultyObjectStore Failing(IObjectStore store, Func<string, bool> failsPut) => new(store)
    {
        BeforeEach = call => call.Method == StoreMethod.Put && failsPut(call.Name)
            ? throw new ObjectStoreException($"{call.Name}: no space left", isRetriable: false)
            : Task.CompletedTask,
    };

    private async Task AssertReadsAllAsync(BackupSummary made, string path)
    {
        long all = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
        Assert.Equal((PointKind.Full, all), (made.Kind, made.Counts.BytesRead));
        await world.AssertIsAsync(world.Root, made.Point!.Value, path);
    }
}
