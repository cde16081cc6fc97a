using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Checking;

/// Goal: checks of parts cover everything: fixed parts each pack once, rolling ones whatever was verified longest ago, from any machine
/// and also after one was cut off. The clock is simulated; the store's is the same.
public sealed class RollingCheckTests : IAsyncLifetime
{
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);
    private readonly FaultWorld world = new();
    private readonly SimulatedClock clock = new();
    private readonly MemoryObjectStore store;
    private int opened;

    public RollingCheckTests() => store = new MemoryObjectStore(clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// Six packs of data, six of trees: each point adds its own.
    public async ValueTask InitializeAsync()
    {
        var random = new Random(11);
        (string path, Files.DirectoryTree tree) = world.Source("source");
        await FaultWorld.InitAsync(store);
        for (int i = 0; i < 6; i++)
        {
            File.WriteAllBytes(Path.Combine(path, $"f{i}"), TestKeys.Random(random, 40_000));
            using OpenVault vault = await OpenAsync();
            await FaultWorld.BackupAsync(vault, tree, Token);
            clock.Advance(TimeSpan.FromDays(1));
        }
    }

    public ValueTask DisposeAsync()
    {
        world.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task TheFixedPartsTogetherReadEachPackOnce()
    {
        int read = 0;
        for (int part = 1; part <= 5; part++) read += (await CheckAsync(new CheckRequest { ReadData = true, Part = (part, 5) })).PacksRead;
        Assert.Equal(12, read);
        PackId[] packs = [.. Enumerable.Range(0, 1000).Select(i => new PackId(ObjectKind.DataPack, new SessionId(7, 8), (uint)i))];
        Assert.All(packs.GroupBy(pack => DataChoice.PartOf(pack, 5)), part => Assert.InRange(part.Count(), 140, 260));
        Assert.Equal([1, 2, 3, 4, 5], packs.Select(pack => DataChoice.PartOf(pack, 5)).Distinct().Order());
    }

    [Fact]
    public async Task SoManyBytesAreReadAndNotMuchMore()
    {
        CheckReport all = await CheckAsync(new CheckRequest { ReadData = true });
        CheckReport some = await CheckAsync(new CheckRequest { ReadData = true, MaxBytes = all.BytesRead / 2 });
        Assert.InRange(some.BytesRead, all.BytesRead / 4, all.BytesRead * 3 / 4);
        Assert.Equal(1, (await CheckAsync(new CheckRequest { ReadData = true, MaxBytes = 1 })).PacksRead);
    }

    [Fact]
    public async Task WhatWasVerifiedLongestAgoComesFirstAndEachRunGoesOn()
    {
        // A quarter of the packs each day: after four days each was read once.
        var request = new CheckRequest { ReadData = true, Rolling = true, Subset = 0.25, MaxAge = TimeSpan.FromDays(5) };
        var read = new List<string>();
        for (int day = 0; day < 4; day++)
        {
            read.AddRange(await ReadNamesAsync(request));
            clock.Advance(TimeSpan.FromDays(1));
        }

        Assert.Equal(12, read.Distinct().Count());
        Assert.Equal(12, read.Count);
        // From now on the oldest is always four days old, and the order is that of before.
        for (int day = 0; day < 8; day++)
        {
            CheckReport report = await CheckAsync(request);
            Assert.Equal((3, 0), (report.PacksRead, report.PacksOverdue));
            Assert.InRange(report.OldestVerified!.Value, TimeSpan.FromDays(2.9), TimeSpan.FromDays(3.2));
            clock.Advance(TimeSpan.FromDays(1));
        }

        // Records are put together: they do not grow with the runs.
        Assert.InRange(store.Names.Count(name => name.StartsWith("verified/", StringComparison.Ordinal)), 1, 9);
    }

    [Fact]
    public async Task WhatIsOverdueIsCountedUntilItIsRead()
    {
        clock.Advance(Month);
        CheckReport report = await CheckAsync(new CheckRequest { ReadData = true, Rolling = true, Subset = 0.5, MaxAge = Month });
        Assert.Equal((6, true), (report.PacksOverdue, report.OldestVerified > Month));
        report = await CheckAsync(new CheckRequest { ReadData = true, Rolling = true, Subset = 0.5, MaxAge = Month });
        Assert.Equal(0, report.PacksOverdue);
    }

    [Fact]
    public async Task ACheckThatIsCancelledLeavesWhatItVerified()
    {
        clock.Advance(Month);
        using var cancel = new CancellationTokenSource();
        var faulty = new FaultyObjectStore(store);
        int packs = 0;
        // The content of a pack is read from behind its header: the footers were read before.
        bool isReading = false;
        faulty.BeforeEach = call =>
        {
            isReading |= call.Method == StoreMethod.List && call.Name == VerifiedRecord.Prefix;
            if (isReading && call.Method == StoreMethod.Stat && PackId.TryParse(call.Name, out _) && ++packs == 5) cancel.Cancel();
            return Task.CompletedTask;
        };
        using (OpenVault vault = await FaultWorld.OpenAsync(faulty, seed: 50, clock))
        {
            var request = new CheckRequest { ReadData = true, Rolling = true, Workers = 1 };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CheckRun.RunAsync(vault, request, cancel.Token));
        }

        CheckReport report = await CheckAsync(new CheckRequest { ReadData = true, Rolling = true, MaxBytes = 1, MaxAge = Month });
        Assert.Equal(12 - 4 - 1, report.PacksOverdue);
    }

    [Fact]
    public async Task AKeyThatMayNotWriteChecksAllTheSame()
    {
        var faulty = new FaultyObjectStore(store)
        {
            BeforeEach = call => call.Method == StoreMethod.Put ? throw new ObjectStoreException("read-only", isRetriable: false) : Task.CompletedTask,
        };
        using OpenVault vault = await FaultWorld.OpenAsync(faulty, seed: 51, clock);
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true, Rolling = true, RecordsDamage = true }, Token);
        Assert.Equal((12, 0), (report.PacksRead, report.PacksOverdue));
        Assert.Contains(report.Notices, notice => notice.Message.Contains("cannot be recorded", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ARottenPackDoesNotCountAsVerified()
    {
        string name = store.Names.First(each => each.StartsWith("data/", StringComparison.Ordinal));
        byte[] content = await DamagedStores.ContentAsync(store, name);
        content[2000] ^= 1;
        store.Overwrite(name, content);
        clock.Advance(Month + Month);
        CheckReport report = await CheckAsync(new CheckRequest { ReadData = true, Rolling = true, MaxAge = Month });
        Assert.Equal(1, report.PacksOverdue);
        Assert.Contains(report.Damages, damage => damage.ObjectName == name);
    }

    private async Task<OpenVault> OpenAsync() => await FaultWorld.OpenAsync(store, seed: 100 + opened++, clock);

    private async Task<CheckReport> CheckAsync(CheckRequest request)
    {
        using OpenVault vault = await OpenAsync();
        return await CheckRun.RunAsync(vault, request, Token);
    }

    private async Task<List<string>> ReadNamesAsync(CheckRequest request)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var before = new Dictionary<string, int>(StringComparer.Ordinal);
        var faulty = new FaultyObjectStore(store);
        bool isReading = false;
        faulty.BeforeEach = call =>
        {
            isReading |= call.Method == StoreMethod.List && call.Name == VerifiedRecord.Prefix;
            if (isReading && call.Method == StoreMethod.Stat && PackId.TryParse(call.Name, out _))
            {
                lock (names) names.Add(call.Name);
            }

            return Task.CompletedTask;
        };
        using OpenVault vault = await FaultWorld.OpenAsync(faulty, seed: 200 + opened++, clock);
        await CheckRun.RunAsync(vault, request, Token);
        return [.. names];
    }
}
