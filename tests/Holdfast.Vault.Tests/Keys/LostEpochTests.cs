using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Points;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Keys;

/// Goal: the one object that delivers a key epoch may be lost like any other: that is seen, mended, and nobody takes what he cannot open
/// for damaged, nor writes what a removed key could read.
public sealed class LostEpochTests : IDisposable
{
    private readonly RoleWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData("delete")]
    [InlineData("flip")]
    [InlineData("truncate")]
    public async Task TheFirstAdminsRepairDeliversAnEpochAnew(string how)
    {
        (KeyRing add, KeyRing restore, KeyRing root, string path, DirectoryTree tree, SessionId point) = await RotateAsync();
        Damage(EpochDelivery.Name(2), how);

        DamagedThing[] damages = await CheckAsync(root);
        Assert.Contains(damages, damage => damage.ObjectName == EpochDelivery.Name(2) + (how == "delete" ? "" : "-*") && damage.What.Contains("(Restore)", StringComparison.Ordinal));
        Assert.Equal(how == "delete" ? 1 : 2, damages.Length);
        Assert.All(damages, damage => Assert.False(damage.IsUnreadable));

        await RepairAsync(root, null);

        Assert.Empty(await CheckAsync(root));
        Assert.Empty(await CheckAsync(restore));
        await world.AssertIsAsync(restore, point, path);
        SessionId next = await world.BackupAsync(add, tree);
        Assert.Equal(2U, EpochOf(PointCodec.Name(next)));
        // Nobody had another epoch of that number, nor will.
        using OpenVault vault = await world.OpenAsync(root);
        Assert.Equal(3U, (await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token)).Current.Number);
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("flip")]
    public async Task ACopyOfTheVaultBringsAnEpochBackForAnAdminWhoLacksIt(string how)
    {
        KeyRing admin = await world.AddAsync(KeyRole.Admin);
        (_, _, _, string path, _, SessionId point) = await RotateAsync();
        MemoryObjectStore whole = await RepairWorld.CopyAsync(world.Store);
        Damage(EpochDelivery.Name(2), how);
        string[] before = [.. world.Store.Names];

        RepairPlan alone = await RepairAsync(admin, null);
        Assert.Contains(alone.Left, left => left.What.Contains("key epoch that this key lacks", StringComparison.Ordinal));
        Assert.Equal(before, world.Store.Names);
        await RepairAsync(admin, whole);

        Assert.Empty(await CheckAsync(admin));
        await world.AssertIsAsync(admin, point, path);
    }

    [Theory]
    [InlineData(KeyRole.Restore)]
    [InlineData(KeyRole.List)]
    [InlineData(KeyRole.Admin)]
    public async Task AKeyThatLacksAnEpochCallsNothingDamaged(KeyRole role)
    {
        KeyRing ring = await world.AddAsync(role);
        await RotateAsync();
        Damage(EpochDelivery.Name(2), "delete");

        DamagedThing[] damages = await CheckAsync(ring, readsData: role != KeyRole.List);

        Assert.NotEmpty(damages);
        Assert.All(damages, damage => Assert.True(damage.IsUnreadable, $"{damage.ObjectName}: {damage.What}"));
    }

    [Fact]
    public async Task WhatIsReallyDamagedIsToldByAKeyThatLacksAnEpoch()
    {
        (_, KeyRing restore, _, _, _, _) = await RotateAsync();
        Damage(EpochDelivery.Name(2), "delete");
        string point = world.Store.Names.First(name => name.StartsWith(PointCodec.Prefix, StringComparison.Ordinal) && EpochOf(name) == 2);
        Damage(point, "flip");

        DamagedThing[] damages = await CheckAsync(restore);

        Assert.Equal(point, Assert.Single(damages, damage => !damage.IsUnreadable).ObjectName);
    }

    /// <summary>What it sealed in the epoch that it has, keys that were removed could read: that it must not, whoever may see it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AKeyThatLacksTheNewestEpochWritesNothing(bool isOnlyUndelivered)
    {
        KeyRing late;
        DirectoryTree tree;
        if (isOnlyUndelivered)
        {
            (_, _, _, _, tree, _) = await RotateAsync();
            late = await world.AddAsync(KeyRole.Add);
        }
        else
        {
            (late, _, _, _, tree, _) = await RotateAsync();
            Damage(EpochDelivery.Name(2), "delete");
        }

        string[] before = [.. world.Store.Names];
        var error = await Assert.ThrowsAsync<HoldfastException>(() => world.BackupAsync(late, tree));

        Assert.Equal(ErrorKind.WrongKey, error.Kind);
        Assert.Contains("key epoch 2", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, world.Store.Names.Where(name => !name.StartsWith("leases/", StringComparison.Ordinal)));
    }

    /// <summary>Anybody who may put objects could put such a one: it must not keep machines from their backups.</summary>
    [Fact]
    public async Task AnEpochThatNobodyIsKnownToHaveBegunKeepsNobodyFromWriting()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add);
        (_, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        world.Store.Overwrite(EpochDelivery.Name(2), TestKeys.Content(500));

        await world.BackupAsync(add, tree);

        DamagedThing[] damages = await CheckAsync(world.Root);
        Assert.Equal(EpochDelivery.Name(2), Assert.Single(damages).ObjectName);
        await RepairAsync(world.Root, null, request => request with { DropsUnreadable = true });
        Assert.Empty(await CheckAsync(world.Root));
        using OpenVault vault = await world.OpenAsync(world.Root);
        // Should somebody have had it after all, no other takes its number.
        Assert.Equal(3U, (await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token)).Current.Number);
    }

    /// <summary>Keys, the first admin's with a new epoch, a point that it made in that, and what the point holds.</summary>
    private async Task<(KeyRing Add, KeyRing Restore, KeyRing Root, string Path, DirectoryTree Tree, SessionId Point)> RotateAsync()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add), restore = await world.AddAsync(KeyRole.Restore);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        await world.BackupAsync(world.Root, tree);
        KeyRing root;
        using (OpenVault vault = await world.OpenAsync(world.Root)) root = await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token);
        File.WriteAllBytes(System.IO.Path.Combine(path, "new"), TestKeys.Content(3000));
        return (add, restore, root, path, tree, await world.BackupAsync(root, tree));
    }

    private void Damage(string name, string how)
    {
        byte[] content = Whole(name);
        if (how == "delete") world.Store.DeleteAsync(name, Token).GetAwaiter().GetResult();
        else if (how == "truncate") world.Store.Overwrite(name, content[..^1]);
        else world.Store.Overwrite(name, [.. content[..^80], (byte)(content[^80] ^ 1), .. content[^79..]]);
    }

    private async Task<DamagedThing[]> CheckAsync(KeyRing ring, bool readsData = false)
    {
        using OpenVault vault = await world.OpenAsync(ring);
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = readsData, Workers = 1 }, Token);
        // It was opened without a password, and has no slot.
        return [.. report.Damages.Where(damage => !damage.ObjectName.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal))];
    }

    private async Task<RepairPlan> RepairAsync(KeyRing ring, IObjectStore? whole, Func<RepairRequest, RepairRequest>? change = null)
    {
        using OpenVault vault = await world.OpenAsync(ring);
        using OpenVault? copy = whole is null ? null : await world.OpenAsync(ring, whole);
        var request = new RepairRequest { From = copy, Host = "here", Workers = 1 };
        if (change is not null) request = change(request);
        RepairPlan plan = await RepairRun.PlanAsync(vault, request, Token);
        if (plan.Steps.Count > 0) await RepairRun.ApplyAsync(vault, plan, request, Token);
        return plan;
    }

    private uint EpochOf(string name) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(Whole(name).AsSpan(12));

    private byte[] Whole(string name) => world.Store.TryGetAsync(name, IObjectStore.MaxObjectBytes, Token).GetAwaiter().GetResult()!;
}
