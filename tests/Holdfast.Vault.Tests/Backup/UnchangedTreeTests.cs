using Holdfast.Files;
using Holdfast.Testing;
using Holdfast.Vault.Indexing;
using TestEntry = Holdfast.Testing.TreeEntry;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>
/// Goal: a tree that is as it was costs nothing; of one that is not, the new point holds what is there and the list of
/// changes says what an independent comparison of the two says.
/// </summary>
public sealed class UnchangedTreeTests : IDisposable
{
    private static readonly TreeShape Shape = TreeShape.Small with { Directories = 12, Files = 60, Sockets = false, LargestFile = 1_200_000 };

    // What a comparison of two points leaves out too.
    private static readonly TreeCompareOptions Everything = new() { IgnoreSparseness = true };

    private readonly BackupWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(11, false)]
    [InlineData(12, true)]
    public async Task ASecondBackupStoresNothingAndIsTheSameTree(int seed, bool isWithoutIndex)
    {
        TreeGenerator.Create(world.Source, seed, Shape);
        BackupSummary first = await world.BackupAsync();
        if (isWithoutIndex) await DeleteIndexAsync();
        int objects = world.Store.Names.Length;

        BackupSummary second = await world.BackupAsync();

        Assert.Equal((0L, 0L, 0L), (second.Counts.BytesAdded, second.Counts.BytesRead, second.Counts.Errors));
        Assert.Equal(first.Counts.Files, second.Counts.FilesUnmodified);
        Assert.Empty(world.Changes);
        using OpenVault vault = await world.OpenAsync();
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        Assert.True(points[0].Tree.SameAs(points[1].Tree), $"seed {seed}");
        Assert.Equal(points[0].References, points[1].References);
        // Nothing but the point itself.
        Assert.Equal(objects + 1, world.Store.Names.Length);
    }

    /// <summary>Changes of all kinds, point after point, while index objects vanish and the cache of footers holds next to nothing.</summary>
    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    [InlineData(24)]
    public async Task AfterRandomChangesThePointIsTheSourceAndTheListOfChangesIsTheDifference(int seed)
    {
        TreeGenerator.Create(world.Source, seed, Shape);
        await world.BackupAsync();
        TreeSnapshot before = TreeSnapshot.Take(world.Source);
        for (int round = 0; round < 4; round++)
        {
            IReadOnlyList<string> done = TreeGenerator.Mutate(world.Source, (seed * 100) + round, changes: 25);
            string where = $"seed {seed}, round {round}:\n{string.Join('\n', done)}\n";
            TreeSnapshot now = TreeSnapshot.Take(world.Source);
            if (round == 1) await DeleteIndexAsync();
            // A last round in which content is read again whatever its attributes say.
            BackupSummary summary = await world.BackupAsync(change: request => request with { Workers = 1 + (round % 3), Checksum = round == 3 });

            Assert.True(summary.Counts.Errors == 0, where);
            using OpenVault vault = await world.OpenAsync();
            RestorePoint point = await BackupWorld.NewestAsync(vault);
            Assert.Equal(Expected(before, now), await ListAsync(RestorePoints.ReadChangesAsync(vault, point, Token)));
            RestorePoint basePoint = (await RestorePoints.ListAsync(vault, Token)).Single(candidate => candidate.Id == point.Base);
            Assert.Equal(Expected(before, now), await ListAsync(TreeDiff.CompareAsync(vault, basePoint, point, Token)));
            IReadOnlyList<string> differences = TreeCompare.FindDifferences(now, await world.RestoreAsync(vault, "target"), Everything);
            Assert.True(differences.Count == 0, where + string.Join('\n', differences));
            before = now;
        }
    }

    [Fact]
    public async Task WhenTheBasesPacksAreGoneEverythingIsReadAndStoredAgain()
    {
        for (int i = 0; i < 50; i++) world.Write($"d{i % 5}/f{i}", TestKeys.Content(1000 + i));
        BackupSummary first = await world.BackupAsync();
        foreach (string name in world.Store.Names.Where(name => name.StartsWith("data/", StringComparison.Ordinal))) await world.Store.DeleteAsync(name, Token);

        BackupSummary second = await world.BackupAsync();

        Assert.Equal(first.Counts.BytesRead, second.Counts.BytesRead);
        Assert.Equal(first.Counts.Files, second.Counts.FilesUnmodified);
        using OpenVault vault = await world.OpenAsync();
        // Tells of the packs that the first point lacks; the second has all that it needs.
        SortedDictionary<string, byte[]> files = await Faults.FaultWorld.ReadAsync(vault, await BackupWorld.NewestAsync(vault));
        Assert.Equal(50, files.Count);
    }

    [Fact]
    public async Task DeviceNumbersThatAreOthersAfterARebootCostNoReading()
    {
        for (int i = 0; i < 20; i++) world.Write($"d{i % 3}/f{i}", TestKeys.Content(1000 + i));
        await world.BackupAsync();
        ulong device = 0;
        var rebooted = new Faults.InterceptedTree(world.Tree)
        {
            AfterScan = scan =>
            {
                (byte[] Name, NodeAttributes Attributes)[] entries =
                    [.. Enumerable.Range(0, scan.Count).Select(i => (scan.NameOf(i).ToArray(), scan.AttributesOf(i)))];
                scan.Clear();
                foreach ((byte[] name, NodeAttributes attributes) in entries)
                {
                    NodeAttributes changed = attributes;
                    // Each another, as if every directory were a mount point: the order is not that of the base.
                    changed.Device = 1000 - device++;
                    scan.Add(name, changed);
                }
            },
        };

        BackupSummary second = await world.BackupAsync(rebooted);

        Assert.Equal(0, second.Counts.BytesRead);
        Assert.Equal(20, second.Counts.FilesUnmodified);
        Assert.Empty(world.Changes);
        await world.AssertIsSourceAsync();
    }

    private async Task DeleteIndexAsync()
    {
        string[] names = [.. world.Store.Names.Where(name => name.StartsWith(IndexObject.Prefix, StringComparison.Ordinal))];
        Assert.NotEmpty(names);
        foreach (string name in names) await world.Store.DeleteAsync(name, Token);
    }

    private static async Task<string[]> ListAsync(IAsyncEnumerable<TreeChange> changes)
    {
        var list = new List<string>();
        await foreach (TreeChange change in changes) list.Add($"{change.Kind} {BytePath.Display(change.Path.Span)}");
        return [.. list.Order(StringComparer.Ordinal)];
    }

    private static string[] Expected(TreeSnapshot before, TreeSnapshot after)
    {
        var changes = new List<string>();
        foreach (string path in before.Entries.Keys.Union(after.Entries.Keys))
        {
            // The root is not listed by name.
            if (path.Length == 0) continue;
            TestEntry? old = before.Entries.GetValueOrDefault(path), now = after.Entries.GetValueOrDefault(path);
            if (old is null) changes.Add($"{ChangeKind.Added} {path}");
            else if (now is null) changes.Add($"{ChangeKind.Deleted} {path}");
            else if (!IsSame(old, now)) changes.Add($"{ChangeKind.Modified} {path}");
        }

        return [.. changes.Order(StringComparer.Ordinal)];
    }

    private static bool IsSame(TestEntry a, TestEntry b) =>
        a.Kind == b.Kind && a.Mode == b.Mode && a.Uid == b.Uid && a.Gid == b.Gid && (a.Kind == NodeKind.Directory || a.ModificationTime == b.ModificationTime)
        && a.Size == b.Size && a.Content == b.Content && a.Device == b.Device && a.Target.AsSpan().SequenceEqual(b.Target)
        && a.Xattrs.Count == b.Xattrs.Count && !a.Xattrs.Except(b.Xattrs).Any();
}
