using System.Text;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>Goal: of several roots each is what it is, whatever it was in the base, and the list of changes says so.</summary>
public sealed class RootTests : IDisposable
{
    private readonly BackupWorld world = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task RootsThatVanishOrChangeTheirKindAreChangesLikeOthers()
    {
        Directory.CreateDirectory(world.PathOf("roots/dir"));
        File.WriteAllBytes(world.PathOf("roots/dir/inner"), [1]);
        File.WriteAllBytes(world.PathOf("roots/file"), [2]);
        Directory.CreateDirectory(world.PathOf("roots/gone/below"));
        File.WriteAllBytes(world.PathOf("roots/gone/below/f"), [3]);
        File.WriteAllBytes(world.PathOf("roots/lost"), [4]);
        Directory.CreateDirectory(world.PathOf("roots/stays"));
        await world.BackupAsync(change: WithRoots);

        // What was a directory is a file and the other way round; one of each is no more.
        TreeGenerator.Delete(world.PathOf("roots/dir"));
        File.WriteAllBytes(world.PathOf("roots/dir"), [5]);
        File.Delete(world.PathOf("roots/file"));
        Directory.CreateDirectory(world.PathOf("roots/file"));
        File.WriteAllBytes(world.PathOf("roots/file/inner"), [6]);
        TreeGenerator.Delete(world.PathOf("roots/gone"));
        File.Delete(world.PathOf("roots/lost"));
        BackupSummary second = await world.BackupAsync(change: WithRoots);

        Assert.Equal(2, second.Counts.Errors);
        using OpenVault vault = await world.OpenAsync();
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        Assert.Equal(points[0].Id, points[1].Base);
        string[] changes = await ListAsync(RestorePoints.ReadChangesAsync(vault, points[1], Token));
        Assert.Equal(await ListAsync(TreeDiff.CompareAsync(vault, points[0], points[1], Token)), changes);
        Assert.Equal(
            [
                "Added /file/inner", "Deleted /dir/inner", "Deleted /gone", "Deleted /gone/below", "Deleted /gone/below/f", "Deleted /lost",
                "Modified /dir", "Modified /file",
            ],
            changes);

        // And back again: nothing of what was there before may come back with it.
        File.WriteAllBytes(world.PathOf("roots/lost"), [7]);
        BackupSummary third = await world.BackupAsync(change: WithRoots);
        Assert.Equal(1, third.Counts.FilesNew);
        points = await RestorePoints.ListAsync(vault, Token);
        Assert.Equal(["Added /lost"], await ListAsync(RestorePoints.ReadChangesAsync(vault, points[2], Token)));
    }

    [Fact]
    public async Task ASingleRootMayChangeItsKind()
    {
        string path = world.PathOf("root");
        Directory.CreateDirectory(path);
        File.WriteAllBytes(Path.Combine(path, "inner"), [1]);
        await world.BackupAsync(change: OnlyRoot);
        TreeGenerator.Delete(path);
        File.WriteAllBytes(path, [2]);
        await world.BackupAsync(change: OnlyRoot);
        File.Delete(path);
        Directory.CreateDirectory(path);
        File.WriteAllBytes(Path.Combine(path, "other"), [3]);
        await world.BackupAsync(change: OnlyRoot);

        using OpenVault vault = await world.OpenAsync();
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        for (int i = 1; i < 3; i++)
        {
            Assert.Equal(
                await ListAsync(TreeDiff.CompareAsync(vault, points[i - 1], points[i], Token)),
                await ListAsync(RestorePoints.ReadChangesAsync(vault, points[i], Token)));
        }
    }

    private static async Task<string[]> ListAsync(IAsyncEnumerable<TreeChange> changes)
    {
        var list = new List<string>();
        await foreach (TreeChange change in changes) list.Add($"{change.Kind} {Encoding.UTF8.GetString(change.Path.Span)}");
        return [.. list.Order(StringComparer.Ordinal)];
    }

    private BackupRequest WithRoots(BackupRequest request) => request with
    {
        Roots = [.. ((string[])["dir", "file", "gone", "lost", "stays"]).Select(name => RootOf($"roots/{name}", $"/{name}"))],
    };

    private BackupRequest OnlyRoot(BackupRequest request) => request with { Roots = [RootOf("root", "/root")] };

    /// <summary>A directory by a tree of its own; what is none, or is not there, by the one above it.</summary>
    private BackupRoot RootOf(string place, string path) => Directory.Exists(world.PathOf(place))
        ? new BackupRoot(Encoding.UTF8.GetBytes(path), world.TreeOf(world.PathOf(place)), default)
        : new BackupRoot(
            Encoding.UTF8.GetBytes(path), world.TreeOf(Path.GetDirectoryName(world.PathOf(place))!), Encoding.UTF8.GetBytes(Path.GetFileName(place)));
}
