namespace Holdfast.Vault.Tests.Checking;

public sealed class VaultStatsTests(CheckedVault checkedVault) : IClassFixture<CheckedVault>
{
    // Of the first point; d2/same is a copy of d0/f3.
    private const long Files = 3 * (70_000 + 140_000 + 210_000);
    private const long Copy = 210_000;
    private const int Changed = 14;

    [Fact]
    public async Task AVaultIsCountedByListingsAndFooters()
    {
        VaultTotals totals = await VaultStats.OfVaultAsync(checkedVault.Vault, TestContext.Current.CancellationToken);

        Assert.Equal(Directory.EnumerateFiles(checkedVault.Fixture.VaultPath, "*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length), totals.Bytes);
        Assert.Equal(1 + 1 + 1 + 2 + 2 + 2 + 2 + 2, totals.Objects);
        Assert.Equal(new ObjectTotals("data", 2, totals.Kinds[0].Bytes), totals.Kinds[0]);
        Assert.Equal(2, totals.Points);
        Assert.Equal(1, totals.Sources);
        Assert.Equal(Files + Changed, totals.DataRawBytes);
        Assert.Equal(Files + Copy + Files + Copy - 70_000 + Changed, totals.PointBytes);
        Assert.Equal((double)totals.PointBytes / totals.DataRawBytes, totals.DedupRatio);
        // Random content does not compress; each group has a tag of 16 bytes.
        Assert.InRange(totals.DataStoredBytes, totals.DataRawBytes + 16, totals.DataRawBytes + 1000);
        Assert.InRange(totals.CompressionRatio, 0.9, 1.1);
        Assert.True(totals.TreeChunks > 0 && totals.TreeStoredBytes > 0 && totals.TreeRawBytes > totals.TreeStoredBytes);
        Assert.DoesNotContain(totals.Kinds, kind => kind.Kind == "other");
    }

    [Fact]
    public async Task APointIsCountedByItsReferences()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(checkedVault.Vault, stop);

        PointTotals first = await VaultStats.OfPointAsync(checkedVault.Vault, points.Single(point => point.Id == checkedVault.First), stop);
        PointTotals second = await VaultStats.OfPointAsync(checkedVault.Vault, points.Single(point => point.Id == checkedVault.Second), stop);

        Assert.Equal(13, first.Files);
        Assert.Equal(Files + Copy, first.Bytes);
        Assert.Equal(Files + Copy - 70_000 + Changed, second.Bytes);
        // Trees come on top: a few hundred bytes a directory.
        Assert.InRange(first.Referenced.RawBytes, Files + 500, Files + 10_000);
        Assert.InRange(first.Unique.RawBytes, 70_000 + 200, 70_000 + 5_000);
        Assert.InRange(second.Unique.RawBytes, Changed + 200, Changed + 5_000);
        Assert.Equal(first.Referenced.RawBytes - first.Unique.RawBytes, second.Referenced.RawBytes - second.Unique.RawBytes);
        Assert.Equal(first.Referenced.Chunks - first.Unique.Chunks, second.Referenced.Chunks - second.Unique.Chunks);
        Assert.InRange(first.Unique.StoredBytes, 70_000, 75_000);
    }
}
