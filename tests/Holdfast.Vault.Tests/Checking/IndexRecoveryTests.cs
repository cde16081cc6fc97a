using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Tests.Checking;

/// Goal: no index is needed for anything but speed.
/// Method: take it away, or flip a bit in each part of it, and read all content of all points.
public sealed class IndexRecoveryTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task WithoutAnyIndexEverythingIsReadAndTheNextBackupMakesOne()
    {
        await BackupOnceAsync();
        fixture.DeleteAll("index");

        using (OpenVault vault = await fixture.OpenAsync())
        {
            Assert.Equal(13, await ReadAllAsync(vault));
            BackupSummary again = await fixture.BackupAsync(vault);

            Assert.Equal(0, again.Counts.BytesAdded);
            Assert.Equal(again.Counts.Files, again.Counts.FilesUnmodified);
            Assert.Empty(vault.Damages);
            Assert.True(vault.Index.Unindexed.IsEmpty);
        }

        Assert.Single(fixture.Objects("index"));
        using OpenVault healed = await fixture.OpenAsync();
        await healed.Index.LoadAsync(CancellationToken.None);
        Assert.True(healed.Index.Unindexed.IsEmpty);
        Assert.Single(healed.Index.Readers);
        Assert.Equal(26, await ReadAllAsync(healed));
        Assert.True(healed.Index.Unindexed.IsEmpty);
    }

    [Fact]
    public async Task OneLostIndexOfSeveralIsMadeUpForWhenAChunkIsMissed()
    {
        await BackupOnceAsync();
        string first = Assert.Single(fixture.Objects("index"));
        File.WriteAllBytes(Path.Combine(fixture.Source, "new"), new byte[5000]);
        using (OpenVault vault = await fixture.OpenAsync()) await fixture.BackupAsync(vault);
        Assert.Equal(2, fixture.Objects("index").Length);
        fixture.Delete(first);

        using OpenVault opened = await fixture.OpenAsync();
        Assert.True(opened.Index.Unindexed.IsEmpty);
        Assert.Equal(27, await ReadAllAsync(opened));
        Assert.False(opened.Index.Unindexed.IsEmpty);
        Assert.Empty(opened.Damages);
    }

    [Theory]
    [InlineData("magic", 3)]
    [InlineData("version", 8)]
    [InlineData("kind", 9)]
    [InlineData("cipher", 10)]
    [InlineData("epoch", 12)]
    [InlineData("writer", 24)]
    [InlineData("salt", 40)]
    [InlineData("page", 70)]
    [InlineData("root", -16 - 64 - 20)]
    [InlineData("signature", -16 - 30)]
    [InlineData("length", -16)]
    [InlineData("end", -1)]
    public async Task AFlippedBitInAnIndexIsToldByNameAndEverythingIsRead(string part, int offset)
    {
        await BackupOnceAsync();
        string name = Assert.Single(fixture.Objects("index"));
        fixture.Flip(name, offset);

        using (OpenVault vault = await fixture.OpenAsync())
        {
            Assert.Equal(13, await ReadAllAsync(vault));
            string told = Assert.Single(vault.Damages);
            Assert.True(told.StartsWith(name + ": ", StringComparison.Ordinal), $"{part}: {told}");
            BackupSummary again = await fixture.BackupAsync(vault);
            Assert.Equal(0, again.Counts.BytesAdded);
        }

        Assert.Equal(2, fixture.Objects("index").Length);
        using OpenVault healed = await fixture.OpenAsync();
        Assert.Equal(26, await ReadAllAsync(healed));
        Assert.True(healed.Index.Unindexed.IsEmpty);
    }

    [Fact]
    public async Task ADamagedPageCostsNoKnownChunk()
    {
        // What a backup asks for is mostly new, so its look-ups recover nothing by themselves.
        await BackupOnceAsync();
        using OpenVault vault = await fixture.OpenAsync();
        Assert.True(PackId.TryParse(Assert.Single(fixture.Objects("data")), out PackId pack));
        PackFooter footer = (await vault.Index.Packs.TryReadFooterAsync(pack, CancellationToken.None))!;
        await vault.Index.LoadAsync(CancellationToken.None);
        Assert.Single(vault.Index.Readers);
        fixture.Flip(Assert.Single(fixture.Objects("index")), 70);

        foreach (PackChunk chunk in footer.Chunks) Assert.NotNull(await vault.Index.FindAsync(chunk.Id, ObjectKind.DataPack, CancellationToken.None));
        Assert.Empty(vault.Index.Readers);
    }

    [Fact]
    public async Task AChunkIsReadFromItsOtherPackWhereOneIsDamaged()
    {
        await BackupOnceAsync();
        string first = Assert.Single(fixture.Objects("data"));
        fixture.DeleteAll("points");
        fixture.DeleteAll("index");
        // Without points the lost index is not looked for, so that everything is uploaded once more.
        await BackupOnceAsync(isNew: false);
        Assert.Equal(2, fixture.Objects("data").Length);
        for (int offset = 200; offset < fixture.LengthOf(first) - 2000; offset += 10_000) fixture.Flip(first, offset);

        using OpenVault vault = await fixture.OpenAsync();
        await vault.Index.LoadUnindexedAsync(CancellationToken.None);

        Assert.Equal(13, await ReadAllAsync(vault));
        Assert.All(vault.Damages, told => Assert.StartsWith(first + ": ", told, StringComparison.Ordinal));
        Assert.NotEmpty(vault.Damages);
    }

    private async Task BackupOnceAsync(bool isNew = true)
    {
        if (isNew) fixture.WriteSource();
        using OpenVault vault = isNew ? await fixture.InitAsync() : await fixture.OpenAsync();
        // Away from the moment of creation: what changed within a tick of its reading is read again.
        await Task.Delay(50, TestContext.Current.CancellationToken);
        await fixture.BackupAsync(vault);
    }

    /// Reads every chunk of every file of every point; how many files there were.
    private static async Task<int> ReadAllAsync(OpenVault vault)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        int files = 0;
        foreach (RestorePoint point in await RestorePoints.ListAsync(vault, stop))
        {
            foreach (TreeEntry root in await vault.Trees.ReadDirectoryAsync(point.Tree, isPointRoot: true, stop))
            {
                await foreach (TreeItem item in TreeWalk.BelowAsync(vault.Trees, root, root.Name, stop))
                {
                    if (item.Entry.IsDirectory) continue;
                    files++;
                    await foreach (ContentItem piece in vault.Trees.FlattenAsync(item.Entry.Content!, stop))
                    {
                        if (piece.Kind == ContentItemKind.Hole) continue;
                        Assert.Equal(piece.Length, (await vault.DataChunks.FetchAsync(piece.Id, stop)).Length);
                    }
                }
            }
        }

        return files;
    }
}
