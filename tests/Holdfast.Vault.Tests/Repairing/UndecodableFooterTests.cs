using Holdfast.Files;
using Holdfast.Testing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Repairing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Checking;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Repairing;

/// Goal: a pack whose footer is signed and sealed as it should be, but says nothing that can be, costs no content that can still be found,
/// and none of its bytes. Method: the footer of a good pack is replaced by another that its writer signs.
public sealed class UndecodableFooterTests : IDisposable
{
    private const int Seed = 20_270_114;
    private readonly FaultWorld world = new();
    private readonly MemoryObjectStore store = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What becomes of the plaintext of a footer.</summary>
    private static Dictionary<string, Func<byte[], byte[]>> Ways { get; } = new(StringComparer.Ordinal)
    {
        ["empty"] = static _ => [],
        ["cut off"] = static plain => plain[..^1],
        ["longer"] = static plain => [.. plain, 0],
        ["noise"] = static plain => TestKeys.Random(new Random(Seed), plain.Length),
        ["absurd"] = static plain => [.. Enumerable.Repeat((byte)0xFF, plain.Length)],
        ["groups that are not there"] = static plain => [.. plain[..6], 0xFF, 0xFF, 0xFF, 0x7F, .. plain[10..]],
    };

    public static TheoryData<string, string> Cases => [.. Ways.Keys.SelectMany(static way => (string[])["data/", "trees/"], static (way, kind) => (way, kind))];

    public void Dispose() => world.Dispose();

