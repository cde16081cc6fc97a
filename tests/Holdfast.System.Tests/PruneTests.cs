using System.Collections.Concurrent;
using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Space comes free, beside backups, and nothing else goes.
public sealed class PruneTests : IDisposable
{
    private readonly SystemFixture world = new();

    [Fact]
    public async Task WhatForgetDropsPruneGivesBack()
    {
        await world.InitAsync();
        world.WriteRandom("goes", 1, 3_000_000);
        string first = await world.BackupPointAsync();
        File.Delete(Path.Combine(world.Source, "goes"));
        world.WriteRandom("stays", 2, 1_000_000);
        string second = await world.BackupPointAsync();
        await world.ExpectAsync(0, "settings", "--undelete-window", "1d");
        await world.ExpectAsync(0, "forget", first);
        JsonElement early = (await world.ExpectAsync(0, "prune", "--json")).Summary;
        Assert.Equal((0, 1), (early.GetProperty("pointsDeleted").GetInt32(), early.GetProperty("pointsInWindow").GetInt32()));
        await world.ExpectAsync(0, "settings", "--undelete-window", "0");

        long expected = (await world.ExpectAsync(0, "prune", "--dry-run", "--max-unused", "0%", "--json")).Summary.GetProperty("bytesFreed").GetInt64();
        JsonElement done = (await world.ExpectAsync(0, "prune", "--max-unused", "0%", "--json")).Summary;

        Assert.InRange(expected, 3_000_000, 3_100_000);
        Assert.Equal(1, done.GetProperty("pointsDeleted").GetInt32());
        Assert.InRange(done.GetProperty("bytesDeleted").GetInt64(), 3_000_000, 3_100_000);
        await world.ExpectAsync(0, "check", "--read-data");
        await world.ExpectRestoredAsync(second, TreeSnapshot.Take(world.Source));
    }

    [Fact]
    public async Task ForgetPrunesWhereThatIsAskedFor()
    {
        await world.InitAsync();
        for (int i = 0; i < 3; i++)
        {
            world.WriteRandom("a", i, 500_000);
            await world.BackupPointAsync();
        }

        await world.ExpectAsync(0, "forget", "--keep-last", "1", "--prune");
        Assert.Single(await world.PointsAsync());
        Assert.Single(Directory.GetFiles(Path.Combine(world.Vault, "points")));
        await world.ExpectRestoredAsync("latest", TreeSnapshot.Take(world.Source));
    }

    /// A backup that reads from a pipe is at work as long as the test wants it to be.
    [Fact]
    public async Task PruneWaitsForABackupThatIsAtWorkWhereThatIsAskedFor()
    {
        await world.InitAsync();
        world.WriteRandom("goes", 1, 2_000_000);
        string first = await world.BackupPointAsync();
        File.Delete(Path.Combine(world.Source, "goes"));
        world.WriteRandom("stays", 2, 100_000);
        await world.BackupPointAsync();
        await world.ExpectAsync(0, "forget", first);
        using HoldfastProcess backup = world.Start("backup", "--stdin", "--stdin-name", "piped", "--json");
        Task<HoldfastResult> backingUp = backup.WaitAsync();
        while (!Directory.Exists(Path.Combine(world.Vault, "leases")) || Directory.GetFiles(Path.Combine(world.Vault, "leases")).Length == 0)
        {
            Assert.False(backup.HasExited);
            await Task.Yield();
        }

        JsonElement early = (await world.ExpectAsync(0, "prune", "--json")).Summary;
        Assert.True(early.GetProperty("packsWaiting").GetInt32() > 0);
        using HoldfastProcess prune = world.Start("prune", "--wait", "--json");
        Task<HoldfastResult> pruning = prune.WaitAsync();
        backup.Input.Write("content"u8);
        backup.Input.Close();
        HoldfastResult backedUp = await backingUp, pruned = await pruning;

        Assert.True(backedUp.Code == 0, backedUp.ToString());
        Assert.True(pruned.Code == 0, pruned.ToString());
        Assert.Equal((0, 0), (pruned.Summary.GetProperty("packsWaiting").GetInt32(), pruned.Summary.GetProperty("waitsFor").GetArrayLength()));
        Assert.True(pruned.Summary.GetProperty("bytesDeleted").GetInt64() >= 2_000_000);
        await world.ExpectAsync(0, "check", "--read-data");
        HoldfastResult late = await world.ExpectAsync(15, "undelete", first);
        Assert.Contains("was pruned on", late.Error, StringComparison.Ordinal);
    }

