using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Faults;

/// Goal: <see cref="PowerCutTests"/> can fail: each way of being careless about durability is seen by it.
/// Method: the same run and the same check of every state, on a disk or store that does what careless code would.
public sealed class LyingDiskTests
{
    private const int Seed = 11;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task WithoutAnyLieNothingIsFound() => AssertSeesAsync(false, disk => disk);

    [Theory]
    [InlineData("keys")]
    [InlineData("")]
    [InlineData("data/")]
    [InlineData("trees/")]
    [InlineData("index")]
    [InlineData("refs")]
    [InlineData("points")]
    public Task ContentThatIsNotSyncedIsSeen(string where) =>
        AssertSeesAsync(true, disk => new LyingDisk(disk) { SkipsSync = directory => IsIn(directory, where) });

    [Theory]
    [InlineData("keys")]
    [InlineData("")]
    [InlineData("leases")]
    [InlineData("data/")]
    [InlineData("trees/")]
    [InlineData("index")]
    [InlineData("refs")]
    [InlineData("points")]
    public Task NamesThatAreNotSyncedAreSeen(string where) =>
        AssertSeesAsync(true, disk => new LyingDisk(disk) { SkipsDirectorySync = directory => IsIn(directory, where) });

    /// The vault's own directory is new as well, and the directories that packs lie in.
    [Theory]
    [InlineData("/srv")]
    [InlineData(PowerCutWorld.Root + "/data")]
    public Task ANewDirectoryWhoseNameIsNotSyncedIsSeen(string parent) =>
        AssertSeesAsync(true, disk => new LyingDisk(disk) { SkipsDirectorySync = directory => directory == parent });

    [Fact]
    public Task ANameBeforeItsContentIsSeen() => AssertSeesAsync(true, disk => new LyingDisk(disk) { PublishesFirst = true });

    /// What a point needs must be durable before the point is.
    [Theory]
    [InlineData("data/")]
    [InlineData("trees/")]
    [InlineData("index/")]
    [InlineData("refs/")]
    public Task APointBeforeWhatItNeedsIsSeen(string late) => AssertSeesAsync(true, disk => disk, store => new LateStore(store, late));

    [Fact]
    public Task ALeaseThatGoesBeforeThePointComesIsSeen() => AssertSeesAsync(true, disk => disk, store => new FaultyObjectStore(store)
    {
        BeforeEach = async call =>
        {
            if (call.Method != StoreMethod.Put || !call.Name.StartsWith("points/", StringComparison.Ordinal)) return;
            foreach (ObjectEntry lease in (await store.ListPageAsync("leases/", null, Token)).Entries) await store.DeleteAsync(lease.Name, Token);
        },
    });

    private static async Task AssertSeesAsync(bool isSeen, Func<SimulatedDisk, Log.IDisk> lie, Func<IObjectStore, IObjectStore>? wrap = null)
    {
        using var world = new PowerCutWorld(Seed, largestBytes: 10_000);
        var disk = new SimulatedDisk(Seed, clock: world.Clock);
        PowerCuts<int> cuts = await world.RunAsync(disk, lie(disk), wrap);

        Exception? seen = null;
        foreach (PowerCut<int> cut in cuts.End())
        {
            seen = await Record.ExceptionAsync(() => world.CheckAsync(cut));
            if (seen is not null) break;
        }

        TestContext.Current.TestOutputHelper?.WriteLine(seen?.Message ?? "nothing seen");
        Assert.True(seen is not null == isSeen, $"seed {Seed}: {seen?.ToString() ?? "nothing seen"}");
    }

    /// <summary>Whether a directory is that of the vault, or one that is told by its beginning there.</summary>
    private static bool IsIn(string directory, string where) =>
        where.Length == 0 ? directory == PowerCutWorld.Root : directory.StartsWith($"{PowerCutWorld.Root}/{where}", StringComparison.Ordinal);

    /// <summary>A store that answers puts of some names at once, shows their objects, and writes them after the next point.</summary>
    private sealed class LateStore(IObjectStore inner, string late) : IObjectStore
    {
        private readonly MemoryObjectStore waiting = new();

        public string Address => inner.Address;

        public StoreCapabilities Capabilities => inner.Capabilities;

        public async Task<PutOutcome> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            if (name.StartsWith(late, StringComparison.Ordinal)) return await waiting.PutIfAbsentAsync(name, content, cancellationToken);
            PutOutcome outcome = await inner.PutIfAbsentAsync(name, content, cancellationToken);
            if (!name.StartsWith("points/", StringComparison.Ordinal)) return outcome;
            foreach (string held in waiting.Names)
            {
                byte[]? bytes = await waiting.TryGetAsync(held, IObjectStore.MaxObjectBytes, cancellationToken);
                await inner.PutIfAbsentAsync(held, bytes, cancellationToken);
                await waiting.DeleteAsync(held, cancellationToken);
            }

            return outcome;
        }

        public async ValueTask<int?> ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken) =>
            await waiting.ReadAsync(name, offset, target, cancellationToken) ?? await inner.ReadAsync(name, offset, target, cancellationToken);

        public async Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken) =>
            await waiting.StatAsync(name, cancellationToken) ?? await inner.StatAsync(name, cancellationToken);

        public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

        public async Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken)
        {
            ObjectPage page = await inner.ListPageAsync(prefix, after, cancellationToken);
            ObjectPage held = await waiting.ListPageAsync(prefix, after, cancellationToken);
            return page with { Entries = [.. page.Entries.Concat(held.Entries).OrderBy(entry => entry.Name, StringComparer.Ordinal)] };
        }
    }
}
