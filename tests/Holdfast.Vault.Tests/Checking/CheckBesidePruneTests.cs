using Holdfast.Testing;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Pruning;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Checking;

/// Goal: what a prune moves and removes while a check is at work is no damage. Method: a whole prune that moves packs runs at each
/// call that a check makes of the store, once for each.
public sealed class CheckBesidePruneTests : IDisposable
{
    private readonly PruneWorld world = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task APruneAtAnyCallOfACheckMakesNoDamage(bool readsData)
    {
        SessionId kept = await FillAsync();
        MemoryObjectStore whole = await RepairWorld.CopyAsync(world.Store);
        int at = 0;
        for (bool wasReached = true; wasReached;)
        {
            at++;
            foreach (string name in world.Store.Names) await world.Store.DeleteAsync(name, Stop);
            foreach (string name in whole.Names) world.Store.Overwrite(name, await DamagedStores.ContentAsync(whole, name));
            using OpenVault vault = await FaultWorld.OpenAsync(world.Faulty, seed: 1000 + at, world.Clock);
            int call = 0;
            wasReached = false;
            world.Faulty.BeforeEach = async _ =>
            {
                if (wasReached || ++call != at) return;
                wasReached = true;
                Assert.True((await world.PruneAsync()).MovedPacks > 0);
            };
            CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = readsData, Workers = 1 }, Stop);
            world.Faulty.BeforeEach = null;
            string[] named = [.. report.Damages.Where(damage => !damage.ObjectName.StartsWith("keys/", StringComparison.Ordinal)).Select(damage => $"{damage.ObjectName}: {damage.What}")];
            Assert.True(named.Length == 0, $"prune at call {at}: {string.Join("; ", named)}");
        }

        Assert.True(at > 40, $"{at} calls");
        Assert.Contains(kept, await world.AssertWholeAsync());
    }

    /// <summary>Packs that are needed in part; returns the point that needs them.</summary>
    private async Task<SessionId> FillAsync()
    {
        var points = new List<SessionId>();
        for (int i = 0; i < 3; i++)
        {
            world.Write($"keep{i}", 100_000, 2 * i);
            world.Write($"go{i}", 100_000, (2 * i) + 1);
            points.Add(await world.BackUpAsync());
        }

        for (int i = 0; i < 3; i++) world.Delete($"go{i}");
        SessionId kept = await world.BackUpAsync();
        await world.ForgetAsync([.. points]);
        return kept;
    }
}
