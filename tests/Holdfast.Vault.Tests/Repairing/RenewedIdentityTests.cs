using Holdfast.Files;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Checking;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Keys;

namespace Holdfast.Vault.Tests.Repairing;

/// Goal: what was named under an identity that was renewed since comes back as what is named now does. Method: a point is made, the
/// identity renewed, another point made; then packs of the first are damaged or lost.
public sealed class RenewedIdentityTests : IDisposable
{
    private readonly RoleWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData("footer", "data")]
    [InlineData("footer", "trees")]
    [InlineData("copy from before", "data")]
    [InlineData("copy from before", "trees")]
    [InlineData("copy", "data")]
    [InlineData("copy", "trees")]
    [InlineData("other vault", "data")]
    public async Task WhatHasAnOlderNameComesBack(string way, string kind)
    {
        (string path, DirectoryTree tree) = world.Source("src", ("first", TestKeys.Content(200_000)), ("deep/second", TestKeys.Content(3000)));
        SessionId first = await world.BackupAsync(world.Root, tree);
        MemoryObjectStore copy = await RepairWorld.CopyAsync(world.Store);
        using (OpenVault vault = await world.OpenAsync(world.Root)) await KeyEpochs.BeginAsync(vault, renewIdentity: true, Token);
        await world.BackupAsync(world.Root, tree);
        if (way == "copy") copy = await RepairWorld.CopyAsync(world.Store);
        var pack = new PackId(kind == "data" ? ObjectKind.DataPack : ObjectKind.TreePack, first, 0);
        if (way == "footer")
        {
            byte[] content = await DamagedStores.ContentAsync(world.Store, pack.ObjectName);
            content[^100] ^= 1;
            world.Store.Overwrite(pack.ObjectName, content);
        }
        else
        {
            await world.Store.DeleteAsync(pack.ObjectName, Token);
        }

        using OpenVault from = way == "other vault" ? await MakeOtherAsync(tree) : await world.OpenAsync(world.Root, copy);
        for (int round = 0; round < 2; round++)
        {
            using OpenVault vault = await world.OpenAsync(world.Root);
            var request = new RepairRequest { ReadData = true, From = way == "footer" ? null : from };
            await RepairRun.ApplyAsync(vault, await RepairRun.PlanAsync(vault, request, Token), request, Token);
        }

        await world.AssertIsAsync(world.Root, first, path);
    }

    /// <summary>A vault with other keys that has the same files.</summary>
    private static async Task<OpenVault> MakeOtherAsync(DirectoryTree tree)
    {
        OpenVault other = Copying.CopyWorld.Open(new MemoryObjectStore(), isTwin: false, seed: 5);
        await FaultWorld.BackupAsync(other, tree, Token);
        return other;
    }
}
