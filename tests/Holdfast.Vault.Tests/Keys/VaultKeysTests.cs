using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Tests.Keys;

public sealed class VaultKeysTests
{
    private readonly MemoryObjectStore store = new();
    private readonly Host host = Host.CreateReal();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SeveralPasswordsOpenTheSameVaultUntilTheyAreRemoved()
    {
        using OpenVault vault = await InitAsync("one");
        string added = await AddAsync(vault, "two", "laptop");

        using (OpenVault second = await OpenAsync("two"))
        {
            Assert.Equal(vault.Id, second.Id);
            Assert.Equal(added, second.KeySlotId);
            IReadOnlyList<VaultKey> keys = await VaultKeys.ListAsync(second, Token);
            Assert.Equal(2, keys.Count);
            VaultKey mine = keys.Single(key => key.IsCurrent);
            VaultKey first = keys.Single(key => !key.IsCurrent);
            Assert.Equal(("laptop", KeyRole.Admin), (mine.Label, mine.Role));
            Assert.Equal(("first", KeyRole.Admin, mine.Writer), (first.Label, first.Role, first.Writer));

            VaultKey removed = await VaultKeys.RemoveAsync(second, vault.KeySlotId[..6], Token);
            Assert.Equal((vault.KeySlotId, null), (removed.Id, removed.Revoked));
        }

        await AssertWrongAsync("one");
        using OpenVault third = await OpenAsync("two");
        var refused = await Assert.ThrowsAsync<HoldfastException>(() => VaultKeys.RemoveAsync(third, added, Token));
        Assert.Equal(ErrorKind.Refused, refused.Kind);
        Assert.Equal(ErrorKind.Usage, (await Assert.ThrowsAsync<HoldfastException>(() => VaultKeys.RemoveAsync(third, "", Token))).Kind);
        Assert.Equal(ErrorKind.Usage, (await Assert.ThrowsAsync<HoldfastException>(() => VaultKeys.RemoveAsync(third, "zz", Token))).Kind);
    }

    [Fact]
    public async Task AfterAChangeOfPasswordOnlyTheNewOneOpensAndItsKeyCannotBeRemoved()
    {
        using OpenVault vault = await InitAsync("old");
        using VaultSecret next = VaultFixture.Secret("new");
        string id = await VaultKeys.ChangePasswordAsync(vault, next, Token);

        await AssertWrongAsync("old");
        (await OpenAsync("new")).Dispose();
        // The vault that changed it goes on with the new key: removing that would lock everybody out.
        Assert.Equal(ErrorKind.Refused, (await Assert.ThrowsAsync<HoldfastException>(() => VaultKeys.RemoveAsync(vault, id, Token))).Kind);
        Assert.True(Assert.Single(await VaultKeys.ListAsync(vault, Token)).IsCurrent);
    }

    [Fact]
    public async Task TheLastKeyIsNotRemovedEvenWhereItIsNotTheOneInUse()
    {
        using OpenVault vault = await InitAsync("one");
        string added = await AddAsync(vault, "two", "other");
        await store.DeleteAsync("keys/" + vault.KeySlotId, Token);

        var refused = await Assert.ThrowsAsync<HoldfastException>(() => VaultKeys.RemoveAsync(vault, added, Token));

        Assert.Equal(ErrorKind.Refused, refused.Kind);
        (await OpenAsync("two")).Dispose();
    }

    [Fact]
    public async Task APasswordThatOpensAnyKeyIsRefusedForAnother()
    {
        using OpenVault vault = await InitAsync("one");
        await AddAsync(vault, "two", "laptop");
        string[] before = [.. store.Names];

        foreach (string password in (string[])["one", "two"])
        {
            using VaultSecret secret = VaultFixture.Secret(password);
            await AssertTakenAsync(() => VaultKeys.AddAsync(vault, secret, "again", Token));
            await AssertTakenAsync(() => VaultKeys.AddAsync(vault, secret, KeyRole.Add, "again", Token));
            await AssertTakenAsync(() => VaultKeys.ChangePasswordAsync(vault, secret, Token));
        }

        Assert.Equal(before, store.Names);

        static async Task AssertTakenAsync(Func<Task> act)
        {
            HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(act);
            Assert.Equal(ErrorKind.Usage, error.Kind);
            Assert.Contains("a password opens one key", error.Message, StringComparison.Ordinal);
        }
    }

