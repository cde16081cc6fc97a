using System.Text;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Queries;

public sealed class TreeDiffTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    public void Dispose() => fixture.Dispose();

    /// Goal: a comparison made later says what the backup saw. Method: change a random tree several times, compare each
    /// point with its base, and with the list that the incremental recorded.
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task ADiffSaysWhatTheIncrementalRecorded(int seed)
    {
        TreeGenerator.Create(fixture.Source, seed, TreeShape.Small);
        using OpenVault vault = await fixture.InitAsync();
        BackupSummary previous = await fixture.BackupAsync(vault);
        for (int round = 0; round < 4; round++)
        {
            IReadOnlyList<string> done = TreeGenerator.Mutate(fixture.Source, (100 * seed) + round, changes: 25);
            BackupSummary next = await fixture.BackupAsync(vault);
            (RestorePoint before, RestorePoint after) = (await fixture.PointAsync(vault, previous), await fixture.PointAsync(vault, next));

            string[] recorded = await ShowAsync(RestorePoints.ReadChangesAsync(vault, after, Cancel));
            string[] compared = await ShowAsync(TreeDiff.CompareAsync(vault, before, after, Cancel));

            Assert.True(recorded.Length > 0, $"seed {seed}, round {round}: nothing changed by\n{string.Join('\n', done)}");
            Assert.Equal(recorded, compared);
            Assert.Equal(Reverse(compared), (await ShowAsync(TreeDiff.CompareAsync(vault, after, before, Cancel))).Order());
            Assert.Empty(await ShowAsync(TreeDiff.CompareAsync(vault, after, after, Cancel)));
            previous = next;
        }
    }

    [Fact]
    public async Task PointsOfDifferentRootsAreComparedByAbsolutePath()
    {
        string one = Path.Combine(fixture.Source, "one"), two = Path.Combine(fixture.Source, "two");
        Directory.CreateDirectory(one);
        Directory.CreateDirectory(two);
        await File.WriteAllTextAsync(Path.Combine(one, "same"), "same", Cancel);
        await File.WriteAllTextAsync(Path.Combine(two, "other"), "other", Cancel);
        using OpenVault vault = await fixture.InitAsync();
        RestorePoint narrow = await fixture.PointAsync(vault, await BackupRun.RunAsync(vault, fixture.Request(one), Cancel));
        RestorePoint both = await fixture.PointAsync(vault, await BackupRun.RunAsync(vault, fixture.Request(one, two), Cancel));
        RestorePoint wide = await fixture.PointAsync(vault, await BackupRun.RunAsync(vault, fixture.Request(fixture.Source), Cancel));

        Assert.Equal([$"A {two}", $"A {two}/other"], await ShowAsync(TreeDiff.CompareAsync(vault, narrow, both, Cancel)));
        Assert.Equal([$"D {two}", $"D {two}/other"], await ShowAsync(TreeDiff.CompareAsync(vault, both, narrow, Cancel)));
        Assert.Equal([$"A {fixture.Source}"], await ShowAsync(TreeDiff.CompareAsync(vault, both, wide, Cancel)));
    }

    [Fact]
    public async Task TheDetailedDiffTellsContentFromAttributes()
    {
        string file = Path.Combine(fixture.Source, "file"), mode = Path.Combine(fixture.Source, "mode"), link = Path.Combine(fixture.Source, "link");
        await File.WriteAllTextAsync(file, "old", Cancel);
        await File.WriteAllTextAsync(mode, "stays", Cancel);
        File.CreateSymbolicLink(link, "old");
        using OpenVault vault = await fixture.InitAsync();
        RestorePoint before = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));
        await File.WriteAllTextAsync(file, "new", Cancel);
        File.SetUnixFileMode(mode, UnixFileMode.UserRead);
        File.Delete(link);
        await File.WriteAllTextAsync(link, "a file now", Cancel);
        RestorePoint after = await fixture.PointAsync(vault, await fixture.BackupAsync(vault));

        List<TreeDifference> found = await TreeDiff.CompareInDetailAsync(vault, before, after, Cancel).ToListAsync(Cancel);

        Assert.Equal(["file", "link", "mode"], found.Select(one => Encoding.UTF8.GetString(one.Path.Span)));
        Assert.Equal([true, false, false], found.Select(one => one.IsContentChanged));
        Assert.NotEqual(found[1].Before!.Kind, found[1].After!.Kind);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<string[]> ShowAsync(IAsyncEnumerable<TreeChange> changes)
    {
        var shown = new List<string>();
        await foreach (TreeChange change in changes) shown.Add($"{(char)change.Kind} {Files.BytePath.Display(change.Path.Span)}");
        return [.. shown];
    }

    private static IEnumerable<string> Reverse(string[] changes) =>
        changes.Select(change => change[0] switch { 'A' => 'D', 'D' => 'A', _ => 'M' } + change[1..]).Order();
}
