namespace Holdfast.Vault.Tests.Backup;

/// <summary>Goal: what a backup allocates follows the chunks and names that it meets, not the bytes.</summary>
/// Alone, as it looks at the memory of the whole process.
[Collection(nameof(AllocationTests))]
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTests : IDisposable
{
    private readonly BackupWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task ReadingLargeFilesAgainAllocatesNothingForTheirBytes()
    {
        const int files = 4, fileBytes = 12 << 20;
        byte[] content = TestKeys.Content(fileBytes + files);
        for (int i = 0; i < files; i++) world.Write($"f{i}", content.AsSpan(i, fileBytes));
        await world.BackupAsync();
        for (int i = 0; i < files; i++)
        {
            content[i + 1000] ^= 1;
            world.Write($"f{i}", content.AsSpan(i, fileBytes));
        }

        using OpenVault vault = await world.OpenAsync();
        long before = GC.GetTotalAllocatedBytes(precise: true);
        BackupSummary second = await world.BackupAsync(vault);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.Equal((long)files * fileBytes, second.Counts.BytesRead);
        // Some 200 chunks a file, and what any backup needs.
        Assert.InRange(allocated, 0, files * fileBytes / 16);
    }

    [Fact]
    public async Task AnUnchangedFileCostsItsEntryAndLittleMore()
    {
        const int files = 1500;
        for (int i = 0; i < files; i++) world.Write($"d{i % 20:00}/f{i}", [(byte)i]);
        await world.BackupAsync();
        using OpenVault vault = await world.OpenAsync();
        long before = GC.GetTotalAllocatedBytes(precise: true);
        BackupSummary second = await world.BackupAsync(vault);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.Equal(files, second.Counts.FilesUnmodified);
        // Its name and attributes twice, listed and as the base has them, and its content's one chunk.
        Assert.InRange(allocated, 0, (2 << 20) + (files * 2000));
    }
}
