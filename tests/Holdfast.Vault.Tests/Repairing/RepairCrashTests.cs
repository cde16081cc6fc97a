using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Checking;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Repairing;

/// Goal: a repair that is cut off anywhere leaves nothing worse, and the next one finishes. Method: it is cut off at every call of
/// the store that changes something, before the call and after it; then a check may name no more than before, and after the next
/// repair exactly what an uninterrupted one leaves.
public sealed class RepairCrashTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARepairThatIsCutOffAnywhereIsFinishedByTheNext(bool fromCopy)
    {
        const int seed = 20_260_303;
        var random = new Random(seed);
        using RepairWorld world = await RepairWorld.CreateAsync(random);
        MemoryObjectStore damaged = await RepairWorld.CopyAsync(world.Whole);
        SortedSet<string> expected = await DamageAsync(world, damaged, random);
        SortedSet<string> before = world.Oracle.Named(await RepairWorld.CheckAsync(damaged));
        int points = (await world.Whole.ListPageAsync("points/", null, Token)).Entries.Count;
        using OpenVault copy = await FaultWorld.OpenAsync(await RepairWorld.CopyAsync(world.Whole), seed: 6);
        RepairRequest Change(RepairRequest request) => fromCopy ? request with { From = copy } : request;
        for (int cut = 1; ; cut++)
        {
            bool wasCut = false;
            foreach (bool isDone in (bool[])[false, true])
            {
                MemoryObjectStore store = await RepairWorld.CopyAsync(damaged);
                if (!await CutOffAsync(store, cut, isDone, Change)) continue;
                wasCut = true;
                string about = $"seed {seed}, cut off {(isDone ? "after" : "before")} change {cut}";
                CheckReport between = await RepairWorld.CheckAsync(store);
                // References that are being replaced are away for a moment; the point is whole all the same.
                SortedSet<string> named = new(world.Oracle.Named(between).Where(line => !line.Contains(":References:", StringComparison.Ordinal)), StringComparer.Ordinal);
                Assert.True(named.IsSubsetOf(before), $"{about}: {string.Join(", ", named.Except(before))}");
                await RepairWorld.RepairAsync(store, Change, about);
                CheckReport report = await RepairWorld.CheckAsync(store);
                world.AssertAffected(fromCopy ? [] : expected, report, about);
                Assert.True(report.Damages.All(damage => damage.ObjectName.StartsWith("chunk", StringComparison.Ordinal) || damage.ObjectName.StartsWith("points/", StringComparison.Ordinal)), $"{about}\n{RepairWorld.Describe(report)}");
                Assert.Equal(points, (await store.ListPageAsync("points/", null, Token)).Entries.Count);
            }

            if (!wasCut) break;
            Assert.True(cut < 200, "a repair without end");
        }
    }

    /// Cut off between the new point and the mark that drops the old one, the next repair drops it, and makes no third.
    [Fact]
    public async Task APointThatIsWrittenAnewIsThereOnceWhereverThatIsCutOff()
    {
        const int seed = 20_270_115;
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(seed));
        MemoryObjectStore damaged = await RepairWorld.CopyAsync(world.Whole);
        SessionId last = world.Oracle.Points[2].Id;
        PackFooter pack = world.Oracle.Packs.First(pack => pack.Pack.Kind == ObjectKind.DataPack && pack.Pack.Session == last);
        await FlipAsync(damaged, pack.Pack.ObjectName, pack.Groups[0].Offset + 3);
        await RepairWorld.RepairAsync(damaged);
        static RepairRequest Rewriting(RepairRequest request) => request with { RewritesPoints = true };
        for (int cut = 1; ; cut++)
        {
            MemoryObjectStore store = await RepairWorld.CopyAsync(damaged);
            bool wasCut = await CutOffAsync(store, cut, isDone: true, Rewriting);
            await RepairWorld.RepairAsync(store, Rewriting, $"cut off after change {cut}", seed: 5000);
            using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 7);
            IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
            Assert.True(points.Count == 3 && points.All(point => point.Id != last), $"cut off after change {cut}: {points.Count} points");
            Assert.Equal(last, Assert.Single(await RestorePoints.ListForgottenAsync(vault, Token)).Point.Id);
            if (wasCut) continue;
            Assert.True(cut > 5, $"{cut} changes");
            return;
        }
    }

    /// By the highest number the next one is found: a removal that is brought back must not leave it free in between.
    [Fact]
    public async Task ANumberOfARemovalIsNeverFreeAgain()
    {
        const int seed = 20_270_116;
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(seed));
        MemoryObjectStore pruned = await RepairWorld.CopyAsync(world.Whole);
        using (OpenVault vault = await FaultWorld.OpenAsync(pruned, seed: 1))
        {
            await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [world.Oracle.Points[0].Id], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
            await PruneRun.RunAsync(vault, new PruneRequest { Host = "here", MaxUnusedBytes = 0 }, Token);
        }

        using OpenVault copy = await FaultWorld.OpenAsync(await RepairWorld.CopyAsync(pruned), seed: 6);
        string newest = pruned.Names.Last(static name => name.StartsWith(RemovalRecord.Prefix, StringComparison.Ordinal));
        await FlipAsync(pruned, newest, 100);
        for (int cut = 1; ; cut++)
        {
            MemoryObjectStore store = await RepairWorld.CopyAsync(pruned);
            bool wasCut = await CutOffAsync(store, cut, isDone: true, request => request with { From = copy });
            Assert.True(store.Names.Any(name => name.StartsWith(RemovalRecord.Prefix, StringComparison.Ordinal) && string.CompareOrdinal(name, newest) >= 0), $"cut off after change {cut}");
            if (wasCut) continue;
            Assert.Equal(await DamagedStores.ContentAsync(copy.Store, newest), await DamagedStores.ContentAsync(store, newest));
            return;
        }
    }

    /// What is damaged there, too, does not take the place of anything.
    [Theory]
    [InlineData("points/")]
    [InlineData("removals/")]
    public async Task WhatIsDamagedInTheCopyTooIsNotBroughtBack(string prefix)
    {
        const int seed = 20_270_117;
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(seed));
        MemoryObjectStore store = await RepairWorld.CopyAsync(world.Whole);
        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1))
        {
            await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [world.Oracle.Points[0].Id], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
            await PruneRun.RunAsync(vault, new PruneRequest { Host = "here", MaxUnusedBytes = 0 }, Token);
        }

        MemoryObjectStore copied = await RepairWorld.CopyAsync(store);
        string name = store.Names.First(name => name.StartsWith(prefix, StringComparison.Ordinal));
        await FlipAsync(store, name, 100);
        await FlipAsync(copied, name, 101);
        byte[] before = await DamagedStores.ContentAsync(store, name);
        using OpenVault copy = await FaultWorld.OpenAsync(copied, seed: 6);

        using OpenVault damaged = await FaultWorld.OpenAsync(store, seed: 7);
        RepairPlan plan = await RepairRun.PlanAsync(damaged, new RepairRequest { ReadData = true, From = copy }, Token);

        Assert.DoesNotContain(name, plan.Order.BringBack);
        Assert.Contains(plan.Left, step => step.ObjectName == name);
        Assert.Equal(before, await DamagedStores.ContentAsync(store, name));
    }

    /// A rotten group, a pack without footer, a broken index, references and point: all at once.
    private static async Task<SortedSet<string>> DamageAsync(RepairWorld world, MemoryObjectStore store, Random random)
    {
        var lost = new HashSet<ChunkId>();
        PackFooter[] packs = [.. world.Oracle.Packs.OrderBy(pack => pack.Pack)];
        PackFooter rotten = packs.First(pack => pack.Groups.Length > 1);
        await FlipAsync(store, rotten.Pack.ObjectName, rotten.Groups[1].Offset + 3);
        lost.UnionWith(rotten.Chunks.Where(chunk => chunk.Group == 1).Select(chunk => chunk.Id));
        PackFooter headless = packs.First(pack => pack.Pack.Kind == ObjectKind.DataPack && pack != rotten);
        await FlipAsync(store, headless.Pack.ObjectName, headless.PackBytes - 100);
        // Its groups are found without it: nothing of it is lost in the end.
        string[] indexes = [.. store.Names.Where(name => name.StartsWith("index/", StringComparison.Ordinal))];
        await FlipAsync(store, indexes[random.Next(indexes.Length)], 200);
        await FlipAsync(store, $"refs/{world.Oracle.Points[1].References}", 100);
        RestorePoint gone = world.Oracle.Points[2];
        await FlipAsync(store, $"points/{gone.Id}", 100);
        SortedSet<string> expected = world.Oracle.Affected(lost);
        expected.RemoveWhere(line => line.StartsWith("2:", StringComparison.Ordinal));
        expected.Add(world.Oracle.Line(gone, AffectedKind.Point));
        return expected;
    }

    private static async Task FlipAsync(MemoryObjectStore store, string name, int at)
    {
        byte[] content = await DamagedStores.ContentAsync(store, name);
        content[at] ^= 4;
        store.Overwrite(name, content);
    }

    /// Whether the repair came so far: from then on every call fails, as if the program were dead.
    private static async Task<bool> CutOffAsync(MemoryObjectStore store, int cut, bool isDone, Func<RepairRequest, RepairRequest> change)
    {
        int changes = 0;
        bool isDead = false;
        var faulty = new FaultyObjectStore(store);
        Task Count(StoreCall call, bool after)
        {
            bool isChange = call.Method is StoreMethod.Put or StoreMethod.Delete;
            if (isChange && !after) changes++;
            isDead |= isChange && after == isDone && changes == cut;
            return isDead ? throw new ObjectStoreException("the program is dead", isRetriable: true) : Task.CompletedTask;
        }

        faulty.BeforeEach = call => Count(call, after: false);
        faulty.AfterEach = call => Count(call, after: true);
        Exception? error = await Record.ExceptionAsync(() => RepairWorld.RepairAsync(faulty, change));
        Assert.True(error is null or HoldfastException, $"{error}");
        return isDead;
    }
}
