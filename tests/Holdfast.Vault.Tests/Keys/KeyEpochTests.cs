using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Keys;

/// <summary>New key epochs, and keys that are revoked. All rings are as they were made: what they have beside comes from the vault.</summary>
public sealed class KeyEpochTests : IDisposable
{
    private readonly RoleWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task EverybodyGoesOnInANewEpochWithTheKeyThatHeHas()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add), restore = await world.AddAsync(KeyRole.Restore), prune = await world.AddAsync(KeyRole.Prune);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        var points = new List<SessionId> { await world.BackupAsync(add, tree) };

        for (uint epoch = 2; epoch <= 4; epoch++)
        {
            Assert.Equal(epoch, (await BeginAsync()).Current.Number);
            points.Add(await world.BackupAsync(add, tree));
            Assert.Equal(epoch, EpochOf(PointCodec.Name(points[^1])));
        }

        foreach (KeyRing ring in (KeyRing[])[world.Root, restore])
        {
            foreach (SessionId point in points) await world.AssertIsAsync(ring, point, path);
        }

        Assert.Equal(points.Order(), (await world.PointsAsync(prune)).Order());
        using OpenVault vault = await world.OpenAsync(prune);
        Assert.Equal((4, 4U), (vault.Sealer.Ring.Epochs.Count, vault.Sealer.Ring.Current.Number));
        Assert.Null(vault.Sealer.Ring.Current.TreesPublic);
    }

    [Fact]
    public async Task ContentIsStoredOnceAcrossEpochsUnlessTheIdentityIsRenewed()
    {
        KeyRing restore = await world.AddAsync(KeyRole.Restore);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(200_000)));
        SessionId first = await world.BackupAsync(world.Root, tree);
        await BeginAsync();
        using (OpenVault vault = await world.OpenAsync(world.Root))
        {
            Assert.Equal(0, (await BackupRun.RunAsync(vault, FaultWorld.Request(tree, PointKind.Full), Token)).Counts.BytesAdded);
        }

        await BeginAsync(renewIdentity: true);
        using OpenVault renewed = await world.OpenAsync(world.Root);
        BackupSummary full = await BackupRun.RunAsync(renewed, FaultWorld.Request(tree, PointKind.Full), Token);
        File.WriteAllBytes(Path.Combine(path, "other"), [1, 2, 3]);
        BackupSummary next = await FaultWorld.BackupAsync(renewed, tree, Token);

        Assert.True(full.Counts.BytesAdded >= 200_000, $"added {full.Counts.BytesAdded}");
        await world.AssertIsAsync(world.Root, next.Point!.Value, path);
        File.Delete(Path.Combine(path, "other"));
        await world.AssertIsAsync(world.Root, first, path);
        await world.AssertIsAsync(restore, full.Point!.Value, path);
    }

    /// <summary>With its raw keys: nobody stops a modified client from trying.</summary>
    [Theory]
    [InlineData(KeyRole.Admin)]
    [InlineData(KeyRole.Restore)]
    [InlineData(KeyRole.Add)]
    public async Task ARevokedKeyCannotReadWhatIsWrittenInANewEpoch(KeyRole role)
    {
        KeyRing revoked = await world.AddAsync(role);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        SessionId old = await world.BackupAsync(world.Root, tree);
        await RevokeAsync(revoked);
        await BeginAsync();
        File.WriteAllBytes(Path.Combine(path, "new"), TestKeys.Content(3000));
        SessionId point = await world.BackupAsync(world.Root, tree);

        using OpenVault vault = await world.OpenAsync(revoked);

        Assert.Single(vault.Sealer.Ring.Epochs);
        Assert.Equal([old], (await RestorePoints.ListAsync(vault, Token)).Select(each => each.Id));
        Assert.Contains("which this key does not have", vault.UnreadablePoints[point].Message, StringComparison.Ordinal);
        var raw = new ObjectSealer(revoked, new SimulatedEntropy(1));
        foreach (string name in world.Store.Names.Where(name => EpochOf(name) == 2))
        {
            byte[] content = Whole(name);
            ObjectKind kind = (ObjectKind)content[9];
            if (kind is ObjectKind.DataPack or ObjectKind.TreePack)
            {
                Assert.True(PackId.TryParse(name, out PackId pack));
                await Assert.ThrowsAsync<DamageException>(() => new PackReader(world.Store, raw).TryReadFooterAsync(pack, Token));
                Assert.False(CanOpen(revoked, pack));
            }
            else if (kind != ObjectKind.Index)
            {
                Assert.Throws<DamageException>(() => raw.Open(kind, name, content));
                // Nor when it says that the object is of an epoch that it has.
                content[12] = 1;
                Assert.Throws<DamageException>(() => raw.Open(kind, name, content));
            }
        }
    }

    [Fact]
    public async Task WhatARevokedKeyWroteStaysAndWhatItWritesAfterwardsDoesNotCount()
    {
        KeyRing thief = await world.AddAsync(KeyRole.Add);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        SessionId before = await world.BackupAsync(thief, tree);
        await RevokeAsync(thief);

        using OpenVault vault = await world.OpenAsync(thief);
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => FaultWorld.BackupAsync(vault, tree, Token))).Kind);
        // A client that does not ask whether it may.
        vault.Sealer.Writers = WriterBook.Of(thief);
        SessionId after = (await FaultWorld.BackupAsync(vault, tree, Token)).Point!.Value;

        using OpenVault ours = await world.OpenAsync(world.Root);
        Assert.Equal([before], (await RestorePoints.ListAsync(ours, Token)).Select(each => each.Id));
        Assert.Contains("after that key was revoked", ours.UnreadablePoints[after].Message, StringComparison.Ordinal);
        await world.AssertIsAsync(world.Root, before, path);
    }

    [Theory]
    [InlineData(KeyRole.Add, "after that key was revoked")]
    [InlineData(KeyRole.List, "which may not")]
    public async Task APointThatDoesNotCountIsPutAwayOnRequestAndPrunesGoOn(KeyRole role, string reason)
    {
        KeyRing thief = await world.AddAsync(role);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        SessionId own = await world.BackupAsync(world.Root, tree);
        await RevokeAsync(thief);
        string name = PointCodec.Name(new SessionId(1, 2));
        byte[] body;
        using (OpenVault ours = await world.OpenAsync(world.Root)) body = ours.Sealer.Open(ObjectKind.Point, PointCodec.Name(own), Whole(PointCodec.Name(own))).Body;
        world.Store.Overwrite(name, new ObjectSealer(thief, new SimulatedEntropy(5)).Seal(ObjectKind.Point, name, body));

        Assert.Equal(ErrorKind.Damage, (await Assert.ThrowsAnyAsync<HoldfastException>(() => PruneAsync(world.Root, same => same))).Kind);
        RepairPlan careful = await RepairAsync(new RepairRequest());
        Assert.Contains(reason, Assert.Single(careful.Left, step => step.ObjectName == name).What, StringComparison.Ordinal);
        Assert.Contains(name, world.Store.Names);

        await RepairAsync(new RepairRequest { DropsUnreadable = true });
        Assert.DoesNotContain(name, world.Store.Names);
        Assert.Contains(world.Store.Names, kept => kept.StartsWith("quarantine/" + name, StringComparison.Ordinal));
        await PruneAsync(world.Root, same => same);
        Assert.Equal([own], await world.PointsAsync(world.Root));
        await world.AssertIsAsync(world.Root, own, path);
    }

    [Fact]
    public async Task ARevokedAdminRepairsNothing()
    {
        KeyRing admin = await world.AddAsync(KeyRole.Admin);
        await RevokeAsync(admin);
        using OpenVault vault = await world.OpenAsync(admin);

        var refused = await Assert.ThrowsAsync<HoldfastException>(() => RepairRun.PlanAsync(vault, new RepairRequest(), Token));

        Assert.Equal(ErrorKind.WrongKey, refused.Kind);
        Assert.Contains("was revoked", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARevokedAdminsMarksAndChunksCountNoLonger()
    {
        KeyRing admin = await world.AddAsync(KeyRole.Admin);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        SessionId first = await world.BackupAsync(admin, tree), second = await world.BackupAsync(admin, tree);
        using (OpenVault theirs = await world.OpenAsync(admin))
        {
            await PointState.HoldAsync(theirs, [first], null, "stands", Token);
        }

        await RevokeAsync(admin);
        byte[] forget = new PointMark(MarkKind.Forget, SimulatedClock.DefaultStart, null, "", [second]).Encode();
        world.Store.Overwrite(PointMark.Name(1), new ObjectSealer(admin, new SimulatedEntropy(8)).Seal(ObjectKind.Mark, PointMark.Name(1), forget));

        using OpenVault vault = await world.OpenAsync(world.Root);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        Assert.Equal((2, "stands"), (points.Count, points.Single(point => point.Id == first).Hold?.Reason));
        BackupSummary ours = await FaultWorld.BackupAsync(vault, tree, Token);
        Assert.True(ours.Counts.BytesAdded >= 2000);
        await world.AssertIsAsync(world.Root, second, path);
    }

    [Fact]
    public async Task AKeyThatWasAddedWhileAnEpochBeganGetsIt()
    {
        KeyRing ring = await BeginAsync();
        // Certified by somebody who did not know of the epoch yet.
        KeyRing late = await world.AddAsync(KeyRole.Restore);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        SessionId point = await world.BackupAsync(world.Root, tree);
        Assert.Empty(await world.PointsAsync(late));

        using (OpenVault vault = await world.OpenAsync(world.Root))
        {
            await KeyEpochs.DeliverMissingAsync(vault, ring, static _ => true, Token);
            await KeyEpochs.DeliverMissingAsync(vault, ring, static _ => true, Token);
        }

        await world.AssertIsAsync(late, point, path);
        Assert.Equal(2, world.Store.Names.Count(name => name.StartsWith(EpochDelivery.Prefix, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task EpochsThatAnotherSignsAreNotTakenIn()
    {
        KeyRing admin = await world.AddAsync(KeyRole.Admin), victim = await world.AddAsync(KeyRole.Add);
        var sealer = new ObjectSealer(admin, new SimulatedEntropy(3));
        var delivery = new EpochDelivery(2);
        var certificate = WriterCertificate.Of(victim, "0123456789abcdef");
        delivery.Add(certificate.WriterId, certificate.ReceivingKey, KeyEpoch.Create(2, sealer.Entropy).For(KeyRole.Add));
        world.Store.Overwrite(EpochDelivery.Name(2), sealer.Seal(ObjectKind.Epoch, EpochDelivery.Name(2), delivery.Encode()));

        using OpenVault vault = await world.OpenAsync(victim);

        Assert.Single(vault.Sealer.Ring.Epochs);
        // The name is taken, and does no more harm than that.
        Assert.Equal(3U, (await BeginAsync()).Current.Number);
        using OpenVault again = await world.OpenAsync(victim);
        Assert.Equal(3U, again.Sealer.Ring.Current.Number);
    }

    [Fact]
    public async Task OfTwoWhoBeginAnEpochAtOnceOneDoes()
    {
        var faulty = new FaultyObjectStore(world.Store);
        faulty.Before(StoreMethod.Put, 1, _ => BeginAsync());
        using OpenVault vault = await OpenVault.OpenAsync(
            new Host(new SimulatedDisk(1), world.Clock, new SimulatedEntropy(55)), faulty, FaultWorld.VaultId, "0000000000000000", world.Root, 4 << 20, Token);

        var error = await Assert.ThrowsAsync<HoldfastException>(() => KeyEpochs.BeginAsync(vault, renewIdentity: false, Token));

        Assert.Equal(ErrorKind.Busy, error.Kind);
        Assert.Single(world.Store.Names, name => name.StartsWith(EpochDelivery.Prefix, StringComparison.Ordinal));
    }

    /// <summary>With its raw keys, and all of the store as it is afterwards.</summary>
    [Theory]
    [InlineData(KeyRole.Restore)]
    [InlineData(KeyRole.List)]
    public async Task ARevokedKeyCannotReadWhatWasThereBeforeOnceItsKeysAreSealedAnew(KeyRole role)
    {
        KeyRing revoked = await world.AddAsync(role), restore = await world.AddAsync(KeyRole.Restore);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(200_000)), ("other", TestKeys.Content(2000)));
        await world.BackupAsync(world.Root, tree);
        File.WriteAllBytes(Path.Combine(path, "other"), TestKeys.Content(2001));
        SessionId next = await world.BackupAsync(world.Root, tree);
        await RevokeAsync(revoked);
        await BeginAsync();
        Assert.Contains(world.Packs(ObjectKind.TreePack), pack => CanOpenAny(revoked, pack).Result);

        PruneSummary limited = await PruneAsync(world.Root, static request => request with { Rewraps = true, MaxMovedBytes = 1 });
        PruneSummary rewrapped = await PruneAsync(world.Root, static request => request with { Rewraps = true });
        PruneSummary again = await PruneAsync(world.Root, static request => request with { Rewraps = true });

        Assert.Equal((PruneLimit.Moved, 0, 4), (limited.StoppedBy, limited.MovedPacks, limited.Plan.OldPacks));
        Assert.Equal((4, 4), (rewrapped.MovedPacks, rewrapped.Plan.OldPacks));
        Assert.Equal((0, 0), (again.MovedPacks, again.Plan.OldPacks));
        foreach (PackId pack in (PackId[])[.. world.Packs(ObjectKind.DataPack), .. world.Packs(ObjectKind.TreePack)]) Assert.False(await CanOpenAny(revoked, pack), pack.ToString());
        foreach (KeyRing ring in (KeyRing[])[world.Root, restore]) await world.AssertIsAsync(ring, next, path);
        using OpenVault vault = await world.OpenAsync(world.Root);
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, Token);
        // Opened without a key slot.
        Assert.DoesNotContain(report.Damages, static damage => !damage.ObjectName.StartsWith("keys/", StringComparison.Ordinal));
        Assert.Equal(0, (await BackupRun.RunAsync(vault, FaultWorld.Request(tree, PointKind.Full), Token)).Counts.BytesAdded);
    }

    [Fact]
    public async Task OnlyWhoReadsEverythingSealsKeysAnew()
    {
        KeyRing prune = await world.AddAsync(KeyRole.Prune), admin = await world.AddAsync(KeyRole.Admin);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        SessionId point = await world.BackupAsync(world.Root, tree);
        await BeginAsync();

        HoldfastException refused = await Assert.ThrowsAsync<HoldfastException>(() => PruneAsync(prune, static request => request with { Rewraps = true }));
        PruneSummary rewrapped = await PruneAsync(admin, static request => request with { Rewraps = true });

        Assert.Equal(ErrorKind.WrongKey, refused.Kind);
        Assert.Equal(2, rewrapped.MovedPacks);
        await world.AssertIsAsync(world.Root, point, path);
    }

    private async Task<PruneSummary> PruneAsync(KeyRing ring, Func<PruneRequest, PruneRequest> change)
    {
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        using OpenVault vault = await world.OpenAsync(ring);
        return await PruneRun.RunAsync(vault, change(new PruneRequest { Host = "pruner" }), Token);
    }

    private async Task<RepairPlan> RepairAsync(RepairRequest request)
    {
        using OpenVault vault = await world.OpenAsync(world.Root);
        request = request with { Host = "here", Workers = 1 };
        RepairPlan plan = await RepairRun.PlanAsync(vault, request, Token);
        if (plan.Steps.Count > 0) await RepairRun.ApplyAsync(vault, plan, request, Token);
        return plan;
    }

    private async Task<bool> CanOpenAny(KeyRing ring, PackId pack)
    {
        using OpenVault root = await world.OpenAsync(world.Root);
        return await RoleWorld.CanOpenAnyAsync(ring, root, pack);
    }

    private async Task<KeyRing> BeginAsync(bool renewIdentity = false)
    {
        using OpenVault vault = await world.OpenAsync(world.Root);
        return await KeyEpochs.BeginAsync(vault, renewIdentity, Token);
    }

    private async Task RevokeAsync(KeyRing ring)
    {
        using OpenVault vault = await world.OpenAsync(world.Root);
        await VaultKeys.RevokeAsync(vault, new ObjectSealer(ring, new SimulatedEntropy(1)).WriterId, Token);
    }

    private bool CanOpen(KeyRing ring, PackId pack)
    {
        byte[] sealedKey = Whole(pack.ObjectName).AsSpan(ObjectHeader.Size, PackFooter.SealedKeyBytes).ToArray();
        byte[] encoded = ring.Encode(), opened = new byte[Aead.KeyBytes];
        for (int at = 0; at + Aead.KeyBytes <= encoded.Length; at++)
        {
            byte[] key = encoded.AsSpan(at, Aead.KeyBytes).ToArray();
            if (Libsodium.TryBoxOpen(sealedKey, Libsodium.BoxPublicKey(key), key, opened)) return true;
        }

        return false;
    }

    private uint EpochOf(string name) => name == VaultDescriptor.Name ? 0 : System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(Whole(name).AsSpan(12));

    private byte[] Whole(string name) => world.Store.TryGetAsync(name, IObjectStore.MaxObjectBytes, Token).GetAwaiter().GetResult()!;
}
