using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Keys;

/// Goal: keys of groups that were copied from a vault with the same keys are sealed anew as others are: who was removed reads them no more, who
/// was not, as before. Method: both vaults lie in memory; after each prune every key of every pack is tried with all bytes of each ring.
public sealed class RewrappedCopyTests : IDisposable
{
    private static readonly byte[] CopyId = [.. Enumerable.Repeat((byte)7, 16)];
    private readonly RoleWorld world = new();
    private readonly MemoryObjectStore copy;
    private int seed = 500;

    public RewrappedCopyTests()
    {
        copy = new MemoryObjectStore(world.Clock);
        copy.Overwrite(VaultDescriptor.Name, VaultDescriptor.Encode(CopyId));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    /// <param name="isVerified">Whether the copy is made with a key that opens what it copies.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SealedCopiesAreRewrappedForThoseWhoMayRead(bool isVerified)
    {
        KeyRing writer = await world.AddAsync(KeyRole.Add), copier = isVerified ? world.Root : await world.AddAsync(KeyRole.Prune);
        KeyRing restore = await AddToCopyAsync(KeyRole.Restore), removed = await AddToCopyAsync(KeyRole.Restore);
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(200_000)), ("other", TestKeys.Content(2000)));
        await world.BackupAsync(writer, tree);
        await CopyAsync(copier);
        Assert.True(await AnyOpensAsync(removed));

        using (OpenVault vault = await OpenCopyAsync(world.Root))
        {
            await VaultKeys.RevokeAsync(vault, new ObjectSealer(removed, new SimulatedEntropy(1)).WriterId, Token);
            await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token);
        }

        PruneSummary first = await RewrapAsync();
        Assert.Equal((2, 2), (first.MovedPacks, first.Plan.OldPacks));
        Assert.False(await AnyOpensAsync(removed));
        await AssertRenewedAsync();
        await AssertNewestAsync(path, restore, points: 1);

        // What comes afterwards comes as it is sealed there, in an epoch that who was removed has.
        File.WriteAllBytes(Path.Combine(path, "other"), TestKeys.Content(2001));
        await world.BackupAsync(writer, tree);
        await CopyAsync(copier);
        await AssertNewestAsync(path, restore, points: 2);
        PruneSummary second = await RewrapAsync();
        Assert.True(second.MovedPacks > 0);
        Assert.False(await AnyOpensAsync(removed));
        await AssertRenewedAsync();
        await AssertNewestAsync(path, restore, points: 2);
        PruneSummary last = await RewrapAsync();
        Assert.Equal((0, 0), (last.MovedPacks, last.Plan.OldPacks));

        // Nothing that is there is copied again.
        using OpenVault from = await world.OpenAsync(copier);
        using OpenVault to = await OpenCopyAsync(world.Root);
        Assert.Equal((0, 2, 0L), await CopyRun.RunAsync(to, new CopyRequest { From = from }, Token) is var again ? (again.Points, again.PointsThere, again.BytesRead) : default);
    }

    /// The other vault lacks the epoch in which the keys are sealed now.
    [Fact]
    public async Task WhatWasRewrappedIsCopiedToAVaultOfTheEpochBefore()
    {
        (string path, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(200_000)));
        await world.BackupAsync(world.Root, tree);
        using (OpenVault vault = await world.OpenAsync(world.Root)) await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token);
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        using (OpenVault vault = await world.OpenAsync(world.Root))
        {
            Assert.Equal(2, (await PruneRun.RunAsync(vault, new PruneRequest { Host = "pruner", Rewraps = true }, Token)).MovedPacks);
        }

        KeyRing restore = await AddToCopyAsync(KeyRole.Restore);
        await CopyAsync(world.Root);
        await AssertNewestAsync(path, restore, points: 1);
    }

    private async Task<KeyRing> AddToCopyAsync(KeyRole role)
    {
        KeyRing ring = world.Root.NewMember(role, $"{role}", new SimulatedEntropy(++seed), world.Clock.GetUtcNow());
        string slot = KeyDirectory.NewId(new SimulatedEntropy(++seed));
        await WriterStatement.PutAsync(copy, new ObjectSealer(world.Root, new SimulatedEntropy(++seed)), WriterCertificate.Of(ring, slot), Token);
        copy.Overwrite(KeyDirectory.Prefix + slot, TestKeys.Slot());
        return ring;
    }

    private Task<OpenVault> OpenCopyAsync(KeyRing ring)
    {
        seed++;
        return OpenVault.OpenAsync(new Host(new SimulatedDisk(seed), world.Clock, new SimulatedEntropy(seed)), copy, CopyId, "0000000000000000", ring, 4 << 20, Token);
    }

    private async Task CopyAsync(KeyRing copier)
    {
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        using OpenVault from = await world.OpenAsync(copier);
        using OpenVault to = await OpenCopyAsync(world.Root);
        CopySummary summary = await CopyRun.RunAsync(to, new CopyRequest { From = from }, Token);
        Assert.Equal((1, 0), (summary.Points, summary.Damaged));
    }

    private async Task<PruneSummary> RewrapAsync()
    {
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        using OpenVault vault = await OpenCopyAsync(world.Root);
        return await PruneRun.RunAsync(vault, new PruneRequest { Host = "pruner", Rewraps = true }, Token);
    }

    private async Task<bool> AnyOpensAsync(KeyRing ring)
    {
        using OpenVault vault = await OpenCopyAsync(world.Root);
        foreach (string name in copy.Names)
        {
            if (PackId.TryParse(name, out PackId pack) && await RoleWorld.CanOpenAnyAsync(ring, vault, pack)) return true;
        }

        return false;
    }

    /// <summary>All keys of packs say that they are sealed to the newest epoch's.</summary>
    private async Task AssertRenewedAsync()
    {
        using OpenVault vault = await OpenCopyAsync(world.Root);
        KeyEpoch newest = vault.Sealer.Ring.Current;
        foreach (string name in copy.Names)
        {
            if (!PackId.TryParse(name, out PackId pack)) continue;
            PackFooter footer = (await vault.Index.TryGetFooterAsync(pack, Token))!;
            Assert.All(footer.Groups.Select(group => footer.KeyOf(group)), key => Assert.Equal((newest.Number, newest.KeyIdFor(pack.Kind)), (key.Epoch, key.KeyId)));
        }
    }

    /// <summary>The newest point is the source, for the first admin and for another key; nothing is damaged.</summary>
    private async Task AssertNewestAsync(string path, KeyRing restore, int points)
    {
        foreach (KeyRing ring in (KeyRing[])[world.Root, restore])
        {
            using OpenVault vault = await OpenCopyAsync(ring);
            IReadOnlyList<RestorePoint> copies = await RestorePoints.ListAsync(vault, Token);
            Assert.Equal(points, copies.Count);
            await FaultWorld.AssertIsAsync(vault, copies[^1], path);
            CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, Token);
            // Opened without a key slot.
            Assert.DoesNotContain(report.Damages, static damage => !damage.ObjectName.StartsWith("keys/", StringComparison.Ordinal));
        }
    }
}
