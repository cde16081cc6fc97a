using Holdfast.Testing;

namespace Holdfast.Vault.Tests;

public sealed class BackupTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task ASecondBackupOfAnUnchangedTreeFindsEverythingUnmodified()
    {
        TreeGenerator.Create(fixture.Source, seed: 1, TreeShape.Default);
        using OpenVault vault = await fixture.InitAsync();
        // Away from the moment of creation: what changed within a tick of its reading is read again.
        await Task.Delay(50, TestContext.Current.CancellationToken);

        BackupSummary first = await fixture.BackupAsync(vault);
        BackupSummary second = await fixture.BackupAsync(vault);

        Assert.Equal(PointKind.Full, first.Kind);
        Assert.Equal(first.Counts.Files, first.Counts.FilesNew);
        Assert.Equal(PointKind.Incremental, second.Kind);
        Assert.Equal(first.Point, second.Base);
        Assert.Equal(first.Counts.Files, second.Counts.FilesUnmodified);
        Assert.Equal(0, second.Counts.FilesChanged + second.Counts.FilesNew + second.Counts.FilesDeleted);
        Assert.Equal(0, second.Counts.BytesRead);
        Assert.Equal(0, second.Counts.BytesAdded);
        Assert.DoesNotContain(fixture.Notices, notice => notice.IsError);
    }
}
