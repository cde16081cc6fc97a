using Holdfast.Vault.Indexing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Checking;

/// Goal: what is whole by itself but does not fit the rest is found, and what is stored twice is lost by neither alone.
public sealed class CheckConsistencyTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task ReferencesThatLeaveOutAChunkAreNamed()
    {
        using OpenVault vault = await BackupAsync();
        string name = Assert.Single(fixture.Objects("refs"));
        RestorePoint point = Assert.Single(await RestorePoints.ListAsync(vault, Stop));
        ReferenceSet whole = (await ReferenceSet.TryReadAsync(vault, point.References, Stop))!;
        var lacking = new ReferenceSet();
        foreach (PackId pack in whole.Packs)
        {
            // The chunk at 1 is left out of the data.
            for (int i = 0; i < whole.ChunkCountOf(pack); i++)
            {
                if (pack.Kind == ObjectKind.TreePack || i != 1) lacking.Add(pack, whole.ChunkCountOf(pack), i);
            }
        }

        Replace(name, vault.Sealer.Seal(ObjectKind.References, name, lacking.Encode()));

        DamagedThing damage = Assert.Single((await CheckAsync(vault)).Damages);
        Assert.Equal(name, damage.ObjectName);
        Assert.Contains("leaves out 1 chunks", damage.What, StringComparison.Ordinal);
        AffectedPath affected = Assert.Single(damage.Affected);
        Assert.Equal((point.Id, AffectedKind.References), (affected.Point, affected.Kind));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task AnIndexThatDiffersFromTheFootersIsNamed(int how)
    {
        using OpenVault vault = await BackupAsync();
        string name = Assert.Single(fixture.Objects("index"));
        var footers = new List<PackFooter>();
        foreach (IndexedPack pack in vault.Index.Readers[0].Packs)
        {
            PackFooter footer = (await vault.Index.TryGetFooterAsync(pack.Id, Stop))!;
            footers.Add(new PackFooter
            {
                Pack = footer.Pack,
                WriterId = footer.WriterId,
                Epoch = footer.Epoch,
                Cipher = footer.Cipher,
                KeyId = footer.KeyId,
                SealedKey = footer.SealedKey,
                PackBytes = footer.PackBytes + (how == 0 ? 0 : 1),
                FooterBytes = footer.FooterBytes,
                Groups = footer.Groups,
                Chunks = how == 0 ? [.. footer.Chunks.Reverse()] : footer.Chunks,
            });
        }

        Replace(name, IndexObject.Build(vault.Sealer, name, footers));

        IReadOnlyList<DamagedThing> damages = (await CheckAsync(vault)).Damages;
        Assert.NotEmpty(damages);
        Assert.All(damages, damage => Assert.Equal(name, damage.ObjectName));
        Assert.All(damages, damage => Assert.Empty(damage.Affected));
        Assert.Contains(how == 0 ? "another than its footer says" : "bytes and", damages[0].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatLiesInTwoPacksIsLostOnlyWithBoth()
    {
        using (await BackupAsync())
        {
            fixture.DeleteAll("points");
            fixture.DeleteAll("refs");
            fixture.DeleteAll("index");
        }

        // Without points the lost index is not looked for, so that everything is uploaded once more.
        string first = Assert.Single(fixture.Objects("data"));
        using OpenVault vault = await fixture.OpenAsync();
        await fixture.BackupAsync(vault, request => request with { Workers = 1 });
        string second = Assert.Single(fixture.Objects("data"), name => name != first);

        fixture.Flip(second, 150);
        DamagedThing one = Assert.Single((await CheckAsync(vault)).Damages);
        Assert.Equal(second, one.ObjectName);
        Assert.Contains("lies in other packs too", one.What, StringComparison.Ordinal);
        Assert.Empty(one.Affected);

        fixture.Flip(first, 150);
        IReadOnlyList<DamagedThing> both = (await CheckAsync(vault)).Damages;
        Assert.Equal(((string[])[first, second]).Order(StringComparer.Ordinal), both.Select(damage => damage.ObjectName));
        Assert.All(both, damage => Assert.NotEmpty(damage.Affected));
    }

    [Fact]
    public async Task ALostListOfChunksIsToldWithItsBytes()
    {
        // More than 512 chunks: the content goes to lists.
        byte[] content = new byte[50_000_000];
        new Random(5).NextBytes(content);
        File.WriteAllBytes(Path.Combine(fixture.Source, "large"), content);
        using OpenVault vault = await BackupAsync(isSmall: false);
        Assert.Empty((await CheckAsync(vault)).Damages);

        fixture.Delete(fixture.Objects("data")[1]);
        AffectedPath affected = Assert.Single(Assert.Single((await CheckAsync(vault)).Damages).Affected);

        Assert.Equal(AffectedKind.Data, affected.Kind);
        Assert.EndsWith("/large", System.Text.Encoding.UTF8.GetString(affected.Path.Span), StringComparison.Ordinal);
        ByteRange range = Assert.Single(affected.Ranges);
        Assert.InRange(range.Offset, 16_000_000, 18_000_000);
        Assert.InRange(range.Length, 16_000_000, 18_000_000);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<OpenVault> BackupAsync(bool isSmall = true)
    {
        if (isSmall) fixture.WriteSource();
        OpenVault vault = await fixture.InitAsync();
        await fixture.BackupAsync(vault, request => request with { Workers = 1 });
        return vault;
    }

    private static Task<CheckReport> CheckAsync(OpenVault vault) => CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, Stop);

    private void Replace(string name, byte[] content)
    {
        fixture.Delete(name);
        File.WriteAllBytes(Path.Combine(fixture.VaultPath, name), content);
    }
}