    [Theory, MemberData(nameof(Cases))]
    public async Task WhatIsInThePackIsFoundWithoutIt(string way, string kind)
    {
        (string path, DirectoryTree tree) = await FillAsync();
        string name = store.Names.Single(name => name.StartsWith(kind, StringComparison.Ordinal));
        byte[] damaged = await ReplaceFooterAsync(name, Ways[way]);

        List<string> quarantined = await RepairWorld.RepairAsync(store, about: way);

        Assert.Contains("quarantine/" + name, quarantined);
        await AssertKeptAsync(name, damaged);
        CheckReport report = await RepairWorld.CheckAsync(store);
        Assert.True(report.Damages.Count == 0, RepairWorld.Describe(report));
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 3);
        await FaultWorld.AssertIsAsync(vault, Assert.Single(await RestorePoints.ListAsync(vault, Token)), path);
        // No content of it is stored again.
        Assert.InRange((await BackupRun.RunAsync(vault, FaultWorld.Request(tree, PointKind.Full), Token)).Counts.BytesAdded, 0, 3000);
    }

    /// The keys of groups that were moved stand in the footer alone: what is in the pack is lost with it, and its bytes stay all the same.
    [Fact]
    public async Task APackOfMovedGroupsIsKeptInQuarantine()
    {
        (string path, DirectoryTree tree) = await FillAsync();
        SessionId first;
        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 4))
        {
            first = Assert.Single(await RestorePoints.ListAsync(vault, Token)).Id;
            File.Delete(Path.Combine(path, "b"));
            await FaultWorld.BackupAsync(vault, tree, Token);
            await ForgetRun.RunAsync(vault, new ForgetRequest { Points = [first], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, Token);
            await PruneRun.RunAsync(vault, new PruneRequest { Host = "here", MaxUnusedBytes = 0 }, Token);
        }

        string name = store.Names.Single(static name => name.StartsWith("data/", StringComparison.Ordinal));
        Assert.DoesNotContain(first.ToString(), name, StringComparison.Ordinal);
        byte[] damaged = await ReplaceFooterAsync(name, Ways["noise"]);

        RepairPlan plan;
        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 5)) plan = await RepairRun.PlanAsync(vault, new RepairRequest { ReadData = true }, Token);
        List<string> quarantined = await RepairWorld.RepairAsync(store);

        Assert.True(plan.ChunksLost > 0);
        Assert.Contains("quarantine/" + name, quarantined);
        await AssertKeptAsync(name, damaged);
        // The source still has it.
        using OpenVault after = await FaultWorld.OpenAsync(store, seed: 6);
        SessionId point = (await FaultWorld.BackupAsync(after, tree, Token)).Point!.Value;
        await FaultWorld.AssertIsAsync(after, (await RestorePoints.ListAsync(after, Token)).Single(each => each.Id == point), path);
    }

    /// They are held in memory while they are searched, a few at a time: the others wait, and are no less searched.
    [Fact]
    public async Task AnyNumberOfPacksIsSearched()
    {
        (string path, DirectoryTree tree) = await FillAsync();
        using (OpenVault vault = await FaultWorld.OpenAsync(store, seed: 4))
        {
            for (int i = 0; i < HeadlessSpare.MostPacks + 2; i++)
            {
                await File.WriteAllBytesAsync(Path.Combine(path, $"further {i}"), TestKeys.Random(new Random(Seed + i), 3000), Token);
                await FaultWorld.BackupAsync(vault, tree, Token);
            }
        }

        string[] packs = [.. store.Names.Where(static name => name.StartsWith("data/", StringComparison.Ordinal))];
        foreach (string name in packs) await ReplaceFooterAsync(name, Ways["noise"]);

        List<string> quarantined = await RepairWorld.RepairAsync(store);

        Assert.Equal(packs.Select(static name => "quarantine/" + name).Order(StringComparer.Ordinal), quarantined.Where(static name => name.StartsWith("quarantine/data/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        CheckReport report = await RepairWorld.CheckAsync(store);
        Assert.True(report.Damages.Count == 0, RepairWorld.Describe(report));
        using OpenVault after = await FaultWorld.OpenAsync(store, seed: 5);
        await FaultWorld.AssertIsAsync(after, (await RestorePoints.ListAsync(after, Token))[^1], path);
    }

    private async Task<(string Path, DirectoryTree Tree)> FillAsync()
    {
        var random = new Random(Seed);
        (string path, DirectoryTree tree) = world.Source(
            "src", ("a", TestKeys.Random(random, 700_000)), ("b", TestKeys.Random(random, 400_000)), ("deep/c", new byte[50_000]), ("deep/d", TestKeys.Random(random, 100)));
        await FaultWorld.InitAsync(store);
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 1);
        await FaultWorld.BackupAsync(vault, tree, Token);
        return (path, tree);
    }

    private async Task AssertKeptAsync(string name, byte[] bytes)
    {
        Assert.DoesNotContain(name, store.Names);
        Assert.Equal(bytes, await DamagedStores.ContentAsync(store, "quarantine/" + name));
    }

    /// <summary>Puts a pack whose footer is another; makes sure that it fits its seal and its signature, and is refused all the same.</summary>
    private async Task<byte[]> ReplaceFooterAsync(string name, Func<byte[], byte[]> change)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(store, seed: 2);
        Assert.True(PackId.TryParse(name, out PackId pack));
        byte[] content = await DamagedStores.ContentAsync(store, name);
        PackFooter footer = (await new PackReader(store, vault.Sealer).TryReadFooterAsync(pack, Token))!;
        int bodyEnd = content.Length - PackFooter.EndBytes - Libsodium.SignatureBytes - footer.FooterBytes;
        byte[] header = content[..ObjectHeader.Size];
        using Aead cipher = vault.Sealer.IndexCipher(ObjectHeader.Decode(header, pack.Kind, name), name);
        byte[] plain = new byte[footer.FooterBytes - Aead.TagBytes];
        Assert.True(cipher.TryOpen(0, content.AsSpan(bodyEnd, footer.FooterBytes), plain, ObjectSealer.Associated(header, name)));
        byte[] changed = change(plain);
        byte[] sealedFooter = new byte[changed.Length + Aead.TagBytes], signature = new byte[Libsodium.SignatureBytes], end = new byte[PackFooter.EndBytes];
        cipher.Seal(0, changed, sealedFooter, ObjectSealer.Associated(header, name));
        vault.Sealer.Sign(name, header, content.AsSpan(ObjectHeader.Size, PackFooter.SealedKeyBytes), sealedFooter, signature);
        PackFooter.EncodeEnd(end, (uint)sealedFooter.Length, PackFooter.EndMagic);
        byte[] made = [.. content[..bodyEnd], .. sealedFooter, .. signature, .. end];
        store.Overwrite(name, made);
        var refused = await Assert.ThrowsAsync<DamageException>(() => new PackReader(store, vault.Sealer).TryReadFooterAsync(pack, Token));
        Assert.DoesNotContain("seal", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("signature", refused.Message, StringComparison.Ordinal);
        return made;
    }
}
