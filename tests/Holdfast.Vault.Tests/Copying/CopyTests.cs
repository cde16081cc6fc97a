using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Tests.Checking;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Keys;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Copying;

/// Goal: a copied point holds and says what the original does, in a vault with the same keys and in one with others; what is there
/// is not copied again; what is damaged is named and keeps nothing else from being copied.
public sealed class CopyTests
{
    private const int Seed = 20_261_122;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CopiesHoldWhatTheOriginalsHoldAndAreMadeOnce(bool isTwin)
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        var to = new MemoryObjectStore();
        CopySummary first = await CopyWorld.CopyAsync(world.Whole, to, isTwin, seed: 10);
        Assert.Equal((3, 0, 0), (first.Points, first.PointsThere, first.Damaged));
        Assert.True(first.ChunksCopied > 0 && first.ChunksThere > 0 && first.BytesRead > 0);
        await CopyWorld.AssertCopiedAsync(world, to, isTwin, [0, 1, 2], $"seed {Seed}");
        Assert.Empty((await to.ListPageAsync("leases/", null, Token)).Entries);
        string[] names = to.Names;

        CopySummary second = await CopyWorld.CopyAsync(world.Whole, to, isTwin, seed: 20);
        Assert.Equal((0, 3, 0, 0), (second.Points, second.PointsThere, second.BytesRead, second.BytesStored));
        Assert.Equal(names, to.Names);

        using OpenVault from = await FaultWorld.OpenAsync(world.Whole, seed: 30);
        using OpenVault vault = CopyWorld.Open(to, isTwin, seed: 31);
        IReadOnlyList<RestorePoint> copies = await RestorePoints.ListAsync(vault, Token);
        Assert.Equal(await CopyWorld.ChangesAsync(from, world.Oracle.Points[2]), await CopyWorld.ChangesAsync(vault, copies.Single(copy => copy.Origin!.Point == world.Oracle.Points[2].Id)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task APointWithoutItsBaseIsCopiedAsAFull(bool isTwin)
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        var to = new MemoryObjectStore();
        await CopyWorld.CopyAsync(world.Whole, to, isTwin, seed: 10, request => request with { Points = [world.Oracle.Points[2]] });
        await CopyWorld.AssertCopiedAsync(world, to, isTwin, [2], $"seed {Seed}");
    }

    /// A client dates its points as it likes, and the vault counts them from when they came: a copy that the admin makes says that.
    [Fact]
    public async Task ACopyHasTheTimeByWhichTheOriginalCounts()
    {
        using var world = new RoleWorld();
        KeyRing client = await world.AddAsync(KeyRole.Add);
        (_, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        using (OpenVault theirs = await world.OpenAsync(client))
        {
            BackupRequest request = FaultWorld.Request(tree, PointKind.Full) with { Time = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero) };
            await BackupRun.RunAsync(theirs, request, Token);
        }

        using OpenVault from = await world.OpenAsync(world.Root);
        RestorePoint original = Assert.Single(await RestorePoints.ListAsync(from, Token));
        using OpenVault vault = CopyWorld.Open(new MemoryObjectStore(), isTwin: false, seed: 5);
        await CopyRun.RunAsync(vault, new CopyRequest { From = from, Host = "here" }, Token);

        RestorePoint copy = Assert.Single(await RestorePoints.ListAsync(vault, Token));
        Assert.Equal(SimulatedClock.DefaultStart, original.EffectiveTime);
        Assert.Equal((original.EffectiveTime, original.EffectiveTime), (copy.Time, copy.EffectiveTime));
    }

    [Fact]
    public async Task WhatCameByAnotherWayIsNotCopiedAgain()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        MemoryObjectStore second = new(), third = new();
        await CopyWorld.CopyAsync(world.Whole, second, isTwin: false, seed: 10);
        using OpenVault from = CopyWorld.Open(second, isTwin: false, seed: 20);
        using OpenVault to = CopyWorld.Open(third, isTwin: true, seed: 30, number: 2);
        Assert.Equal(3, (await CopyRun.RunAsync(to, new CopyRequest { From = from }, Token)).Points);
        await CopyWorld.AssertCopiedAsync(world, third, isTwin: true, [0, 1, 2], $"seed {Seed}", isDirect: false);

        using OpenVault origin = await FaultWorld.OpenAsync(world.Whole, seed: 40);
        Assert.Equal((0, 3), Points(await CopyRun.RunAsync(to, new CopyRequest { From = origin }, Token)));
        Assert.Equal((0, 3), Points(await CopyRun.RunAsync(origin, new CopyRequest { From = to }, Token)));

        static (long, long) Points(CopySummary summary) => (summary.Points, summary.PointsThere);
    }

