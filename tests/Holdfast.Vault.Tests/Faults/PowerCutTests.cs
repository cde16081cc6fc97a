using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Faults;

/// Goal: a backup that returned is never lost, and no half of another is taken for one, whichever disk call is the last.
/// Method: two backups, the power cut at one call; open what the disk has then, read every point whole, back up again.
public sealed class PowerCutTests : IDisposable
{
    private const string Root = "/vault";
    private readonly FaultWorld world = new();
    private readonly (string Path, DirectoryTree Tree) first;
    private readonly (string Path, DirectoryTree Tree) second;

    public PowerCutTests()
    {
        byte[] large = TestKeys.Content(300_000);
        first = world.Source("first", ("a", large), ("d/b", [1, 2, 3]), ("d/e/empty", []), ("z", large[..70_000]));
        second = world.Source("second", ("a", [.. large[..150_000], 7, .. large[150_000..]]), ("d/b", [1, 2, 3]), ("new", large[100..5000]));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    [InlineData(7)]
    public async Task PointsSurviveAPowerCutAtEveryDiskCall(int seed)
    {
        var whole = new SimulatedDisk(seed);
        Assert.Equal(2, (await RunAsync(whole, seed)).Count);
        int calls = whole.CallCount;
        var random = new Random(seed);
        // Every fifth call of each seed, beginning at another one.
        for (int cutAt = 1 + random.Next(5); cutAt <= calls + 5; cutAt += 5)
        {
            var disk = new SimulatedDisk(seed, cutAt);
            List<SessionId> acknowledged = await RunAsync(disk, seed);
            await CheckAsync(disk.AfterPowerCut(), acknowledged, $"seed {seed}, cut at disk call {cutAt} of {calls}");
        }
    }

    [Fact]
    public async Task AnInitThatWasCutOffLeavesNoVaultOrAWholeOne()
    {
        const int seed = 5;
        using VaultSecret secret = VaultFixture.Secret();
        for (int cutAt = 1; ; cutAt += 2)
        {
            var disk = new SimulatedDisk(seed, cutAt);
            bool finished = await TryInitAsync(disk, cutAt, secret);
            SimulatedDisk after = disk.AfterPowerCut();
            DirectoryStore store = Store(after);
            bool isThere = await store.StatAsync("vault", Token) is not null;
            Assert.True(isThere || !finished, $"seed {seed}, cut at disk call {cutAt}");
            if (isThere)
            {
                (await OpenVault.OpenAsync(Host(after, seed), store, secret, cancellationToken: Token)).Dispose();
            }
            else if (cutAt % 4 == 1)
            {
                // What is left stands in the way of nothing.
                Assert.True(await TryInitAsync(after, 1000 + cutAt, secret), $"seed {seed}, cut at disk call {cutAt}");
            }

            if (finished) return;
        }
    }

    private async Task<List<SessionId>> RunAsync(SimulatedDisk disk, int seed)
    {
        var acknowledged = new List<SessionId>();
        try
        {
            DirectoryStore store = Store(disk);
            await FaultWorld.InitAsync(store);
            using OpenVault vault = await FaultWorld.OpenAsync(store, seed);
            acknowledged.Add((await FaultWorld.BackupAsync(vault, first.Tree, Token)).Point!.Value);
            acknowledged.Add((await FaultWorld.BackupAsync(vault, second.Tree, Token)).Point!.Value);
        }
        catch (PowerCutException)
        {
            // What was acknowledged is in the list.
        }

        return acknowledged;
    }

    private async Task CheckAsync(SimulatedDisk disk, List<SessionId> acknowledged, string where)
    {
        DirectoryStore store = Store(disk);
        if (await store.StatAsync("vault", Token) is null)
        {
            Assert.True(acknowledged.Count == 0, where);
            return;
        }

        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 77);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        foreach (SessionId id in acknowledged) Assert.True(points.Any(point => point.Id == id), $"{where}: {id} is gone");
        Assert.True(points.Count <= acknowledged.Count + 1, where);
        foreach (RestorePoint point in points)
        {
            await FaultWorld.AssertIsAsync(vault, point, point.Kind == PointKind.Full ? first.Path : second.Path);
        }

        BackupSummary next = await FaultWorld.BackupAsync(vault, second.Tree, Token);
        points = await RestorePoints.ListAsync(vault, Token);
        await FaultWorld.AssertIsAsync(vault, points.Single(point => point.Id == next.Point), second.Path);
        Assert.True(vault.Damages.Count == 0, $"{where}: {string.Join("; ", vault.Damages)}");
    }

    private static async Task<bool> TryInitAsync(SimulatedDisk disk, int seed, VaultSecret secret)
    {
        try
        {
            (await OpenVault.InitAsync(Host(disk, seed), Store(disk), secret, "first", Token)).Dispose();
            return true;
        }
        catch (PowerCutException)
        {
            return false;
        }
    }

    private static Host Host(SimulatedDisk disk, int seed) => new(disk, TimeProvider.System, new SimulatedEntropy(seed));

    private static DirectoryStore Store(SimulatedDisk disk) => new(disk, TimeProvider.System, Root);
}
