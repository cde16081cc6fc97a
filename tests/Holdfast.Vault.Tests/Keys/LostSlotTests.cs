using System.Security.Cryptography;
using System.Text;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Keys;

/// Goal: a key slot that was lost comes back from a copy of the vault, also the one that is needed for that; no password that was removed or changed does.
public sealed class LostSlotTests
{
    private readonly MemoryObjectStore store = new();
    private readonly Host host = Host.CreateReal();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("flip")]
    [InlineData("flip of the first version")]
    [InlineData("delete")]
    public async Task ACopyOpensAVaultWhoseOwnSlotIsLostAndBringsItBack(string how)
    {
        string name = Keys((await InitAsync("one")).KeySlotId);
        byte[] slot = (await store.TryGetAsync(name, 1 << 20, Token))!;
        if (how == "flip of the first version")
        {
            // It has no checksum, and opens for its password all the same.
            using VaultSecret secret = VaultFixture.Secret("one");
            using OpenVault vault = await OpenVault.OpenAsync(host, store, secret, cancellationToken: Token);
            slot = OldSlot(vault, secret);
            store.Overwrite(name, slot);
        }

        MemoryObjectStore whole = await RepairWorld.CopyAsync(store);
        slot[100] ^= 1;
        if (how == "delete") await store.DeleteAsync(name, Token);
        else store.Overwrite(name, slot);
        await Assert.ThrowsAnyAsync<HoldfastException>(() => OpenAsync("one", store));

        await RepairAsync("one", whole);

        (await OpenAsync("one", store)).Dispose();
    }

    [Fact]
    public async Task TheSlotOfAnotherKeyComesBackWhereItWasTheKeysOnlyOne()
    {
        using OpenVault vault = await InitAsync("one");
        string id = await AddAsync(vault, "two", KeyRole.Restore);
        MemoryObjectStore whole = await RepairWorld.CopyAsync(store);
        await store.DeleteAsync(Keys(id), Token);

        await RepairAsync("one", whole);

        (await OpenAsync("two", store)).Dispose();
    }

    [Fact]
    public async Task AKeyThatWasRemovedStaysAway()
    {
        using OpenVault vault = await InitAsync("one");
        string id = await AddAsync(vault, "two", KeyRole.Restore);
        MemoryObjectStore whole = await RepairWorld.CopyAsync(store);
        await VaultKeys.RemoveAsync(vault, id, Token);

        RepairPlan plan = await RepairAsync("one", whole);

        Assert.DoesNotContain(Keys(id), store.Names);
        Assert.DoesNotContain(plan.Left, left => left.ObjectName == Keys(id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task APasswordThatWasRemovedOrChangedIsOnlyNamedAndOpensNoRepair(bool isChanged)
    {
        using OpenVault vault = await InitAsync("one");
        string old = vault.KeySlotId;
        using VaultSecret next = VaultFixture.Secret("next");
        if (!isChanged) await VaultKeys.AddAsync(vault, next, "next", Token);
        MemoryObjectStore whole = await RepairWorld.CopyAsync(store);
        if (isChanged)
        {
            await VaultKeys.ChangePasswordAsync(vault, next, Token);
        }
        else
        {
            using OpenVault second = await OpenAsync("next", store);
            await VaultKeys.RemoveAsync(second, old, Token);
        }

        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(() => RepairAsync("one", whole));
        Assert.Equal(ErrorKind.WrongKey, error.Kind);
        using OpenVault opened = await OpenAsync("next", store);
        using OpenVault copy = await OpenAsync("one", whole);
        RepairPlan plan = await RepairRun.PlanAsync(opened, new RepairRequest { From = copy }, Token);

        Assert.Contains(plan.Left, left => left.ObjectName == Keys(old));
        Assert.DoesNotContain(Keys(old), store.Names);
    }

    private static string Keys(string id) => "keys/" + id;

    /// <summary>The slot in use as the first version had it: without a checksum.</summary>
    private byte[] OldSlot(OpenVault vault, VaultSecret secret)
    {
        byte[] ring = vault.Sealer.Ring.Encode();
        byte[] slot = KeySlot.Seal(vault.Sealer.Ring, secret, vault.VaultId, vault.KeySlotId, PasswordKey.DefaultPasses, host.Entropy)[..^4];
        slot[8] = 1;
        using var aes = new AesGcm(PasswordKey.Derive(secret, slot.AsSpan(12, 48), "slot"), 16);
        aes.Encrypt(
            slot.AsSpan(48, 12), ring, slot.AsSpan(60, ring.Length), slot.AsSpan(60 + ring.Length),
            [.. slot[..60], .. vault.VaultId, .. Encoding.ASCII.GetBytes(vault.KeySlotId)]);
        return slot;
    }

    private async Task<RepairPlan> RepairAsync(string password, MemoryObjectStore whole)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        using OpenVault copy = await OpenAsync(password, whole);
        using OpenVault vault = await OpenVault.OpenForRepairAsync(host, store, secret, copy, OpenVault.DefaultCacheBytes, Token);
        var request = new RepairRequest { From = copy };
        RepairPlan plan = await RepairRun.PlanAsync(vault, request, Token);
        await RepairRun.ApplyAsync(vault, plan, request, Token);
        return plan;
    }

    private async Task<OpenVault> InitAsync(string password)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await OpenVault.InitAsync(host, store, secret, "first", Token);
    }

    private async Task<OpenVault> OpenAsync(string password, IObjectStore where)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await OpenVault.OpenAsync(host, where, secret, cancellationToken: Token);
    }

    private static async Task<string> AddAsync(OpenVault vault, string password, KeyRole role)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await VaultKeys.AddAsync(vault, secret, role, role.ToString(), Token);
    }
}
