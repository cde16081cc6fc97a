using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Copying;

/// Goal: names of any bytes, holes, links, attributes and what else a file system allows survive a copy; a vault with the secrets of
/// another opens with its own password. Method: what is restored from the copy is compared with the source.
public sealed class CopiedTreeTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatIsRestoredFromACopyIsTheSource(bool isTwin)
    {
        const int seed = 77;
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Default);
        TreeSnapshot expected = TreeSnapshot.Take(fixture.Source);
        using OpenVault vault = await fixture.InitAsync();
        await fixture.BackupAsync(vault);
        IObjectStore store = ObjectStores.Open(fixture.PathOf("second"), fixture.Host);
        using VaultSecret secret = VaultFixture.Secret("another");
        using (OpenVault made = isTwin
            ? await OpenVault.InitWithSecretsOfAsync(fixture.Host, store, secret, "first", vault, Token)
            : await OpenVault.InitAsync(fixture.Host, store, secret, "first", Token))
        {
            Assert.NotEqual(vault.Id, made.Id);
        }

        using OpenVault second = await OpenVault.OpenAsync(fixture.Host, store, secret, cancellationToken: Token);
        CopySummary summary = await CopyRun.RunAsync(second, new CopyRequest { From = vault }, Token);
        Assert.Equal(1, summary.Points);

        RestorePoint copy = Assert.Single(await RestorePoints.ListAsync(second, Token));
        await fixture.RestoreAsync(second, copy.Id, "target");
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf("target")), new TreeCompareOptions { IgnoreSockets = true });
        CheckReport check = await CheckRun.RunAsync(second, new CheckRequest { ReadData = true }, Token);
        Assert.Empty(check.Damages);
        // The next backup builds on the copy: with the same names for content nothing is stored anew.
        BackupSummary next = await BackupRun.RunAsync(second, fixture.Request(), Token);
        Assert.Equal(copy.Id, next.Base);
        Assert.Equal(0, next.Counts.FilesNew);
        if (isTwin) Assert.Equal(0, next.Counts.FilesChanged);
    }
}
