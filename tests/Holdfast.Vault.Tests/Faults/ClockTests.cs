using Holdfast.Files;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Faults;

/// Goal: whatever the clocks of clients, stores and sources say, no change is missed, each point is compared with one of its own
/// source, and what it holds is what the source held.
public sealed class ClockTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly FaultWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public async Task NoChangeIsMissedWhateverTheClientsClockSays(int daysOff)
    {
        DateTime[] times = [DateTime.UnixEpoch.AddDays(-3), DateTime.UnixEpoch, DateTime.UtcNow.AddDays(-400), DateTime.UtcNow, DateTime.UtcNow.AddDays(2), DateTime.UtcNow.AddYears(10)];
        (string path, DirectoryTree tree) = world.Source("s", [.. times.Select((_, i) => ($"f{i}", new byte[] { 1, 2, 3 }))]);
        for (int i = 0; i < times.Length; i++) File.SetLastWriteTimeUtc(Path.Combine(path, $"f{i}"), times[i]);
        var store = new MemoryObjectStore(TimeProvider.System);
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1, new SimulatedClock(DateTimeOffset.UtcNow.AddDays(daysOff)));
        await FaultWorld.BackupAsync(vault, tree, Token);
        // Of the same length, and the time put back: only the ctime tells.
        for (int i = 0; i < times.Length; i++)
        {
            File.WriteAllBytes(Path.Combine(path, $"f{i}"), [4, 5, (byte)i]);
            File.SetLastWriteTimeUtc(Path.Combine(path, $"f{i}"), times[i]);
        }

        BackupSummary second = await FaultWorld.BackupAsync(vault, tree, Token);

        Assert.Equal(times.Length, second.Counts.FilesChanged);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        await FaultWorld.AssertIsAsync(vault, points.Single(point => point.Id == second.Point), path);
    }

    [Fact]
    public async Task ClientsWhoseClocksDisagreeEachGoOnFromTheirOwnPoints()
    {
        (string path, DirectoryTree tree) = world.Source("s", ("a", [1]));
        var storeClock = new SimulatedClock(Now);
        var store = new MemoryObjectStore(storeClock);
        await FaultWorld.InitAsync(store);
        (string Host, TimeSpan Off)[] clients = [("right", TimeSpan.Zero), ("behind", TimeSpan.FromDays(-1)), ("ahead", TimeSpan.FromDays(1))];
        var last = new Dictionary<string, SessionId?>();
        for (int round = 0; round < 4; round++)
        {
            foreach ((string host, TimeSpan off) in clients)
            {
                storeClock.Advance(TimeSpan.FromMinutes(1));
                DateTimeOffset received = storeClock.GetUtcNow(), claimed = received + off;
                File.WriteAllText(Path.Combine(path, "a"), $"{host} {round}");
                using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 100 + store.Names.Length, new SimulatedClock(claimed));
                BackupSummary summary = await BackupRun.RunAsync(vault, FaultWorld.Request(tree) with { Host = host }, Token);
                Assert.Equal(last.GetValueOrDefault(host), summary.Base);
                last[host] = summary.Point;
                IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
                RestorePoint latest = RestorePoints.Find(points, "latest:" + host);
                Assert.Equal((summary.Point, received, claimed), (latest.Id, latest.Received, latest.Time));
                await FaultWorld.AssertIsAsync(vault, latest, path);
            }
        }
    }

    [Fact]
    public async Task AClockThatIsSetBackCostsComparisonsAndNoChange()
    {
        (string path, DirectoryTree tree) = world.Source("s", ("a", [1]), ("b", [1]), ("d/c", [1]));
        var clock = new SimulatedClock(DateTimeOffset.UtcNow.AddDays(1));
        var store = new MemoryObjectStore(clock);
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1, clock);
        await FaultWorld.BackupAsync(vault, tree, Token);
        clock.SetTimeOfDay(DateTimeOffset.UtcNow);
        Action[] changes =
        [
            () => File.WriteAllBytes(Path.Combine(path, "a"), [2]),
            () => File.Delete(Path.Combine(path, "b")),
            () => File.WriteAllBytes(Path.Combine(path, "b"), [1]),
            () => File.WriteAllBytes(Path.Combine(path, "d/c"), [3]),
            () => File.WriteAllBytes(Path.Combine(path, "a"), [1]),
        ];
        foreach (Action change in changes)
        {
            change();
            clock.Advance(TimeSpan.FromSeconds(1));
            BackupSummary summary = await FaultWorld.BackupAsync(vault, tree, Token);
            IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
            await FaultWorld.AssertIsAsync(vault, points.Single(point => point.Id == summary.Point), path);
        }
    }

    /// As on ext3 and FAT: within one or two seconds a file changes again and neither size nor times tell.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task AFileOnAFileSystemOfWholeSecondsIsReadAgainUntilTheSecondIsOver(int tickSeconds)
    {
        (string path, DirectoryTree tree) = world.Source("s", ("a", [1, 2, 3]));
        var clock = new SimulatedClock(Now.AddSeconds(0.3));
        UnixTime tick = UnixTime.From(Now);
        NodeAttributes Coarse(NodeAttributes attributes) => attributes with { ModifyTime = tick, ChangeTime = tick };
        var source = new InterceptedTree(tree)
        {
            Attributes = Coarse,
            AfterScan = scan =>
            {
                (byte[] Name, NodeAttributes Attributes)[] entries = [.. Enumerable.Range(0, scan.Count).Select(i => (scan.NameOf(i).ToArray(), Coarse(scan.AttributesOf(i))))];
                scan.Clear();
                foreach ((byte[] name, NodeAttributes attributes) in entries) scan.Add(name, attributes);
            },
        };
        var store = new MemoryObjectStore(clock);
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1, clock);
        await FaultWorld.BackupAsync(vault, source, Token);
        clock.Advance(TimeSpan.FromSeconds(tickSeconds - 0.5));
        File.WriteAllBytes(Path.Combine(path, "a"), [4, 5, 6]);

        BackupSummary second = await FaultWorld.BackupAsync(vault, source, Token);
        await FaultWorld.AssertIsAsync(vault, (await RestorePoints.ListAsync(vault, Token)).Single(point => point.Id == second.Point), path);
        clock.Advance(TimeSpan.FromSeconds(3));
        await FaultWorld.BackupAsync(vault, source, Token);
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(0, (await FaultWorld.BackupAsync(vault, source, Token)).Counts.BytesRead);
    }

    [Fact]
    public void ATimeOfWholeSecondsProvesNothingForTwoAndAnyOtherNothingForATick()
    {
        UnixTime next = UnixTime.From(Now);
        (double SecondsBefore, bool MayChange)[] cases = [(-1, true), (0, true), (1, true), (2, false), (0.001, false), (1.999, false), (-0.001, true)];
        foreach ((double secondsBefore, bool mayChange) in cases)
        {
            Assert.Equal(mayChange, Vault.Backup.BackupContext.MayChangeUnseen(UnixTime.From(Now.AddSeconds(-secondsBefore)), next));
        }
    }
}
