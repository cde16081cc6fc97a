using System.Text;
using Holdfast.Vault.Tests.Checking;

namespace Holdfast.Vault.Tests.Measuring;

public sealed class VaultSpaceTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    [Fact]
    public async Task APointTakesWhatItTakesByItself()
    {
        using OpenVault vault = await fixture.InitAsync();
        fixture.WriteSource();
        await fixture.BackupAsync(vault);
        File.WriteAllBytes(Path.Combine(fixture.Source, "d1/f1"), Encoding.UTF8.GetBytes("something else"));
        await fixture.BackupAsync(vault);
        CancellationToken stop = TestContext.Current.CancellationToken;

        IReadOnlyList<SpaceShare> shares = await VaultSpace.ByAsync(vault, static point => point.Id, stop);

        Assert.Equal(2, shares.Count);
        foreach (SpaceShare share in shares)
        {
            PointTotals point = await VaultStats.OfPointAsync(vault, share.Points.Single(), stop);
            Assert.Equal((point.Referenced, point.Unique, point.Bytes), (share.Referenced, share.Unique, share.PointBytes));
            Assert.True(share.Unique.StoredBytes > 0 && share.Unique.StoredBytes < share.Referenced.StoredBytes);
        }
    }

    [Fact]
    public async Task WhatTwoSourcesShareComesFreeWithNeither()
    {
        using OpenVault vault = await fixture.InitAsync();
        byte[] shared = Bytes(1, 300_000), own = Bytes(2, 70_000);
        Directory.CreateDirectory(fixture.PathOf("other"));
        File.WriteAllBytes(Path.Combine(fixture.Source, "shared"), shared);
        File.WriteAllBytes(Path.Combine(fixture.PathOf("other"), "shared"), shared);
        File.WriteAllBytes(Path.Combine(fixture.PathOf("other"), "own"), own);
        await fixture.BackupAsync(vault);
        await fixture.BackupAsync(vault, request => request with { Host = "there" });
        await fixture.BackupAsync(vault, _ => fixture.Request(fixture.PathOf("other")));
        CancellationToken stop = TestContext.Current.CancellationToken;

        IReadOnlyList<SpaceShare> sources = await VaultSpace.ByAsync(vault, static point => point.Source, stop);
        IReadOnlyList<SpaceShare> all = await VaultSpace.ByAsync(vault, static _ => 0, stop);

        Assert.Equal([("here", 1), ("there", 1), ("here", 1)], sources.Select(static share => (share.Points[0].Host, share.Points.Count)));
        // Two machines with the same files have the same trees, too, but for directories above them that others write to.
        Assert.InRange(sources[0].Unique.RawBytes, 0, 5_000);
        Assert.InRange(sources[1].Unique.RawBytes, 0, 5_000);
        Assert.Equal(sources[0].Referenced.Chunks, sources[1].Referenced.Chunks);
        Assert.InRange(sources[2].Unique.RawBytes, own.Length, own.Length + 5_000);
        Assert.InRange(sources[2].Referenced.RawBytes, shared.Length + own.Length, shared.Length + own.Length + 5_000);
        SpaceShare whole = Assert.Single(all);
        Assert.Equal(whole.Referenced, whole.Unique);
        Assert.Equal((3 * shared.Length) + own.Length, whole.PointBytes);
        VaultTotals totals = await VaultStats.OfVaultAsync(vault, stop);
        Assert.Equal(totals.DataRawBytes + totals.TreeRawBytes, whole.Referenced.RawBytes);
        Assert.Equal(3, totals.Sources);
    }

    [Fact]
    public async Task AnEmptyVaultHasNoShares()
    {
        using OpenVault vault = await fixture.InitAsync();

        Assert.Empty(await VaultSpace.ByAsync(vault, static point => point.Id, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AListThatIsLostIsTold()
    {
        using OpenVault vault = await fixture.InitAsync();
        fixture.WriteSource();
        BackupSummary first = await fixture.BackupAsync(vault);
        await fixture.BackupAsync(vault, request => request with { Host = "there" });
        RestorePoint point = await fixture.PointAsync(vault, first);
        await vault.Store.DeleteAsync("refs/" + point.References, TestContext.Current.CancellationToken);

        IReadOnlyList<SpaceShare> shares = await VaultSpace.ByAsync(vault, static point => point.Host, TestContext.Current.CancellationToken);

        Assert.Equal(2, shares.Count);
        Assert.Contains(vault.Damages, damage => damage.Contains("refs/" + point.References, StringComparison.Ordinal));
    }

    public void Dispose() => fixture.Dispose();

    private static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
