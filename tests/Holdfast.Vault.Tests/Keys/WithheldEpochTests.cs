using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Keys;

/// Goal: a key that was removed never gets another epoch, also where the object that revokes it is damaged or lost.
public sealed class WithheldEpochTests : IDisposable
{
    private readonly RoleWorld world = new();
    private KeyRing root = null!;
    private KeyRing honest = null!;
    private KeyRing thief = null!;
    private string revocation = "";
    private string slot = "";
    private MemoryObjectStore whole = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData("delete", true)]
    [InlineData("delete", false)]
    [InlineData("flip", true)]
    [InlineData("flip", false)]
    [InlineData("epoch", true)]
    [InlineData("epoch", false)]
    public async Task ARepairDeliversNothingToARemovedKeyWhoseRevocationItBringsBack(string how, bool slotIsPutBack)
    {
        await RemoveAndRotateAsync();
        Damage(revocation, how);
        if (slotIsPutBack) world.Store.Overwrite(slot, TestKeys.Slot());

        for (int round = 0; round < 3; round++) await RepairAsync(whole);

        Assert.False(await HasEpochAsync(thief, 2));
        Assert.True(await HasEpochAsync(honest, 2));
        Assert.Contains(revocation, world.Store.Names);
    }

    /// The epoch's own object is lost too, so there is something to deliver, and to whom is the question.
    [Theory]
    [InlineData("delete", false, true)]
    [InlineData("flip", true, false)]
    [InlineData("flip", true, true)]
    public async Task WithoutACopyTheEpochGoesOnlyToThoseWhoAreTrustedForCertain(string how, bool slotIsPutBack, bool epochIsLost)
    {
        await RemoveAndRotateAsync();
        Damage(revocation, how);
        if (slotIsPutBack) world.Store.Overwrite(slot, TestKeys.Slot());
        if (epochIsLost) Damage(EpochDelivery.Name(2), "delete");

        RepairPlan plan = await RepairAsync(null);

        RepairStep[] deliveries = [.. plan.Steps.Where(static step => step.Action == RepairAction.DeliverEpochs)];
        Assert.Equal(epochIsLost, deliveries.Length > 0);
        string id = WriterStatement.IdText(new ObjectSealer(honest, new SimulatedEntropy(1)).WriterId);
        Assert.All(deliveries, delivery => Assert.EndsWith($"of {id} (Restore)", delivery.What, StringComparison.Ordinal));
        Assert.True(await HasEpochAsync(honest, 2));
        Assert.False(await HasEpochAsync(thief, 2));
    }

    [Fact]
    public async Task ARevocationThatNeitherVaultNorCopyHasWholeKeepsItsKeyFromEpochs()
    {
        await RemoveAndRotateAsync();
        Damage(revocation, "delete");
        world.Store.Overwrite(slot, TestKeys.Slot());
        byte[] content = (await whole.TryGetAsync(revocation, IObjectStore.MaxObjectBytes, Token))!;
        content[^1] ^= 1;
        whole.Overwrite(revocation, content);

        RepairPlan plan = await RepairAsync(whole);

        Assert.Contains(plan.Left, left => left.ObjectName == revocation && left.What.Contains("may be a revocation", StringComparison.Ordinal));
        Assert.False(await HasEpochAsync(thief, 2));
    }

    /// What is said of nobody known may be said of anybody.
    [Fact]
    public async Task AStatementWhoseNameIsDamagedTooKeepsAllFromEpochs()
    {
        await RemoveAndRotateAsync();
        world.Store.Overwrite("writers/" + revocation[^16..], (await whole.TryGetAsync(revocation, IObjectStore.MaxObjectBytes, Token))!);
        Damage(revocation, "delete");
        Damage(EpochDelivery.Name(2), "delete");

        await RepairAsync(null);

        Assert.False(await HasEpochAsync(honest, 2));
        Assert.False(await HasEpochAsync(thief, 2));
    }

    [Theory]
    [InlineData("delete", false)]
    [InlineData("flip", true)]
    public async Task ANewEpochDoesNotGoToAKeyWhoseRevocationIsLost(string how, bool slotIsPutBack)
    {
        await RemoveAndRotateAsync();
        Damage(revocation, how);
        if (slotIsPutBack) world.Store.Overwrite(slot, TestKeys.Slot());

        using (OpenVault vault = await world.OpenAsync(root)) await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token);

        Assert.True(await HasEpochAsync(honest, 3));
        Assert.False(await HasEpochAsync(thief, 3));
    }

    [Fact]
    public async Task ACheckTellsOfAKeyWithoutASlotAndOfOneWhoseRevocationMayBeLost()
    {
        await RemoveAndRotateAsync();
        Damage(revocation, "flip");
        Assert.Contains("has no key slot", await NoticesAsync(), StringComparison.Ordinal);

        world.Store.Overwrite(slot, TestKeys.Slot());

        Assert.Contains("gets no key epochs while", await NoticesAsync(), StringComparison.Ordinal);
    }

    /// Whatever number of objects hangs on it.
    [Fact]
    public async Task ACertificateThatIsLostIsNamedOnceAndComesBackFromACopy()
    {
        root = world.Root;
        KeyRing add = await world.AddAsync(KeyRole.Add);
        (_, DirectoryTree tree) = world.Source("other", ("file", TestKeys.Content(5000)));
        await world.BackupAsync(add, tree);
        string id = WriterStatement.IdText(new ObjectSealer(add, new SimulatedEntropy(1)).WriterId);
        string certificate = world.Store.Names.Single(name => name.StartsWith("writers/" + id, StringComparison.Ordinal));
        whole = await RepairWorld.CopyAsync(world.Store);
        Damage(certificate, "delete");

        RepairStep left = Assert.Single((await RepairAsync(null)).Left, static left => left.What.Contains("certificate", StringComparison.Ordinal));
        Assert.Equal("writers/" + id, left.ObjectName);
        Assert.Contains("--from a copy", left.What, StringComparison.Ordinal);

        Assert.DoesNotContain((await RepairAsync(whole)).Left, static left => left.What.Contains("certificate", StringComparison.Ordinal));
        Assert.Contains(certificate, world.Store.Names);
    }

    /// <summary>Two keys, of which one is removed as "key remove" does it, a point before and after, and a copy of all.</summary>
    private async Task RemoveAndRotateAsync()
    {
        honest = await world.AddAsync(KeyRole.Restore);
        thief = await world.AddAsync(KeyRole.Restore);
        slot = world.LastSlot;
        (_, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        await world.BackupAsync(world.Root, tree);
        string[] before = [.. world.Store.Names];
        using (OpenVault vault = await world.OpenAsync(world.Root))
        {
            await VaultKeys.RevokeAsync(vault, new ObjectSealer(thief, new SimulatedEntropy(1)).WriterId, Token);
            revocation = Assert.Single(world.Store.Names.Except(before));
            await world.Store.DeleteAsync(slot, Token);
            root = await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token);
        }

        await world.BackupAsync(root, tree);
        whole = await RepairWorld.CopyAsync(world.Store);
    }

    private void Damage(string name, string how)
    {
        byte[] content = world.Store.TryGetAsync(name, IObjectStore.MaxObjectBytes, Token).GetAwaiter().GetResult()!;
        // Of the header, the epoch lies at 12.
        int at = how == "epoch" ? 12 : content.Length - 80;
        content[at] ^= 8;
        if (how == "delete") world.Store.DeleteAsync(name, Token).GetAwaiter().GetResult();
        else world.Store.Overwrite(name, content);
    }

    private async Task<RepairPlan> RepairAsync(IObjectStore? from)
    {
        using OpenVault vault = await world.OpenAsync(root);
        using OpenVault? copy = from is null ? null : await world.OpenAsync(root, from);
        var request = new RepairRequest { From = copy, Host = "here", Workers = 1 };
        RepairPlan plan = await RepairRun.PlanAsync(vault, request, Token);
        if (plan.Steps.Count > 0) await RepairRun.ApplyAsync(vault, plan, request, Token);
        return plan;
    }

    private async Task<bool> HasEpochAsync(KeyRing ring, uint number)
    {
        using OpenVault vault = await world.OpenAsync(ring);
        return vault.Sealer.Ring.Has(number);
    }

    private async Task<string> NoticesAsync()
    {
        using OpenVault vault = await world.OpenAsync(root);
        return string.Join("\n", (await CheckRun.RunAsync(vault, new CheckRequest { Workers = 1 }, Token)).Notices.Select(static notice => notice.Message));
    }
}
