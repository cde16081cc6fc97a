using Holdfast.Testing;

namespace Holdfast.Vault.Tests;

public sealed class RestoreTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Theory, InlineData(1), InlineData(2)]
    public async Task RestoreIntoAnEmptyDirectoryIsExact(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Default);
        TreeSnapshot expected = TreeSnapshot.Take(fixture.Source);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary backup = await fixture.BackupAsync(vault);

        RestoreSummary summary = await fixture.RestoreAsync(vault, backup.Point!.Value, "target");

        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf("target")), new TreeCompareOptions { IgnoreSockets = true });
        Assert.DoesNotContain(fixture.Notices, notice => notice.IsError);
        Assert.Equal(0, summary.Errors);
        Assert.Equal(backup.Counts.Files, summary.FilesAdded);
    }

    [Theory, InlineData(3), InlineData(4)]
    public async Task EachPointOfAChangingTreeRestoresItsOwnMoment(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        var moments = new List<(SessionId Point, TreeSnapshot State)>();
        for (int round = 0; round < 4; round++)
        {
            BackupSummary backup = await fixture.BackupAsync(
                vault, request => request with { Kind = round == 2 ? PointKind.Differential : PointKind.Incremental });
            moments.Add((backup.Point!.Value, TreeSnapshot.Take(fixture.Source)));
            TreeGenerator.Mutate(fixture.Source, seed + (100 * round));
        }

        foreach ((SessionId point, TreeSnapshot state) in moments)
        {
            await fixture.RestoreAsync(vault, point, point.ToString());
            TreeCompare.AssertEqual(state, TreeSnapshot.Take(fixture.PathOf(point.ToString())), new TreeCompareOptions { IgnoreSockets = true });
        }
    }

    [Theory, InlineData(5), InlineData(6)]
    public async Task RestoreOntoAnotherMomentMakesItEqual(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        TreeSnapshot firstState = TreeSnapshot.Take(fixture.Source);
        TreeGenerator.Mutate(fixture.Source, seed);
        BackupSummary second = await fixture.BackupAsync(vault);
        TreeSnapshot secondState = TreeSnapshot.Take(fixture.Source);

        foreach ((BackupSummary point, TreeSnapshot state) in new[] { (first, firstState), (second, secondState), (first, firstState) })
        {
            RestoreSummary summary = await fixture.RestoreAsync(vault, point.Point!.Value, "target", request => request with { Delete = true, Verify = true });
            TreeCompare.AssertEqual(state, TreeSnapshot.Take(fixture.PathOf("target")), new TreeCompareOptions { IgnoreSockets = true });
            Assert.Equal(0, summary.Errors);
            RestoreSummary again = await fixture.RestoreAsync(vault, point.Point!.Value, "target", request => request with { Delete = true });
            Assert.Equal(0, again.FilesAdded + again.FilesModified + again.Deleted);
            Assert.Equal(0, again.BytesWritten);
        }
    }

    [Fact]
    public async Task ADryRunTellsWhatTheRealRunThenDoes()
    {
        TreeGenerator.Create(fixture.Source, seed: 7, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        TreeGenerator.Mutate(fixture.Source, seed: 7);
        BackupSummary second = await fixture.BackupAsync(vault);
        await fixture.RestoreAsync(vault, first.Point!.Value, "target");
        Directory.CreateDirectory(fixture.PathOf("target/foreign/deep"));
        File.WriteAllText(fixture.PathOf("target/foreign/deep/file"), "goes");
        TreeSnapshot before = TreeSnapshot.Take(fixture.PathOf("target"));

        RestoreSummary dry = await fixture.RestoreAsync(
            vault, second.Point!.Value, "target", request => request with { Delete = true, DryRun = true });
        TreeSnapshot untouched = TreeSnapshot.Take(fixture.PathOf("target"));
        RestoreSummary real = await fixture.RestoreAsync(vault, second.Point!.Value, "target", request => request with { Delete = true });

        TreeCompare.AssertEqual(before, untouched);
        Assert.True(real.Deleted >= 3, $"deleted {real.Deleted}");
        Assert.Equal(real.Deleted, dry.Deleted);
        Assert.Equal(real.FilesAdded, dry.FilesAdded);
    }
}