    [Theory]
    [InlineData(true, "data", "flip")]
    [InlineData(false, "data", "flip")]
    [InlineData(false, "data", "EIO")]
    [InlineData(true, "trees", "delete")]
    [InlineData(false, "trees", "delete")]
    public async Task ADamagedPointIsNamedAndTheOthersAreCopied(bool isTwin, string kind, string way)
    {
        var random = new Random(Seed);
        using RepairWorld world = await RepairWorld.CreateAsync(random);
        string prefix = $"{kind}/{world.Oracle.Points[2].Id}/";
        // The first byte of its groups, so that it is no byte of the footer.
        string pack = world.Whole.Names.First(name => name.StartsWith(prefix, StringComparison.Ordinal));
        IObjectStore damaged;
        if (way == "flip")
        {
            MemoryObjectStore copy = await RepairWorld.CopyAsync(world.Whole);
            byte[] content = await DamagedStores.ContentAsync(copy, pack);
            content[200] ^= 1;
            copy.Overwrite(pack, content);
            damaged = copy;
        }
        else
        {
            (damaged, _) = await DamagedStores.DamageAsync(world.Whole, world.Oracle, random, pack, way);
        }

        var to = new MemoryObjectStore();
        var notices = new List<ItemNotice>();
        CopySummary summary = await CopyWorld.CopyAsync(damaged, to, isTwin, seed: 10, request => request with { OnNotice = notices.Add });
        Assert.Equal((2, 1, 0), (summary.Points, summary.Damaged, summary.Gone));
        Assert.Equal($"restore point {world.Oracle.Points[2].Id}", RepairWorld.PathOf(Assert.Single(notices).Path));
        await CopyWorld.AssertCopiedAsync(world, to, isTwin, [0, 1], $"seed {Seed}");

        Assert.Equal(1, (await CopyWorld.CopyAsync(world.Whole, to, isTwin, seed: 20)).Points);
        await CopyWorld.AssertCopiedAsync(world, to, isTwin, [0, 1, 2], $"seed {Seed}");
    }

    [Fact]
    public async Task APointThatIsNamedTwiceIsCopiedOnceAndOneThatCannotBeReadIsNamed()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        var to = new MemoryObjectStore();
        RestorePoint first = world.Oracle.Points[0];
        Assert.Equal(1, (await CopyWorld.CopyAsync(world.Whole, to, isTwin: true, seed: 10, request => request with { Points = [first, first] })).Points);
        MemoryObjectStore damaged = await RepairWorld.CopyAsync(world.Whole);
        string name = $"points/{world.Oracle.Points[1].Id}";
        byte[] content = await DamagedStores.ContentAsync(damaged, name);
        content[^1] ^= 1;
        damaged.Overwrite(name, content);
        var notices = new List<ItemNotice>();
        CopySummary rest = await CopyWorld.CopyAsync(damaged, to, isTwin: true, seed: 20, request => request with { OnNotice = notices.Add });
        Assert.Equal((1, 1, 1), (rest.Points, rest.PointsThere, rest.Damaged));
        Assert.Equal($"restore point {world.Oracle.Points[1].Id}", RepairWorld.PathOf(Assert.Single(notices).Path));
    }

    [Fact]
    public async Task APointThatIsForgottenAndPrunedMeanwhileIsNamedAsGone()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        var to = new MemoryObjectStore();
        SessionId last = world.Oracle.Points[2].Id;
        using OpenVault from = await FaultWorld.OpenAsync(world.Whole, seed: 10);
        using OpenVault other = await FaultWorld.OpenAsync(world.Whole, seed: 11);
        var notices = new List<ItemNotice>();
        // Once the first point is copied, the last one goes.
        var store = new FaultyObjectStore(to);
        using OpenVault target = CopyWorld.Open(store, isTwin: false, seed: 12);
        bool isGone = false;
        store.AfterEach = async call =>
        {
            if (isGone || call.Method != StoreMethod.Put || !call.Name.StartsWith("points/", StringComparison.Ordinal)) return;
            isGone = true;
            await ForgetRun.RunAsync(other, new ForgetRequest { Points = [last], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
            foreach (string name in world.Whole.Names.Where(name => name.Contains($"/{last}/", StringComparison.Ordinal))) await world.Whole.DeleteAsync(name, Token);
        };
        CopySummary summary = await CopyRun.RunAsync(target, new CopyRequest { From = from, OnNotice = notices.Add }, Token);
        Assert.Equal((2, 0, 1), (summary.Points, summary.Damaged, summary.Gone));
        Assert.Contains("was forgotten", Assert.Single(notices).Message, StringComparison.Ordinal);
        await CopyWorld.AssertCopiedAsync(world, to, isTwin: false, [0, 1], $"seed {Seed}");
    }

    [Fact]
    public async Task AVaultIsNotCopiedToItselfAndTakesKeysThatMay()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        using OpenVault from = await FaultWorld.OpenAsync(world.Whole, seed: 10);
        using OpenVault again = await FaultWorld.OpenAsync(world.Whole, seed: 11);
        var to = new MemoryObjectStore();
        Assert.Equal(ErrorKind.Usage, (await Assert.ThrowsAsync<HoldfastException>(() => CopyRun.RunAsync(again, new CopyRequest { From = from }, Token))).Kind);
        KeyRing list = FaultWorld.Ring.NewMember(KeyRole.List, "list", new SimulatedEntropy(5), DateTimeOffset.UnixEpoch);
        using OpenVault listed = OpenVault.Open(from.Host, world.Whole, FaultWorld.VaultId, "0000000000000000", list, 1 << 20);
        using OpenVault target = CopyWorld.Open(to, isTwin: false, seed: 12);
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => CopyRun.RunAsync(target, new CopyRequest { From = listed }, Token))).Kind);

        // Secrets are given away by the first admin alone, whatever other key reads them.
        KeyRing admin = FaultWorld.Ring.NewMember(KeyRole.Admin, "second", new SimulatedEntropy(6), DateTimeOffset.UnixEpoch);
        using OpenVault second = OpenVault.Open(from.Host, world.Whole, FaultWorld.VaultId, "0000000000000000", admin, 1 << 20);
        using VaultSecret secret = VaultFixture.Secret();
        Assert.Equal(
            ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => OpenVault.InitWithSecretsOfAsync(from.Host, to, secret, "first", second, Token))).Kind);
        Assert.Empty(to.Names);
    }
}
