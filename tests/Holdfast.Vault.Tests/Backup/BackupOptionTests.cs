using System.Text;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>What is asked of a backup beside the plain one, on a source that changed since its base.</summary>
public sealed class BackupOptionTests : IDisposable
{
    private readonly BackupWorld world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task ADryRunTellsWhatTheRealOneTellsAndWritesNothing()
    {
        for (int i = 0; i < 30; i++) world.Write($"d{i % 3}/f{i:00}", TestKeys.Content(100 + i));
        await world.BackupAsync();
        world.Write("d0/f03", TestKeys.Content(5000));
        File.Delete(Path.Combine(world.Source, "d1/f01"));
        TreeGenerator.Delete(Path.Combine(world.Source, "d2"));
        world.Write("d2", [1]);
        world.Write("new/inner", [2]);
        string[] objects = world.Store.Names;

        BackupSummary dry = await world.BackupAsync(change: request => request with { DryRun = true });
        string[] told = [.. world.Changes.Select(Describe)];
        Assert.Equal(objects, world.Store.Names);
        Assert.Null(dry.Point);
        BackupSummary real = await world.BackupAsync();

        Assert.Equal(world.Changes.Select(Describe), told);
        Assert.Equal(
            (real.Counts.Files, real.Counts.FilesNew, real.Counts.FilesChanged, real.Counts.FilesDeleted, real.Counts.FilesUnmodified),
            (dry.Counts.Files, dry.Counts.FilesNew, dry.Counts.FilesChanged, dry.Counts.FilesDeleted, dry.Counts.FilesUnmodified));
        Assert.Equal((0L, 0L), (dry.Counts.BytesRead, dry.Counts.BytesAdded));
    }

    [Fact]
    public async Task NamesOfOneFileGoTogetherWhateverIsDoneThroughWhichOfThem()
    {
        world.Write("a/first", TestKeys.Content(2 << 20));
        Directory.CreateDirectory(Path.Combine(world.Source, "b"));
        Link("a/first", "b/second");
        Link("a/first", "third");
        await AssertRestoresAsync(bytesRead: 2 << 20);
        await AssertRestoresAsync(bytesRead: 0);

        // Through the last of its names, in place.
        using (FileStream file = File.OpenWrite(Path.Combine(world.Source, "third"))) file.WriteByte(99);
        await AssertRestoresAsync(bytesRead: 2 << 20);

        // The name under which it was read is gone, and another of its own has its place.
        File.Delete(Path.Combine(world.Source, "a/first"));
        world.Write("a/first", [1, 2, 3]);
        await AssertRestoresAsync(bytesRead: (2 << 20) + 3);

        // All alone.
        File.Delete(Path.Combine(world.Source, "b/second"));
        await AssertRestoresAsync(bytesRead: 2 << 20);
        await AssertRestoresAsync(bytesRead: 0);
    }

    [Fact]
    public async Task ADirectoryThatAsksToBeLeftOutLaterOnIsDeletedButForItsMark()
    {
        world.Write("cache/deep/f", [1]);
        world.Write("cache/g", [2]);
        world.Write("z", [3]);
        await MarkedAsync();
        world.Write("cache/.nobackup", Encoding.UTF8.GetBytes("yes, please"));
        await MarkedAsync();

        Assert.Equal(
            ["Added cache/.nobackup", "Deleted cache/deep", "Deleted cache/deep/f", "Deleted cache/g"], world.Changes.Select(Describe).Order(StringComparer.Ordinal));
        Assert.Equal(["cache/.nobackup", "z"], (await world.ReadAsync()).Keys);

        // A mark with another header is none.
        world.Write("cache/.nobackup", Encoding.UTF8.GetBytes("no"));
        await MarkedAsync();
        Assert.Equal(["cache/.nobackup", "cache/deep/f", "cache/g", "z"], (await world.ReadAsync()).Keys);
    }

    private Task<BackupSummary> MarkedAsync() => world.BackupAsync(
        change: request => request with { Marks = [new ExclusionMark(".nobackup"u8.ToArray(), "yes"u8.ToArray())] });

    private async Task AssertRestoresAsync(long bytesRead)
    {
        BackupSummary summary = await world.BackupAsync();
        Assert.Equal((bytesRead, 0L), (summary.Counts.BytesRead, summary.Counts.Errors));
        using OpenVault vault = await world.OpenAsync();
        TreeCompare.AssertEqual(TreeSnapshot.Take(world.Source), await world.RestoreAsync(vault, "target"));
    }

    private void Link(string existing, string name)
    {
        using PosixDirectory from = PosixDirectory.Open(Encoding.UTF8.GetBytes(Path.GetDirectoryName(Path.Combine(world.Source, existing))!));
        using PosixDirectory to = PosixDirectory.Open(Encoding.UTF8.GetBytes(Path.GetDirectoryName(Path.Combine(world.Source, name))!));
        to.Link(Encoding.UTF8.GetBytes(Path.GetFileName(name)), from, Encoding.UTF8.GetBytes(Path.GetFileName(existing)));
    }

    private static string Describe(TreeChange change) => $"{change.Kind} {Encoding.UTF8.GetString(change.Path.Span)}";
}
