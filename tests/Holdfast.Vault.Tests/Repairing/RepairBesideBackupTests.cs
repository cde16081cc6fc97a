using System.Text;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Checking;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Pruning;

namespace Holdfast.Vault.Tests.Repairing;

/// Goal: a repair and a backup at once lose nothing that either by itself would have kept. Method: a whole repair runs at each call that a
/// backup makes of the store, once for each, and a whole backup at each call of a repair; the fast tests take some of these calls. All points are read then, also once the next repair
/// has found nothing more to do, and once all but the new point were pruned.
public sealed class RepairBesideBackupTests : IDisposable
{
    private const int Seed = 20_270_113;
    private readonly PruneWorld world = new();
    private readonly Dictionary<SessionId, SortedDictionary<string, byte[]>> before = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory, InlineData("data"), InlineData("trees")]
    public Task ARepairDuringABackupLosesNothing(string damaged) => RepairDuringBackupsAsync(damaged, step: 5);

    [Theory, InlineData("data"), InlineData("trees")]
    public Task ABackupDuringARepairLosesNothing(string damaged) => BackUpDuringRepairsAsync(damaged, step: 23);

    [Theory, InlineData("data"), InlineData("trees"), Trait("Category", "Long")]
    public Task ARepairAtAnyCallOfABackupLosesNothing(string damaged) => RepairDuringBackupsAsync(damaged, step: 1);

    [Theory, InlineData("data"), InlineData("trees"), Trait("Category", "Long")]
    public Task ABackupAtAnyCallOfARepairLosesNothing(string damaged) => BackUpDuringRepairsAsync(damaged, step: 1);

    private async Task RepairDuringBackupsAsync(string damaged, int step)
    {
        MemoryObjectStore whole = await FillAsync(damaged);
        for (int at = 1; ; at += step)
        {
            MemoryObjectStore store = await RepairWorld.CopyAsync(whole);
            (FaultyObjectStore faulty, Func<bool> wasReached) = At(store, at, () => RepairWorld.RepairAsync(store));
            SessionId point = await BackUpAsync(faulty, at);
            if (!wasReached())
            {
                Assert.True(at > 20, $"{at} calls");
                return;
            }

            await AssertNothingIsLostAsync(store, point, $"repair at call {at} of the backup");
        }
    }

    private async Task BackUpDuringRepairsAsync(string damaged, int step)
    {
        MemoryObjectStore whole = await FillAsync(damaged);
        for (int at = 1; ; at += step)
        {
            MemoryObjectStore store = await RepairWorld.CopyAsync(whole);
            SessionId point = default;
            (FaultyObjectStore faulty, Func<bool> wasReached) = At(store, at, async () => point = await BackUpAsync(store, at));
            await RepairWorld.RepairAsync(faulty);
            if (!wasReached())
            {
                Assert.True(at > 100, $"{at} calls");
                return;
            }

            await AssertNothingIsLostAsync(store, point, $"backup at call {at} of the repair");
        }
    }

    /// <summary>A store at whose n-th call something is done first.</summary>
    private static (FaultyObjectStore Store, Func<bool> WasReached) At(MemoryObjectStore store, int number, Func<Task> action)
    {
        int calls = 0;
        var faulty = new FaultyObjectStore(store) { BeforeEach = _ => Interlocked.Increment(ref calls) == number ? action() : Task.CompletedTask };
        return (faulty, () => calls >= number);
    }

    /// <summary>
    /// Two points, and then damage: of data the end of a file that the source has no more, and an index object; of trees the footer of a
    /// pack, and references.
    /// </summary>
    private async Task<MemoryObjectStore> FillAsync(string damaged)
    {
        world.Write("keep", 600_000, Seed);
        world.Write("rotten", 500_000, Seed + 1);
        SessionId first = await world.BackUpAsync();
        world.Write("more", 30_000, Seed + 2);
        SessionId second = await world.BackUpAsync();
        world.Delete("rotten");
        world.Write("new", 40_000, Seed + 3);
        using OpenVault vault = await FaultWorld.OpenAsync(world.Store, seed: 900, world.Clock);
        foreach (RestorePoint point in await RestorePoints.ListAsync(vault, Stop)) before[point.Id] = await PointContents.ReadAsync(vault, point);
        if (damaged == "data")
        {
            PackFooter pack = (await vault.Index.TryGetFooterAsync(new PackId(ObjectKind.DataPack, first, 0), Stop))!;
            await FlipAsync(pack.Pack.ObjectName, pack.Groups[^1].Offset + 5);
            await FlipAsync($"index/{first}-00000000", -100);
        }
        else
        {
            await FlipAsync($"trees/{second}/00000000", -100);
            await FlipAsync(ReferenceSet.Name(first), 100);
        }

        return world.Store;
    }

    private async Task FlipAsync(string name, int offset)
    {
        byte[] content = await DamagedStores.ContentAsync(world.Store, name);
        content[offset < 0 ? content.Length + offset : offset] ^= 4;
        world.Store.Overwrite(name, content);
    }

    private async Task<SessionId> BackUpAsync(IObjectStore store, int seed)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, 100_000 + seed, world.Clock);
        return (await FaultWorld.BackupAsync(vault, world.Source, Stop)).Point!.Value;
    }

    private async Task AssertNothingIsLostAsync(MemoryObjectStore store, SessionId point, string about)
    {
        await AssertReadAsync(store, point, about);
        await RepairWorld.RepairAsync(store, about: about, seed: 200_000);
        about += ", repaired";
        await AssertReadAsync(store, point, about);
        CheckReport report = await RepairWorld.CheckAsync(store);
        string[] affected = [.. report.Damages.SelectMany(static damage => damage.Affected).Select(static path => $"{path.Point}: {Encoding.UTF8.GetString(path.Path.Span)}")];
        Assert.True(affected.All(line => before.Keys.Any(id => line == $"{id}: /src/rotten")), $"{about}: {string.Join(", ", affected)}");
        Assert.True(report.Damages.All(static damage => damage.ObjectName.StartsWith("chunk", StringComparison.Ordinal)), $"{about}\n{RepairWorld.Describe(report)}");
        Assert.Equal(0, report.UnfinishedSessions);

        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 300_000, world.Clock))
        {
            await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [.. before.Keys], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Stop);
            await PruneRun.RunAsync(vault, new PruneRequest { Host = "pruner", MaxUnusedBytes = 0 }, Stop);
        }

        using OpenVault pruned = await FaultWorld.OpenAsync(store, seed: 300_001, world.Clock);
        await FaultWorld.AssertIsAsync(pruned, Assert.Single(await RestorePoints.ListAsync(pruned, Stop)), world.SourcePath);
        CheckReport clean = await RepairWorld.CheckAsync(store);
        Assert.True(clean.Damages.Count == 0, $"{about}, pruned\n{RepairWorld.Describe(clean)}");
    }

    /// <summary>The new point is the source, and the others are as they were, but for what was damaged.</summary>
    private async Task AssertReadAsync(MemoryObjectStore store, SessionId added, string about)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 400_000, world.Clock);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Stop);
        Assert.True(points.Select(static point => point.Id).Order().SequenceEqual(before.Keys.Append(added).Order()), $"{about}: {points.Count} points");
        foreach (RestorePoint point in points)
        {
            SortedDictionary<string, byte[]> expected = before.TryGetValue(point.Id, out SortedDictionary<string, byte[]>? old) ? old : Source();
            foreach ((string name, byte[] content) in expected)
            {
                PointEntry entry = await PointTree.GetAsync(vault, point, Encoding.UTF8.GetBytes(name), Stop);
                if (name == "rotten") continue;
                var read = new MemoryStream();
                await PointTree.CopyContentAsync(vault, point, entry.Path, read, Stop);
                Assert.True(content.AsSpan().SequenceEqual(read.ToArray()), $"{about}: point {point.Id}: {name}");
            }
        }
    }

    private SortedDictionary<string, byte[]> Source()
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(world.SourcePath)) files[Path.GetFileName(file)] = File.ReadAllBytes(file);
        return files;
    }
}
