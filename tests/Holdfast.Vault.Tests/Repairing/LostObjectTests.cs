using Holdfast.Testing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Repairing;

/// Goal: what a copy of the vault has and the vault lost comes back, and nothing that went in order.
public sealed class LostObjectTests : IDisposable
{
    private RepairWorld world = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world?.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ALostPointComesBackAlsoAfterAPruneThatTookWhatItNeeded(bool isPruned)
    {
        MemoryObjectStore store = await CreateAsync();
        string point = PointCodec.Name(world.Oracle.Points[0].Id);
        await store.DeleteAsync(point, Token);
        if (isPruned) await PruneAsync(store);
        else Assert.Contains((await RepairWorld.CheckAsync(store)).Notices, static notice => notice.Message.Contains("repair --from", StringComparison.Ordinal));

        await RepairAsync(store, world.Whole);

        Assert.Contains(point, store.Names);
        Assert.Empty((await RepairWorld.CheckAsync(store)).Damages);
        await world.AssertWholeAsync(store, [0, 1, 2], "repaired");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task APointThatWasForgottenOrPrunedStaysAway(bool isPruned)
    {
        MemoryObjectStore store = await CreateAsync();
        SessionId point = world.Oracle.Points[0].Id;
        await ForgetAsync(store, point);
        if (isPruned) await PruneAsync(store);
        else await store.DeleteAsync(PointCodec.Name(point), Token);

        await RepairAsync(store, world.Whole);

        Assert.DoesNotContain(PointCodec.Name(point), store.Names);
    }

    [Fact]
    public async Task ALostMarkComesBackBeforeItIsAskedWhichPointsWereLost()
    {
        MemoryObjectStore store = await CreateAsync();
        SessionId dropped = world.Oracle.Points[0].Id, lost = world.Oracle.Points[1].Id;
        await ForgetAsync(store, dropped);
        await HoldAsync(store, world.Oracle.Points[2].Id);
        MemoryObjectStore whole = await RepairWorld.CopyAsync(store);
        foreach (string name in (string[])[PointMark.Name(0), PointMark.Name(1), PointCodec.Name(dropped), PointCodec.Name(lost)]) await store.DeleteAsync(name, Token);

        await RepairAsync(store, whole);

        Assert.Contains(PointMark.Name(0), store.Names);
        Assert.Contains(PointMark.Name(1), store.Names);
        Assert.Contains(PointCodec.Name(lost), store.Names);
        Assert.DoesNotContain(PointCodec.Name(dropped), store.Names);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhereMarksAreMissingOrDamagedForGoodAPointIsOnlyNamed(bool isDamaged)
    {
        MemoryObjectStore store = await CreateAsync();
        SessionId point = world.Oracle.Points[0].Id;
        await ForgetAsync(store, point);
        await HoldAsync(store, world.Oracle.Points[2].Id);
        await store.DeleteAsync(PointCodec.Name(point), Token);
        if (isDamaged) store.Overwrite(PointMark.Name(0), [1, 2, 3]);
        else await store.DeleteAsync(PointMark.Name(0), Token);

        RepairPlan plan = await RepairAsync(store, world.Whole);

        Assert.DoesNotContain(PointCodec.Name(point), store.Names);
        Assert.Contains(plan.Left, left => left.ObjectName == PointCodec.Name(point) && left.What.Contains("cannot be told", StringComparison.Ordinal));
    }

    private async Task<MemoryObjectStore> CreateAsync()
    {
        world = await RepairWorld.CreateAsync(new Random(5));
        return await RepairWorld.CopyAsync(world.Whole);
    }

    /// <summary>Repairs as the program does; returns the last plan, which has no steps.</summary>
    private static async Task<RepairPlan> RepairAsync(MemoryObjectStore store, MemoryObjectStore whole)
    {
        for (int round = 0; round < 5; round++)
        {
            using OpenVault vault = await FaultWorld.OpenAsync(store, 100 + round), copy = await FaultWorld.OpenAsync(whole, 200 + round);
            var request = new RepairRequest { From = copy, Host = "here", Workers = 1 };
            RepairPlan plan = await RepairRun.PlanAsync(vault, request, Token);
            if (plan.Steps.Count == 0) return plan;
            await RepairRun.ApplyAsync(vault, plan, request, Token);
        }

        throw new InvalidOperationException("there is still something to repair");
    }

    private static async Task ForgetAsync(MemoryObjectStore store, SessionId point)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, 300);
        await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [point], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
    }

    private static async Task HoldAsync(MemoryObjectStore store, SessionId point)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, 301);
        await PointState.HoldAsync(vault, [point], null, "", Token);
    }

    private static async Task PruneAsync(MemoryObjectStore store)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, 302);
        await PruneRun.RunAsync(vault, new PruneRequest { Host = "here", MaxUnusedBytes = 0 }, Token);
    }
}