    /// Older programs let several keys have one password: the slot with the first id must not lock the admin out.
    [Fact]
    public async Task OfSeveralKeysWithOnePasswordOneIsTakenThatAllowsTheUse()
    {
        using OpenVault vault = await InitAsync("one");
        using VaultSecret secret = VaultFixture.Secret("one");
        KeyRing less = vault.Sealer.Ring.NewMember(KeyRole.List, "less", host.Entropy, host.Clock.GetUtcNow());
        // Before any other, whatever was drawn for that.
        const string first = "0000000000000000";
        await WriterStatement.PutAsync(store, vault.Sealer, WriterCertificate.Of(less, first), Token);
        store.Overwrite("keys/" + first, KeySlot.Seal(less, secret, vault.VaultId, first, PasswordKey.DefaultPasses, host.Entropy));

        foreach (VaultUse use in Enum.GetValues<VaultUse>())
        {
            using OpenVault opened = await OpenVault.OpenAsync(host, store, secret, use, OpenVault.DefaultCacheBytes, Token);
            opened.Require(use);
        }

        using OpenVault any = await OpenAsync("one");
        Assert.Equal(KeyRole.List, any.Role);
    }

    [Fact]
    public async Task WhereNoSlotOpensAndOneIsDamagedTheErrorSaysWhatToDo()
    {
        string id;
        using (OpenVault vault = await InitAsync("one"))
        {
            await AddAsync(vault, "two", "laptop");
            id = vault.KeySlotId;
        }

        byte[] slot = (await store.TryGetAsync("keys/" + id, 1 << 20, Token))!;
        slot[100] ^= 1;
        store.Overwrite("keys/" + id, slot);

        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(() => OpenAsync("one"));

        Assert.Equal(ErrorKind.Damage, error.Kind);
        Assert.Contains($"keys/{id}: does not fit its checksum", error.Message, StringComparison.Ordinal);
        Assert.Contains("use another password", error.Hint, StringComparison.Ordinal);
        Assert.Contains("repair --from", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADamagedSlotDoesNotStandInTheWayOfAnother()
    {
        (await InitAsync("one")).Dispose();
        store.Overwrite("keys/0000000000000000", [1, 2, 3]);
        store.Overwrite("keys/ffffffffffffffff", new byte[100_000]);

        (await OpenAsync("one")).Dispose();
        using VaultSecret wrong = VaultFixture.Secret("two");
        await Assert.ThrowsAnyAsync<HoldfastException>(() => OpenVault.OpenAsync(host, store, wrong, cancellationToken: Token));
    }

    [Fact]
    public async Task ASlotThatRotsIsListedSoAndComesBackFromACopy()
    {
        using OpenVault vault = await InitAsync("one");
        string id = await AddAsync(vault, "two", "laptop"), name = "keys/" + id;
        MemoryObjectStore whole = await Repairing.RepairWorld.CopyAsync(store);
        byte[] slot = (await store.TryGetAsync(name, 1 << 20, Token))!;
        slot[100] ^= 1;
        store.Overwrite(name, slot);

        VaultKey listed = (await VaultKeys.ListAsync(vault, Token)).Single(key => !key.IsCurrent);
        Assert.Equal((id, "does not fit its checksum"), (listed.Id, listed.Damage));
        using VaultSecret secret = VaultFixture.Secret("one");
        using OpenVault copy = await OpenVault.OpenAsync(host, whole, secret, cancellationToken: Token);
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest(), Token);
        Assert.Equal(name, Assert.Single(report.Damages).ObjectName);
        var request = new RepairRequest { From = copy };
        await RepairRun.ApplyAsync(vault, await RepairRun.PlanAsync(vault, request, Token), request, Token);

        Assert.Empty((await CheckRun.RunAsync(vault, new CheckRequest(), Token)).Damages);
        (await OpenAsync("two")).Dispose();
    }

    /// Slots of the first version have no checksum: which of two is damaged, only their password tells.
    [Fact]
    public async Task ASlotWithoutChecksumThatDiffersFromItsCopyIsNamed()
    {
        using OpenVault vault = await InitAsync("one");
        string id = await AddAsync(vault, "two", "laptop"), name = "keys/" + id;
        byte[] slot = (await store.TryGetAsync(name, 1 << 20, Token))!;
        slot[8] = 1;
        store.Overwrite(name, slot);
        MemoryObjectStore whole = await Repairing.RepairWorld.CopyAsync(store);
        store.Overwrite(name, [.. slot[..^1], (byte)(slot[^1] ^ 1)]);
        using VaultSecret secret = VaultFixture.Secret("one");
        using OpenVault copy = await OpenVault.OpenAsync(host, whole, secret, cancellationToken: Token);

        RepairPlan plan = await RepairRun.PlanAsync(vault, new RepairRequest { From = copy }, Token);

        Assert.Empty(plan.Steps);
        Assert.Equal(name, Assert.Single(plan.Left).ObjectName);
    }

    /// <param name="damage">What happened to the object that says which vault this is.</param>
    /// <param name="needsCopy">Whether only a copy of the vault tells its id.</param>
    [Theory]
    [InlineData("missing", true)]
    [InlineData("id", true)]
    [InlineData("other", true)]
    [InlineData("magic", false)]
    [InlineData("checksum", false)]
    public async Task ADamagedDescriptorIsWrittenAnewOnceAKeySlotProvesTheId(string damage, bool needsCopy)
    {
        string id;
        using (OpenVault vault = await InitAsync("one")) id = vault.Id;
        MemoryObjectStore whole = await Repairing.RepairWorld.CopyAsync(store);
        byte[] descriptor = (await store.TryGetAsync("vault", 100, Token))!, good = [.. descriptor];
        if (damage == "missing") await store.DeleteAsync("vault", Token);
        else if (damage == "other") store.Overwrite("vault", [1, 2, 3]);
        else descriptor[damage switch { "id" => 20, "magic" => 2, _ => 30 }] ^= 1;
        if (damage is not ("missing" or "other")) store.Overwrite("vault", descriptor);
        var other = new MemoryObjectStore();
        using VaultSecret secret = VaultFixture.Secret("one");
        using OpenVault stranger = await OpenVault.InitAsync(host, other, secret, "other", Token);
        using OpenVault copy = await OpenVault.OpenAsync(host, whole, secret, cancellationToken: Token);

        var refused = await Assert.ThrowsAnyAsync<HoldfastException>(() => OpenVault.OpenAsync(host, store, secret, cancellationToken: Token));
        Assert.Contains("repair --from", refused.Hint, StringComparison.Ordinal);
        if (needsCopy) await Assert.ThrowsAnyAsync<HoldfastException>(() => OpenVault.OpenForRepairAsync(host, store, secret, stranger, 4 << 20, Token));
        using OpenVault opened = await OpenVault.OpenForRepairAsync(host, store, secret, needsCopy ? copy : null, 4 << 20, Token);
        Assert.Equal(id, opened.Id);
        var request = new RepairRequest();
        RepairPlan plan = await RepairRun.PlanAsync(opened, request, Token);
        Assert.Equal((RepairAction.BringBack, "vault"), (Assert.Single(plan.Steps).Action, plan.Steps[0].ObjectName));
        await RepairRun.ApplyAsync(opened, plan, request, Token);

        Assert.Equal(good, await store.TryGetAsync("vault", 100, Token));
        using OpenVault again = await OpenAsync("one");
        Assert.Empty((await CheckRun.RunAsync(again, new CheckRequest(), Token)).Damages);
    }

    [Fact]
    public async Task InitRefusesAPlaceThatIsNotEmptyAndNamesWhatIsThere()
    {
        store.Overwrite("keys/0000000000000000", [1]);
        store.Overwrite("photos/1", [1]);

        var refused = await Assert.ThrowsAsync<HoldfastException>(() => InitAsync("one"));

        Assert.Equal(ErrorKind.Refused, refused.Kind);
        Assert.Contains("photos/1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfTwoInitsAtOnceTheLoserLeavesNoKeyBehind()
    {
        var faulty = new FaultyObjectStore(store);
        faulty.Before(StoreMethod.Put, 3, async _ => await store.PutIfAbsentAsync("vault", VaultDescriptor.Encode(TestKeys.Content(16)), Token));
        using VaultSecret secret = VaultFixture.Secret("one");

        var refused = await Assert.ThrowsAsync<HoldfastException>(() => OpenVault.InitAsync(host, faulty, secret, "first", Token));

        Assert.Equal(ErrorKind.Refused, refused.Kind);
        Assert.Equal(["vault"], store.Names);
    }

    [Fact]
    public async Task AVaultOfAnotherVersionIsRefusedByName()
    {
        byte[] descriptor = VaultDescriptor.Encode(TestKeys.Content(16));
        descriptor[8] = 2;
        store.Overwrite("vault", descriptor);

        var error = await Assert.ThrowsAsync<HoldfastException>(() => OpenAsync("one"));

        Assert.Contains("format 2; this program reads format 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EachChangedOrMissingByteOfTheDescriptorIsNoticed()
    {
        byte[] descriptor = VaultDescriptor.Encode(TestKeys.Content(16));
        for (int i = 0; i < descriptor.Length; i++)
        {
            byte[] changed = [.. descriptor];
            changed[i] ^= 0x10;
            store.Overwrite("vault", changed);
            await Assert.ThrowsAnyAsync<HoldfastException>(() => VaultDescriptor.ReadIdAsync(store, Token));
            store.Overwrite("vault", descriptor[..i]);
            await Assert.ThrowsAnyAsync<HoldfastException>(() => VaultDescriptor.ReadIdAsync(store, Token));
        }
    }

    private async Task<OpenVault> InitAsync(string password)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await OpenVault.InitAsync(host, store, secret, "first", Token);
    }

    private async Task<OpenVault> OpenAsync(string password)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await OpenVault.OpenAsync(host, store, secret, cancellationToken: Token);
    }

    private static async Task<string> AddAsync(OpenVault vault, string password, string label)
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return await VaultKeys.AddAsync(vault, secret, label, Token);
    }

    private async Task AssertWrongAsync(string password)
    {
        var error = await Assert.ThrowsAsync<HoldfastException>(() => OpenAsync(password));
        Assert.Equal(ErrorKind.WrongKey, error.Kind);
    }
}
