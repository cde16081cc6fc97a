using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Keys;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Checking;

/// What is neither a point nor what points need is checked too, and comes back from a copy of the vault.
public sealed class SmallObjectCheckTests : IDisposable
{
    private readonly RoleWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    /// <param name="prefix">Of the object.</param>
    /// <param name="becomes">What a repair makes of it that has no copy: it is gone, it stays, or it goes on request.</param>
    [Theory]
    [InlineData("writers/", "stays")]
    [InlineData("epochs/", "delivered")]
    [InlineData("marks/", "drops")]
    [InlineData("removals/", "stays")]
    [InlineData("settings/", "stays")]
    [InlineData("verified/", "goes")]
    [InlineData("damaged/", "goes")]
    public async Task EachObjectThatCannotBeReadIsToldOfAndMended(string prefix, string becomes)
    {
        KeyRing root = await FillAsync();
        MemoryObjectStore whole = await RepairWorld.CopyAsync(world.Store);
        string name = whole.Names.First(name => name.StartsWith(prefix, StringComparison.Ordinal));
        byte[] content = (await whole.TryGetAsync(name, IObjectStore.MaxObjectBytes, Token))!;
        Assert.Empty(await CheckAsync(root, world.Store));

        foreach (bool hasCopy in (bool[])[true, false])
        {
            foreach (int offset in (int[])[3, 13, 26, 70, content.Length - 1])
            {
                MemoryObjectStore store = await RepairWorld.CopyAsync(whole);
                byte[] changed = [.. content];
                changed[offset] ^= 4;
                store.Overwrite(name, changed);
                string about = $"{name}, byte {offset}, {(hasCopy ? "with" : "without")} a copy";

                DamagedThing[] damages = await CheckAsync(root, store);
                Assert.True(damages.Any(damage => damage.ObjectName == name && !damage.IsUnreadable), $"{about}: not told of");
                // As if somebody had written it whom nobody knows: only a copy tells that it is damaged.
                bool isForeign = offset == 26 && becomes != "delivered";
                RepairPlan plan = await RepairAsync(root, store, hasCopy ? whole : null);
                damages = await CheckAsync(root, store);
                bool comesBack = hasCopy && becomes != "goes";
                if (comesBack || (becomes is "goes" or "delivered" && !isForeign)) Assert.True(damages.Length == 0, $"{about}: {string.Join("\n", damages.Select(damage => $"{damage.ObjectName}: {damage.What}"))}");
                else Assert.True(plan.Left.Any(left => left.ObjectName == name), $"{about}: nothing is said of what stays");
                if (comesBack) Assert.Equal(content, await store.TryGetAsync(name, IObjectStore.MaxObjectBytes, Token));
                if (hasCopy || becomes != "drops" || isForeign) continue;
                await RepairAsync(root, store, null, drops: true);
                Assert.Empty(await CheckAsync(root, store));
            }
        }
    }

    [Fact]
    public async Task ARemovalThatIsMissingBetweenOthersIsToldOfAndComesBackFromACopy()
    {
        KeyRing root = await FillAsync();
        MemoryObjectStore whole = await RepairWorld.CopyAsync(world.Store);
        await world.Store.DeleteAsync(RemovalRecord.Name(0), Token);

        Assert.Equal(RemovalRecord.Name(0), Assert.Single(await CheckAsync(root, world.Store)).ObjectName);
        await RepairAsync(root, world.Store, whole);
        Assert.Empty(await CheckAsync(root, world.Store));
    }

    [Fact]
    public async Task ALostCertificateComesBackFromACopy()
    {
        KeyRing add = await world.AddAsync(KeyRole.Add);
        KeyRing root = await FillAsync();
        (_, DirectoryTree tree) = world.Source("other", ("file", TestKeys.Content(300)));
        await world.BackupAsync(add, tree);
        MemoryObjectStore whole = await RepairWorld.CopyAsync(world.Store);
        string certificate = whole.Names.Single(name => name.StartsWith($"writers/{WriterStatement.IdText(new ObjectSealer(add, new SimulatedEntropy(1)).WriterId)}", StringComparison.Ordinal));
        await world.Store.DeleteAsync(certificate, Token);
        Assert.NotEmpty(await CheckAsync(root, world.Store));

        await RepairAsync(root, world.Store, whole);

        Assert.Empty(await CheckAsync(root, world.Store));
    }

    /// <summary>One object of each kind at least; returns the first admin's ring.</summary>
    private async Task<KeyRing> FillAsync()
    {
        await world.AddAsync(KeyRole.Restore);
        (_, DirectoryTree tree) = world.Source("src", ("file", TestKeys.Content(2000)));
        SessionId point = await world.BackupAsync(world.Root, tree);
        KeyRing root;
        using (OpenVault vault = await world.OpenAsync(world.Root)) root = await KeyEpochs.BeginAsync(vault, renewIdentity: false, Token);
        using OpenVault opened = await world.OpenAsync(root);
        await PointState.HoldAsync(opened, [point], null, "why", Token);
        await VaultSettings.ChangeAsync(opened, settings => settings with { UndeleteWindow = TimeSpan.FromDays(1) }, Token);
        for (uint number = 0; number < 2; number++) Assert.True(await Removals.TryPutAsync(opened, number, new RemovalRecord(world.Clock.GetUtcNow(), ReplacesAll: false, [], []), Token));
        PackId pack = world.Packs(ObjectKind.DataPack)[0];
        // Of a session whose packs are gone.
        await DamageRecord.PutAsync(opened, [(pack with { Session = SessionId.Create(new SimulatedEntropy(6)) }, 0)], Token);
        string verified = VerifiedRecord.Prefix + SessionId.Create(new SimulatedEntropy(5));
        await world.Store.PutIfAbsentAsync(verified, opened.Sealer.Seal(ObjectKind.Verified, verified, new VerifiedRecord([(1, [pack])]).Encode()), Token);
        return root;
    }

    private async Task<DamagedThing[]> CheckAsync(KeyRing ring, IObjectStore store)
    {
        using OpenVault vault = await world.OpenAsync(ring, store);
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { Workers = 1 }, Token);
        // It was opened without a password, and has no slot.
        return [.. report.Damages.Where(damage => !damage.ObjectName.StartsWith(KeyDirectory.Prefix, StringComparison.Ordinal))];
    }

    private async Task<RepairPlan> RepairAsync(KeyRing ring, IObjectStore store, IObjectStore? whole, bool drops = false)
    {
        using OpenVault vault = await world.OpenAsync(ring, store);
        using OpenVault? copy = whole is null ? null : await world.OpenAsync(ring, whole);
        var request = new RepairRequest { From = copy, Host = "here", Workers = 1, DropsUnreadable = drops };
        RepairPlan plan = await RepairRun.PlanAsync(vault, request, Token);
        await RepairRun.ApplyAsync(vault, plan, request, Token);
        return plan;
    }
}
