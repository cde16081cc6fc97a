using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Tests.Checking;

namespace Holdfast.Vault.Tests.Repairing;

/// Goal: after a repair a check is clean or names exactly what is lost for good, nothing else was harmed, what was damaged lies in
/// quarantine, and there is nothing left to repair. Method: every kind of object meets every kind of damage, at a place drawn from a
/// seed; what must be lost was computed from the whole vault.
public sealed class RepairMatrixTests
{
    private static readonly string[] Kinds = ["data/", "trees/", "index/", "refs/"];
    private static readonly string[] Ways = ["flip", "truncate", "delete", "unreadable"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task WhatIsLostIsLostAndTheRestIsSound() => RunAsync(seed: 20_260_301, rounds: 1);

    [Theory, InlineData(1), InlineData(2), Trait("Category", "Long")]
    public Task WhateverIsLostIsLostAndTheRestIsSound(int seed) => RunAsync(seed, rounds: 10);

    [Fact]
    public async Task ACopyOfTheVaultBringsEverythingBack()
    {
        const int seed = 20_260_302;
        var random = new Random(seed);
        using RepairWorld world = await RepairWorld.CreateAsync(random);
        using OpenVault copy = await Faults.FaultWorld.OpenAsync(await RepairWorld.CopyAsync(world.Whole), seed: 6);
        foreach ((IObjectStore store, DamagedStores.Loss _, string name, string about) in await DamagesAsync(world, random, seed, [.. Kinds, "points/"]))
        {
            // A point that is gone is missed by nobody.
            if (name.StartsWith("points/", StringComparison.Ordinal) && about.Contains("delete", StringComparison.Ordinal)) continue;
            await RepairWorld.RepairAsync(store, request => request with { From = copy }, about);
            CheckReport report = await RepairWorld.CheckAsync(store);
            Assert.True(report.Damages.Count == 0, $"{about}\n{RepairWorld.Describe(report)}");
            await world.AssertWholeAsync(store, [0, 1, 2], about);
        }
    }

    /// What only trees lead to that are lost stays needed: a copy may bring them back later.
    [Fact]
    public async Task WhatLostTreesLeadToIsNotPruned()
    {
        const int seed = 20_270_119;
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(seed));
        MemoryObjectStore store = await RepairWorld.CopyAsync(world.Whole);
        foreach (string name in store.Names.Where(static name => name.StartsWith("trees/", StringComparison.Ordinal))) await store.DeleteAsync(name, Token);
        await RepairWorld.RepairAsync(store);
        using (OpenVault vault = await Faults.FaultWorld.OpenAsync(store, seed: 5)) await PruneRun.RunAsync(vault, new PruneRequest { Host = "here", MaxUnusedBytes = 0 }, Token);

        // Only trees are taken from the copy: of the data nothing is missing.
        MemoryObjectStore copied = await RepairWorld.CopyAsync(world.Whole);
        foreach (string name in copied.Names.Where(static name => name.StartsWith("data/", StringComparison.Ordinal))) await copied.DeleteAsync(name, Token);
        using OpenVault copy = await Faults.FaultWorld.OpenAsync(copied, seed: 6);
        await RepairWorld.RepairAsync(store, request => request with { From = copy }, seed: 5000);
        CheckReport report = await RepairWorld.CheckAsync(store);
        Assert.True(report.Damages.Count == 0, RepairWorld.Describe(report));
        await world.AssertWholeAsync(store, [0, 1, 2], $"seed {seed}");
    }

    private static async Task RunAsync(int seed, int rounds)
    {
        var random = new Random(seed);
        using RepairWorld world = await RepairWorld.CreateAsync(random);
        for (int round = 0; round < rounds; round++)
        {
            foreach ((IObjectStore store, DamagedStores.Loss loss, string name, string about) in await DamagesAsync(world, random, seed, Kinds))
            {
                bool wasThere = await store.StatAsync(name, Token) is not null;
                List<string> quarantined = await RepairWorld.RepairAsync(store, about: about);
                Assert.True(quarantined.Contains("quarantine/" + name) == wasThere, $"{about}: in quarantine: {string.Join(", ", quarantined)}");
                SortedSet<string> expected = world.Oracle.Affected(StaysLost(world, loss, name, about));
                CheckReport report = await RepairWorld.CheckAsync(store);
                world.AssertAffected(expected, report, about);
                Assert.True(report.Damages.All(damage => damage.ObjectName.StartsWith("chunk", StringComparison.Ordinal)), $"{about}\n{RepairWorld.Describe(report)}");
                Assert.True(report.Damages.Count == 0 || expected.Count > 0, about);
                await world.AssertWholeAsync(store, world.WholePoints(expected), about);
                string[] leases = [.. ((await store.ListPageAsync("leases/", null, Token)).Entries).Select(entry => entry.Name)];
                Assert.True(leases.Length == 0, $"{about}: leases are left");
            }
        }
    }

    /// Of a pack that lost its footer, or was cut off, the groups that are there are found one after the other from the beginning.
    private static HashSet<ChunkId> StaysLost(RepairWorld world, DamagedStores.Loss loss, string name, string about)
    {
        PackFooter? pack = world.Oracle.Packs.SingleOrDefault(pack => pack.Pack.ObjectName == name);
        if (pack is null || loss.IsGroup || loss.At is not { } at) return loss.Chunks;
        bool isCut = about.Contains("truncate", StringComparison.Ordinal);
        // Of the header some bytes do not matter for that; those that do cost everything.
        if (!isCut && at < PackFooter.BodyOffset) return at is >= 16 and < 64 ? [] : loss.Chunks;
        int end = isCut ? at : pack.PackBytes;
        return [.. pack.Chunks.Where(chunk => pack.Groups[chunk.Group].Offset + pack.Groups[chunk.Group].SealedBytes > end).Select(chunk => chunk.Id)];
    }

    private static async Task<List<(IObjectStore Store, DamagedStores.Loss Loss, string Name, string About)>> DamagesAsync(
        RepairWorld world, Random random, int seed, string[] kinds)
    {
        var damages = new List<(IObjectStore Store, DamagedStores.Loss Loss, string Name, string About)>();
        foreach (string kind in kinds)
        {
            foreach (string way in Ways)
            {
                string[] names = [.. world.Whole.Names.Where(name => name.StartsWith(kind, StringComparison.Ordinal))];
                string name = names[random.Next(names.Length)];
                (IObjectStore store, DamagedStores.Loss loss) = await DamagedStores.DamageAsync(world.Whole, world.Oracle, random, name, way);
                // Changed there, an object says that another key reads it: then it is left alone.
                bool isForeign = way == "flip" && loss.At is (>= 12 and < 16) or (>= 24 and < 32);
                if (isForeign) continue;
                if (store is FaultyObjectStore faulty) FailReadsUntilDeleted(faulty, name);
                damages.Add((store, loss, name, $"seed {seed}: {name}: {way} {loss.Where}"));
            }
        }

        return damages;
    }

    /// A bad sector goes with the object that it is part of.
    private static void FailReadsUntilDeleted(FaultyObjectStore faulty, string name)
    {
        bool isDeleted = false;
        faulty.BeforeEach = call =>
        {
            if (call.Method == StoreMethod.Read && call.Name == name && !isDeleted) throw new ObjectStoreException($"{name}: input/output error", isRetriable: false);
            isDeleted |= call.Method == StoreMethod.Delete && call.Name == name;
            return Task.CompletedTask;
        };
    }
}
