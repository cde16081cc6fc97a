using System.Text;
using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Checking;

/// Goal: whatever happens to whichever object, check names exactly what it costs, restore brings back all the rest, and the next
/// backup makes a point that is whole. Method: every kind of object meets every kind of damage, at a place drawn from a seed; what
/// must be lost was computed from the trees and footers of the whole vault.
public sealed class DamageMatrixTests : IDisposable
{
    private static readonly string[] Kinds = ["data/", "trees/", "index/", "refs/", "points/"];
    private static readonly string[] Ways = ["flip", "truncate", "delete", "unreadable"];
    private readonly FaultWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Fact]
    public Task EveryDamageCostsWhatItMustAndNothingElse() => RunAsync(seed: 20_260_101, rounds: 1);

    [Theory, InlineData(1), InlineData(2), InlineData(3), Trait("Category", "Long")]
    public Task ManyDamagesCostWhatTheyMustAndNothingElse(int seed) => RunAsync(seed, rounds: 15);

    private async Task RunAsync(int seed, int rounds)
    {
        var random = new Random(seed);
        (string path, DirectoryTree tree) = DamagedStores.Source(world, random);
        var whole = new MemoryObjectStore();
        await FaultWorld.InitAsync(whole);
        var contents = new List<SortedDictionary<string, byte[]>>();
        VaultOracle oracle;
        using (OpenVault vault = await FaultWorld.OpenAsync(whole, seed))
        {
            for (int i = 0; i < 3; i++)
            {
                if (i > 0) DamagedStores.Change(random, path, i);
                await FaultWorld.BackupAsync(vault, tree, Token);
            }

            oracle = await VaultOracle.ReadAsync(vault, Token);
            foreach (RestorePoint point in oracle.Points) contents.Add(await FaultWorld.ReadAsync(vault, point));
        }

        for (int round = 0; round < rounds; round++)
        {
            foreach (string kind in Kinds)
            {
                foreach (string way in Ways)
                {
                    string[] names = [.. whole.Names.Where(name => name.StartsWith(kind, StringComparison.Ordinal))];
                    string name = names[random.Next(names.Length)];
                    (IObjectStore store, DamagedStores.Loss loss) = await DamagedStores.DamageAsync(whole, oracle, random, name, way);
                    string about = $"seed {seed}, round {round}: {name}: {way} {loss.Where}";
                    await CheckAsync(store, oracle, loss, name, about);
                    for (int i = 0; i < contents.Count; i++) await RestoreAsync(store, oracle, i, loss, name, contents[i], about);
                    await BackupAsync(store, tree, path, loss, about);
                }
            }
        }
    }

    private static async Task CheckAsync(IObjectStore store, VaultOracle oracle, DamagedStores.Loss loss, string name, string about)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 70);
        SortedSet<string> expected = oracle.Affected(loss.Chunks);
        if (name.StartsWith("points/", StringComparison.Ordinal) && !IsLostPoint(name, loss))
        {
            expected.Add(oracle.Line(oracle.Points.Single(point => name.EndsWith(point.Id.ToString(), StringComparison.Ordinal)), AffectedKind.Point));
        }

        foreach (RestorePoint point in oracle.Points.Where(point => name == $"refs/{point.References}")) expected.Add(oracle.Line(point, AffectedKind.References));
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true, Workers = 2 }, Token);
        AssertSame(expected, oracle.Named(report), about);
        // The vault was opened without a password: it has no key slot.
        string[] named = [.. report.Damages.Select(damage => damage.ObjectName).Where(each => !each.StartsWith("keys/", StringComparison.Ordinal))];
        if (!IsLostPoint(name, loss)) Assert.True(named.Any(each => IsNameOf(each, name)), $"{about}: not named");
        Assert.True(named.All(each => IsNameOf(each, name)), $"{about}: {string.Join(", ", named)}");

        CheckReport quick = await CheckRun.RunAsync(vault, new CheckRequest { Workers = 2 }, Token);
        bool needsReading = loss.IsGroup && name.StartsWith("data/", StringComparison.Ordinal);
        AssertSame(needsReading ? [] : expected, oracle.Named(quick), about + ", without reading data");
    }

    private static async Task RestoreAsync(
        IObjectStore store, VaultOracle oracle, int index, DamagedStores.Loss loss, string name, SortedDictionary<string, byte[]> content, string about)
    {
        about += $", restoring point {index}";
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 80);
        RestorePoint? point = (await RestorePoints.ListAsync(vault, Token)).SingleOrDefault(point => point.Id == oracle.Points[index].Id);
        bool isPointLost = name == $"points/{oracle.Points[index].Id}";
        Assert.True(point is null == isPointLost, about);
        if (point is null) return;
        using var directory = new TemporaryDirectory(inMemory: true);
        using DirectoryTree target = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(directory.Path)).Value;
        RestoreSummary? summary = null;
        Exception? error = await Record.ExceptionAsync(
            async () => summary = await RestoreRun.RunAsync(vault, point, new RestoreRequest { Target = target, Workers = 2 }, Token));
        SortedSet<string> whole = oracle.IsRootLost(index, loss.Chunks) ? [] : oracle.Whole(index, loss.Chunks);
        if (oracle.IsRootLost(index, loss.Chunks)) Assert.True(error is DamageException || summary?.Damaged > 0, $"{about}: {error}");
        else Assert.True(summary is not null, $"{about}: {error}");
        if (summary is not null) Assert.True(summary.Damaged > 0 == whole.Count < content.Count, $"{about}: {summary.Damaged} damaged");
        string[] restored = [.. Directory.EnumerateFiles(directory.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(directory.Path, path))];
        AssertSame(whole, [.. restored], about);
        foreach (string file in restored)
        {
            Assert.True(content[file].AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(directory.Path, file))), $"{about}: {file} is another");
        }
    }

    /// What is missing or cannot be read is stored anew. A group that rots counts as known until somebody reads it.
    private static async Task BackupAsync(IObjectStore store, DirectoryTree tree, string path, DamagedStores.Loss loss, string about)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 90);
        Exception? error = await Record.ExceptionAsync(() => FaultWorld.BackupAsync(vault, tree, Token));
        Assert.True(error is null, $"{about}: {error}");
        if (loss.IsGroup) return;
        using OpenVault fresh = await FaultWorld.OpenAsync(store, seed: 91);
        await FaultWorld.AssertIsAsync(fresh, (await RestorePoints.ListAsync(fresh, Token))[^1], path);
    }

    // Nobody can tell it from one that was forgotten.
    private static bool IsLostPoint(string name, DamagedStores.Loss loss) => name.StartsWith("points/", StringComparison.Ordinal) && loss.Where == "all of it";

    private static bool IsNameOf(string told, string name) =>
        told == name || (told.EndsWith('*') && name.StartsWith(told[..^1], StringComparison.Ordinal));

    private static void AssertSame(SortedSet<string> expected, SortedSet<string> found, string about) => Assert.True(
        expected.SetEquals(found), $"{about}\n missing: {string.Join(", ", expected.Except(found))}\n too many: {string.Join(", ", found.Except(expected))}");

}
