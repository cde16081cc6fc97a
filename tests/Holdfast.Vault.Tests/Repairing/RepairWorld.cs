using System.Text;
using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Checking;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Repairing;

/// <summary>A vault with three points of one source, what they hold, and short ways to repair copies of it.</summary>
internal sealed class RepairWorld : IDisposable
{
    private readonly FaultWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public MemoryObjectStore Whole { get; } = new();

    public VaultOracle Oracle { get; private set; } = null!;

    /// <summary>Every file of each point.</summary>
    public List<SortedDictionary<string, byte[]>> Contents { get; } = [];

    public string SourcePath { get; private set; } = "";

    public DirectoryTree Tree { get; private set; } = null!;

    public FaultWorld Faults => world;

    public static async Task<RepairWorld> CreateAsync(Random random)
    {
        var made = new RepairWorld();
        (made.SourcePath, made.Tree) = DamagedStores.Source(made.world, random);
        await FaultWorld.InitAsync(made.Whole);
        using OpenVault vault = await FaultWorld.OpenAsync(made.Whole, seed: 5);
        for (int i = 0; i < 3; i++)
        {
            if (i > 0) DamagedStores.Change(random, made.SourcePath, i);
            await FaultWorld.BackupAsync(vault, made.Tree, Token);
        }

        made.Oracle = await VaultOracle.ReadAsync(vault, Token);
        foreach (RestorePoint point in made.Oracle.Points) made.Contents.Add(await FaultWorld.ReadAsync(vault, point));
        return made;
    }

    public static async Task<MemoryObjectStore> CopyAsync(MemoryObjectStore store)
    {
        var copy = new MemoryObjectStore();
        foreach (string name in store.Names) await copy.PutIfAbsentAsync(name, await DamagedStores.ContentAsync(store, name), Token);
        return copy;
    }

    /// <summary>Repairs until nothing more is to be done, and says what was put into quarantine.</summary>
    public static async Task<List<string>> RepairAsync(
        IObjectStore store, Func<RepairRequest, RepairRequest>? change = null, string about = "", int seed = 1000)
    {
        var quarantined = new List<string>();
        for (int round = 0; round < 4; round++)
        {
            using OpenVault vault = await FaultWorld.OpenAsync(store, seed + round + quarantined.Count);
            var request = new RepairRequest { ReadData = true, Workers = 2, Host = "here" };
            if (change is not null) request = change(request);
            RepairPlan plan = await RepairRun.PlanAsync(vault, request, Token);
            if (plan.Steps.Count == 0) return quarantined;
            quarantined.AddRange((await RepairRun.ApplyAsync(vault, plan, request, Token)).Quarantined);
        }

        Assert.Fail($"{about}: there is still something to repair after four rounds");
        return quarantined;
    }

    /// <summary>A check of all data, without the key slot that a vault has that was opened without a password.</summary>
    public static async Task<CheckReport> CheckAsync(IObjectStore store)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 2000);
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true, Workers = 2 }, Token);
        return report with { Damages = [.. report.Damages.Where(damage => !damage.ObjectName.StartsWith("keys/", StringComparison.Ordinal))] };
    }

    public static string Describe(CheckReport report) =>
        string.Join("\n", report.Damages.Select(damage => $"{damage.ObjectName}: {damage.What}: {damage.Affected.Count} affected"));

    public void AssertAffected(SortedSet<string> expected, CheckReport report, string about)
    {
        SortedSet<string> named = Oracle.Named(report);
        Assert.True(
            expected.SetEquals(named), $"{about}\n missing: {string.Join(", ", expected.Except(named))}\n too many: {string.Join(", ", named.Except(expected))}\n{Describe(report)}");
    }

    /// <summary>Points are whole, to the byte, and name all that they need.</summary>
    public async Task AssertWholeAsync(IObjectStore store, IEnumerable<int> points, string about)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 3000);
        IReadOnlyList<RestorePoint> listed = await RestorePoints.ListAsync(vault, Token);
        foreach (int i in points)
        {
            RestorePoint? point = listed.SingleOrDefault(point => point.Id == Oracle.Points[i].Id);
            Assert.True(point is not null, $"{about}: point {i} is not listed");
            SortedDictionary<string, byte[]> files = await FaultWorld.ReadAsync(vault, point);
            Assert.True(files.Keys.SequenceEqual(Contents[i].Keys), $"{about}: point {i} has other files");
            foreach ((string name, byte[] content) in files) Assert.True(content.AsSpan().SequenceEqual(Contents[i][name]), $"{about}: point {i}: {name} is another");
        }
    }

    /// <summary>The points that a loss leaves whole.</summary>
    public IEnumerable<int> WholePoints(SortedSet<string> affected) => Enumerable.Range(0, Contents.Count)
        .Where(i => !affected.Any(line => line.StartsWith($"{i}:Data", StringComparison.Ordinal) || line.StartsWith($"{i}:Tree", StringComparison.Ordinal)));

    public static string PathOf(ReadOnlyMemory<byte> path) => Encoding.UTF8.GetString(path.Span);

    public void Dispose() => world.Dispose();
}
