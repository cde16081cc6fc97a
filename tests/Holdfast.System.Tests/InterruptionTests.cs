using System.Diagnostics;
using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Several at once, and ends in the middle: nothing that was there is lost, and what was done is not done again.
public sealed class InterruptionTests : IDisposable
{
    private readonly SystemFixture world = new();

    [Fact]
    public async Task SeveralBackupsAtOnceAllSucceed()
    {
        await world.InitAsync();
        for (int i = 0; i < 3; i++) world.WriteRandom($"tree{i}/own", i, 1_000_000);
        for (int i = 0; i < 3; i++) world.WriteRandom($"tree{i}/shared", 100, 2_000_000);
        HoldfastResult[] results = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => world.RunAsync("backup", Path.Combine(world.Source, $"tree{i}"), "--json")));
        Assert.All(results, result => Assert.True(result.Code == 0, result.ToString()));
        for (int i = 0; i < 3; i++)
        {
            TreeSnapshot expected = TreeSnapshot.Take(Path.Combine(world.Source, $"tree{i}"));
            await world.ExpectRestoredAsync(results[i].Summary.GetProperty("point").GetString()!, expected);
        }

        await world.ExpectAsync(0, "check", "--read-data");
    }

    [Theory, InlineData(2, 130), InlineData(15, 143)]
    public async Task ASignalEndsABackupCleanlyAndTheNextOneUsesWhatWasStored(int signal, int code)
    {
        await world.InitAsync();
        for (int i = 0; i < 16; i++) world.WriteRandom($"f{i:00}", i, 8 << 20);
        using HoldfastProcess process = world.Start("backup", world.Source);
        await UntilAsync(() => world.Packs().Count >= 2 || process.HasExited);
        process.Signal(signal);
        HoldfastResult result = await process.WaitAsync();
        Assert.True(result.Code == code, result.ToString());
        Assert.Equal("holdfast: interrupted\n", result.Error);
        Assert.Empty(await world.PointsAsync());
        JsonElement next = await world.BackupAsync();
        Assert.Equal(16L * (8 << 20), next.GetProperty("bytesRead").GetInt64());
        Assert.InRange(next.GetProperty("bytesAdded").GetInt64(), 0, 15L * (8 << 20));
        await world.ExpectRestoredAsync("latest", TreeSnapshot.Take(world.Source));
    }

    [Fact]
    public async Task ASignalEndsAWaitForStandardInput()
    {
        await world.InitAsync();
        using HoldfastProcess process = world.Start("backup", "--stdin");
        await process.Input.WriteAsync(new byte[100_000]);
        await process.Input.FlushAsync();
        await UntilAsync(() => Directory.Exists(Path.Combine(world.Vault, "leases")) && Directory.EnumerateFileSystemEntries(Path.Combine(world.Vault, "leases")).Any());
        process.Signal(2);
        Assert.Equal(130, (await process.WaitAsync()).Code);
        Assert.Empty(await world.PointsAsync());
    }

    [Fact]
    public Task KillsAtRandomMomentsLoseNothing() => KillAtRandomMomentsAsync(seed: 20_260_101, runs: 20);

    [Theory, InlineData(1), InlineData(2), Trait("Category", "Long")]
    public Task ManyKillsAtRandomMomentsLoseNothing(int seed) => KillAtRandomMomentsAsync(seed, runs: 100);

    public void Dispose() => world.Dispose();

    private static async Task UntilAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "the moment did not come");
            await Task.Delay(2);
        }
    }

    /// Goal: whenever a backup dies, earlier points restore as before, the vault is whole, and the next run uses what the
    /// dead one uploaded. Method: kill -9 at a seeded moment, then check, back up to the end, restore; between the
    /// rounds a part of the tree becomes new.
    private async Task KillAtRandomMomentsAsync(int seed, int runs)
    {
        var random = new Random(seed);
        await world.InitAsync();
        Grow(random, round: 0);
        var clock = Stopwatch.StartNew();
        string point = await world.BackupPointAsync();
        TimeSpan whole = clock.Elapsed;
        var known = new Dictionary<string, TreeSnapshot> { [point] = TreeSnapshot.Take(world.Source) };
        var points = new List<string> { point };
        int killed = 0, reused = 0;
        for (int run = 1; run <= runs; run++)
        {
            Grow(random, run);
            string about = $"seed {seed}, run {run}";
            using HoldfastProcess process = world.Start("backup", world.Source);
            int packs = world.Packs().Count;
            double share = random.NextDouble();

            // Every other run dies at any moment, the rest soon after their first upload, however slow the machine is.
            if (run % 2 == 0) await UntilAsync(() => world.Packs().Count > packs || process.HasExited);
            await Task.Delay(TimeSpan.FromMilliseconds(share * (run % 2 == 0 ? 60 : whole.TotalMilliseconds * 1.1)));
            process.Kill();
            HoldfastResult result = await process.WaitAsync();
            if (result.Code == 137) killed++;
            bool hasUploaded = world.Packs().Count > packs;
            IReadOnlyList<string> now = await world.PointsAsync();
            Assert.True(points.SequenceEqual(now.Take(points.Count)), about);
            Assert.True(now.Count == points.Count || now.Count == points.Count + 1, about);

            // To read all of it is dear; every few rounds is enough, as no content is ever repaired in between.
            HoldfastResult check = await world.RunAsync(run % 5 == 0 ? ["check", "--read-data"] : ["check"]);
            Assert.True(check.Code == 0, $"{about}: {check}");
            if (run % 5 == 0)
            {
                string earlier = points[random.Next(points.Count)];
                await world.ExpectRestoredAsync(earlier, known[earlier]);
            }

            if (now.Count == points.Count && hasUploaded)
            {
                JsonElement next = await world.BackupAsync();
                if (next.GetProperty("bytesAdded").GetInt64() < next.GetProperty("bytesRead").GetInt64()) reused++;
                else Assert.Fail($"{about}: nothing of what was uploaded is used");
                point = next.GetProperty("point").GetString()!;
                known[point] = TreeSnapshot.Take(world.Source);
            }
            else if (now.Count > points.Count)
            {
                point = now[^1];
                known[point] = TreeSnapshot.Take(world.Source);
            }

            points = now.Contains(point) ? [.. now] : [.. now, point];
        }

        await world.ExpectAsync(0, "check", "--read-data");
        foreach ((string each, TreeSnapshot tree) in known) await world.ExpectRestoredAsync(each, tree);
        Assert.True(killed > runs / 3, $"seed {seed}: only {killed} of {runs} were killed");
        Assert.True(reused > 0, $"seed {seed}: no run was killed after it had uploaded something");
    }

    // New content, so that each run has something to upload: many small files and some large ones.
    private void Grow(Random random, int round)
    {
        for (int i = 0; i < 2; i++) world.WriteRandom($"large{i}", random.Next(), 12_000_000);
        for (int i = 0; i < 40; i++) world.WriteRandom($"small/{round % 4}/{i}", random.Next(), random.Next(1, 20_000));
    }
}