    [Fact]
    public Task ProcessesThatAreKilledLoseNothing() => RunAtOnceAsync(seed: 20_260_301, rounds: 4);

    [Theory, InlineData(1), InlineData(2), Trait("Category", "Long")]
    public Task ManyProcessesThatAreKilledLoseNothing(int seed) => RunAtOnceAsync(seed, rounds: 40);

    public void Dispose() => world.Dispose();

    /// Goal: backups, forgets and prunes at once, each killed at times: every point that is listed restores as its tree was.
    /// Method: two machines back up trees of their own that share much; a third process forgets, a fourth prunes.
    private async Task RunAtOnceAsync(int seed, int rounds)
    {
        await world.InitAsync();
        var trees = new ConcurrentDictionary<string, TreeSnapshot>(StringComparer.Ordinal);
        var done = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        Task[] machines = [.. Enumerable.Range(0, 2).Select(machine => BackUpAsync(new Random(seed + machine), machine, rounds, trees, done))];
        Task[] others = [CallAsync(new Random(seed + 10), rounds, "forget", "--keep-last", "2"), CallAsync(new Random(seed + 11), rounds, "prune", "--max-unused", "1%")];
        await Task.WhenAll([.. machines, .. others]);

        await world.ExpectAsync(0, "prune");
        HoldfastResult check = await world.ExpectAsync(0, "check", "--read-data", "--json");
        Assert.Equal(0, check.Summary.GetProperty("damages").GetInt32());
        List<JsonElement> points = [.. (await world.ExpectAsync(0, "points", "--json")).Document.EnumerateArray()];
        foreach (JsonElement point in points)
        {
            string tag = point.GetProperty("tags")[0].GetString()!;
            await world.ExpectRestoredAsync(point.GetProperty("id").GetString()!, trees[tag]);
        }

        // The newest of each machine was dropped by no policy.
        foreach (int machine in (int[])[0, 1])
        {
            string? newest = done.Keys.Where(tag => tag.StartsWith($"m{machine}-", StringComparison.Ordinal)).Max(StringComparer.Ordinal);
            if (newest is not null) Assert.Contains(points, point => string.CompareOrdinal(point.GetProperty("tags")[0].GetString(), newest) >= 0);
        }
    }

    private async Task BackUpAsync(
        Random random, int machine, int rounds, ConcurrentDictionary<string, TreeSnapshot> trees, ConcurrentDictionary<string, bool> done)
    {
        string tree = $"machine{machine}";
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < 3; i++) world.WriteRandom($"{tree}/f{random.Next(8)}", random.Next(12), 300_000);
            string tag = $"m{machine}-{round:d3}";
            trees[tag] = TreeSnapshot.Take(Path.Combine(world.Source, tree));
            HoldfastResult result = await EndAsync(random, "backup", Path.Combine(world.Source, tree), "--tag", tag, "--json");
            if (result.Code == 0) done[tag] = true;
        }
    }

    private async Task CallAsync(Random random, int rounds, params string[] arguments)
    {
        for (int round = 0; round < rounds; round++) await EndAsync(random, arguments);
    }

    /// Runs it to its end; every third is killed at some moment before.
    private async Task<HoldfastResult> EndAsync(Random random, params string[] arguments)
    {
        using HoldfastProcess process = world.Start(arguments);
        Task<HoldfastResult> ending = process.WaitAsync();
        if (random.Next(3) == 0)
        {
            // A moment that a seed chooses; whether the process is at work by then does not matter.
            await Task.WhenAny(ending, Task.Delay(random.Next(50, 1500)));
            process.Kill();
        }

        HoldfastResult result = await ending;
        Assert.True(result.Code is 0 or 137 or 11, result.ToString());
        return result;
    }
}
