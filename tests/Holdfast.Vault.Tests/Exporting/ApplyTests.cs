using System.Text;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Exporting;

public sealed class ApplyTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// Goal: an export laid over the state that it was made for gives exactly the later state, whatever changed.
    /// Method: random tree, backup, random changes, backup; restore the first point, apply, compare with a restore of
    /// the second; apply once more: nothing is left to do, and the tree stays as it is.
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6)]
    public async Task AnExportAppliedToItsBaseGivesTheLaterState(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, seed == 1 ? TreeShape.Default : TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        IReadOnlyList<string> done = TreeGenerator.Mutate(fixture.Source, 1000 + seed, changes: 60);
        BackupSummary second = await fixture.BackupAsync(vault);
        await fixture.RestoreAsync(vault, first.Point!.Value, "target");
        await fixture.RestoreAsync(vault, second.Point!.Value, "expected");
        byte[] export = await fixture.ExportAsync(vault, second, first);
        TreeSnapshot before = TreeSnapshot.Take(fixture.PathOf("target")), expected = TreeSnapshot.Take(fixture.PathOf("expected"));

        ApplySummary dry = await fixture.ApplyAsync(export, "target", request => request with { DryRun = true });
        TreeCompare.AssertEqual(before, TreeSnapshot.Take(fixture.PathOf("target")));
        ApplySummary applied = await fixture.ApplyAsync(export, "target");

        try
        {
            TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf("target")));
        }
        catch (Exception different)
        {
            throw new InvalidOperationException($"seed {seed}:\n{string.Join('\n', done)}", different);
        }

        Assert.Equal((dry.Added, dry.Modified, dry.Deleted), (applied.Added, applied.Modified, applied.Deleted));
        Assert.True(applied.Added + applied.Modified + applied.Deleted > 0);
        ApplySummary again = await fixture.ApplyAsync(export, "target");
        Assert.Equal((0, 0, 0, 0), (again.Added, again.Modified, again.Deleted, again.BytesWritten));
        Assert.Equal(applied.Added + applied.Modified + applied.Deleted, again.AlreadyApplied);
        TreeCompare.AssertEqual(expected, TreeSnapshot.Take(fixture.PathOf("target")));
    }

    [Theory, InlineData(11), InlineData(12)]
    public async Task AFullExportFillsAnEmptyDirectory(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary point = await fixture.BackupAsync(vault);
        await fixture.RestoreAsync(vault, point.Point!.Value, "expected");
        byte[] export = await fixture.ExportAsync(vault, point, null);

        await fixture.ApplyAsync(export, "target");

        TreeCompare.AssertEqual(TreeSnapshot.Take(fixture.PathOf("expected")), TreeSnapshot.Take(fixture.PathOf("target")));
        await File.WriteAllTextAsync(Path.Combine(fixture.PathOf("expected"), "extra"), "", Cancel);
        HoldfastException error = await fixture.RefusalAsync(export, "expected");
        Assert.Equal((ErrorKind.Unverified, "extra: is there, where an empty directory is expected"), (error.Kind, error.Message));
    }

    [Fact]
    public async Task EachRootOfSeveralIsAppliedBelowItsAbsolutePath()
    {
        string one = Path.Combine(fixture.Source, "one"), two = Path.Combine(fixture.Source, "two");
        Directory.CreateDirectory(one);
        Directory.CreateDirectory(two);
        TreeGenerator.Create(one, 21, TreeShape.Small);
        TreeGenerator.Create(two, 22, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await BackupRun.RunAsync(vault, fixture.Request(one, two), Cancel);
        TreeGenerator.Mutate(one, 23);
        string three = Path.Combine(fixture.Source, "three");
        Directory.CreateDirectory(three);
        TreeGenerator.Create(three, 24, TreeShape.Small);
        BackupSummary second = await BackupRun.RunAsync(vault, fixture.Request(one, three, two), Cancel);
        await fixture.RestoreAsync(vault, first.Point!.Value, "target");
        await fixture.RestoreAsync(vault, second.Point!.Value, "expected");

        await fixture.ApplyAsync(await fixture.ExportAsync(vault, second, first), "target");

        TreeCompareOptions options = TreeCompareOptions.Everything with { Only = (path, _) => path.Contains("/source/") };
        TreeCompare.AssertEqual(TreeSnapshot.Take(fixture.PathOf("expected")), TreeSnapshot.Take(fixture.PathOf("target")), options);
    }

    [Fact]
    public async Task ASmallEditOfALargeFileMakesASmallExport()
    {
        byte[] content = new byte[20 << 20];
        new Random(5).NextBytes(content);
        string file = Path.Combine(fixture.Source, "large");
        await File.WriteAllBytesAsync(file, content, Cancel);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        content[10 << 20] ^= 1;
        await File.WriteAllBytesAsync(file, [.. "in front "u8, .. content[..(15 << 20)], .. content[(15 << 20)..], .. content[..(1 << 20)]], Cancel);
        BackupSummary second = await fixture.BackupAsync(vault);
        await fixture.RestoreAsync(vault, first.Point!.Value, "target");

        byte[] export = await fixture.ExportAsync(vault, second, first);

        Assert.InRange(export.Length, 1000, 1 << 20);
        await fixture.ApplyAsync(export, "target");
        Assert.Equal(await File.ReadAllBytesAsync(file, Cancel), await File.ReadAllBytesAsync(Path.Combine(fixture.PathOf("target"), "large"), Cancel));
    }

    [Fact]
    public async Task HardLinksEndAsTheyAreInTheLaterState()
    {
        string Name(string name) => Path.Combine(fixture.Source, name);
        foreach (string name in new[] { "a", "d", "g", "k" }) await File.WriteAllTextAsync(Name(name), name, Cancel);
        Link("a", "b");
        Link("d", "e");
        Link("g", "h");
        Link("k", "l");
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        Link("b", "0-new-in-front");              // one name more
        File.Delete(Name("e"));                   // a name of its own, with the same content
        File.Copy(Name("d"), Name("e"));
        File.SetLastWriteTimeUtc(Name("e"), File.GetLastWriteTimeUtc(Name("d")));
        File.Delete(Name("g"));                   // from one file to the other
        Link("k", "g");
        await File.AppendAllTextAsync(Name("l"), "more", Cancel);
        BackupSummary second = await fixture.BackupAsync(vault);
        await fixture.RestoreAsync(vault, first.Point!.Value, "target");

        await fixture.ApplyAsync(await fixture.ExportAsync(vault, second, first), "target");

        TreeCompare.AssertEqual(TreeSnapshot.Take(fixture.Source), TreeSnapshot.Take(fixture.PathOf("target")));

        void Link(string existing, string name)
        {
            using PosixDirectory directory = PosixDirectory.Open(Encoding.UTF8.GetBytes(fixture.Source));
            directory.Link(Encoding.UTF8.GetBytes(name), directory, Encoding.UTF8.GetBytes(existing));
        }
    }

    [Fact]
    public async Task WhatBecomesAnotherKindIsReplaced()
    {
        string Name(string name) => Path.Combine(fixture.Source, name);
        Directory.CreateDirectory(Name("to-file/deep/er"));
        await File.WriteAllTextAsync(Name("to-file/deep/er/x"), "x", Cancel);
        Directory.CreateDirectory(Name("to-link/deep"));
        await File.WriteAllTextAsync(Name("to-directory"), "file", Cancel);
        await File.WriteAllTextAsync(Name("to-file-"), "neighbour in the order of bytes", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary first = await fixture.BackupAsync(vault);
        Directory.Delete(Name("to-file"), recursive: true);
        await File.WriteAllTextAsync(Name("to-file"), "now a file", Cancel);
        Directory.Delete(Name("to-link"), recursive: true);
        File.CreateSymbolicLink(Name("to-link"), "/etc");
        File.Delete(Name("to-directory"));
        Directory.CreateDirectory(Name("to-directory/deep"));
        await File.WriteAllTextAsync(Name("to-directory/deep/y"), "y", Cancel);
        BackupSummary second = await fixture.BackupAsync(vault);

        foreach ((BackupSummary from, BackupSummary to, string target) in new[] { (first, second, "forward"), (second, first, "back") })
        {
            await fixture.RestoreAsync(vault, from.Point!.Value, target);
            await fixture.RestoreAsync(vault, to.Point!.Value, target + "-expected");
            byte[] export = await fixture.ExportAsync(vault, to, from);
            await fixture.ApplyAsync(export, target);
            TreeCompare.AssertEqual(TreeSnapshot.Take(fixture.PathOf(target + "-expected")), TreeSnapshot.Take(fixture.PathOf(target)));
            await fixture.ApplyAsync(export, target);
        }
    }
}
