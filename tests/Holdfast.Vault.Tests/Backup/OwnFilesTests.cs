using System.Diagnostics;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Backup;

/// What must not happen to a user's own files, and to a point whose files claim more than there can be.
public sealed class OwnFilesTests : IDisposable
{
    private readonly BackupWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData("first", "second")]
    [InlineData("second", "first")]
    public async Task NeverOverwritingLeavesOtherFilesOfLinkedNamesAlone(string there, string missing)
    {
        world.Write("first", "the same inode"u8);
        using (var process = Process.Start("ln", [Path.Combine(world.Source, "first"), Path.Combine(world.Source, "second")])) await process.WaitForExitAsync(Token);
        await world.BackupAsync();
        string target = world.PathOf("target");
        Directory.CreateDirectory(target);
        File.WriteAllText(Path.Combine(target, there), "the user's own");

        using OpenVault vault = await world.OpenAsync();
        var request = new RestoreRequest { Target = world.TreeOf(target), Overwrite = OverwriteMode.Never };
        RestoreSummary summary = await RestoreRun.RunAsync(vault, await BackupWorld.NewestAsync(vault), request, Token);

        Assert.Equal(0, summary.Errors);
        Assert.Equal("the user's own", File.ReadAllText(Path.Combine(target, there)));
        Assert.Equal("the same inode", File.ReadAllText(Path.Combine(target, missing)));
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(2, 2)]
    public async Task NamesOfOneFileAreOneFileAgainHoweverFewAreRemembered(int remembered, int reads)
    {
        const int files = 5;
        string[] folders = [Path.Combine(world.Source, "a"), Path.Combine(world.Source, "b")];
        Directory.CreateDirectory(folders[1]);
        for (int i = 0; i < files; i++)
        {
            world.Write($"a/{i}", new byte[100 + i]);
            using var process = Process.Start("ln", [Path.Combine(folders[0], $"{i}"), Path.Combine(folders[1], $"{i}")]);
            await process.WaitForExitAsync(Token);
        }

        BackupSummary made = await world.BackupAsync(change: request => request with { MaxLinkedFiles = remembered });

        Assert.Equal(reads * ((files * 100) + 10), made.Counts.BytesRead);
        using OpenVault vault = await world.OpenAsync();
        TreeCompare.AssertEqual(TreeSnapshot.Take(world.Source), await world.RestoreAsync(vault, "target"));
    }

    [Fact]
    public async Task FilesThatTogetherClaimMoreThanThereIsANumberForMakeAPointThatCanBeRead()
    {
        // Of ext4 no file is longer than 16 TiB; tmpfs takes any length.
        string place = Path.Combine("/dev/shm", Path.GetRandomFileName());
        Directory.CreateDirectory(place);
        try
        {
            foreach (string name in (string[])["a", "b"])
            {
                using FileStream file = File.Create(Path.Combine(place, name));
                file.SetLength(long.MaxValue);
            }

            BackupSummary summary = await world.BackupAsync(world.TreeOf(place));

            Assert.Equal(long.MaxValue, summary.Counts.Bytes);
            using OpenVault vault = await world.OpenAsync();
            Assert.Equal(summary.Point, (await BackupWorld.NewestAsync(vault)).Id);
            Assert.Empty(vault.Damages);
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }
}
