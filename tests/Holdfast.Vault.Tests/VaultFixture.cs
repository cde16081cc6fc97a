using System.Text;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;

namespace Holdfast.Vault.Tests;

/// <summary>A vault in a temporary directory, a source beside it, and short ways to use both.</summary>
public sealed class VaultFixture : IDisposable
{
    private readonly List<DirectoryTree> trees = [];

    public VaultFixture()
    {
        Root = Path.Combine(Path.GetTempPath(), "holdfast-vault-" + Guid.NewGuid().ToString("n"));
        Source = Path.Combine(Root, "source");
        VaultPath = Path.Combine(Root, "vault");
        Directory.CreateDirectory(Source);
        Host = Host.CreateReal();
        Store = ObjectStores.Open(VaultPath, Host);
    }

    public string Root { get; }

    public string Source { get; }

    public string VaultPath { get; }

    public Host Host { get; }

    public IObjectStore Store { get; }

    public List<ItemNotice> Notices { get; } = [];

    public static VaultSecret Secret(string password = "correct horse") => new(Encoding.UTF8.GetBytes(password));

    public async Task<OpenVault> InitAsync()
    {
        using VaultSecret secret = Secret();
        return await OpenVault.InitAsync(Host, Store, secret, "first", TestContext.Current.CancellationToken);
    }

    public async Task<OpenVault> OpenAsync()
    {
        using VaultSecret secret = Secret();
        return await OpenVault.OpenAsync(Host, Store, secret, cancellationToken: TestContext.Current.CancellationToken);
    }

    public DirectoryTree Tree(string path)
    {
        DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(path)).Value;
        trees.Add(tree);
        return tree;
    }

    public BackupRequest Request(params string[] paths)
    {
        string[] roots = paths.Length == 0 ? [Source] : paths;
        return new BackupRequest
        {
            Roots = [.. roots.Select(path => new BackupRoot(Encoding.UTF8.GetBytes(path), Tree(path), default))],
            Host = "here",
            Owners = new OwnerNames(),
            OnNotice = notice =>
            {
                lock (Notices) Notices.Add(notice);
            },
        };
    }

    public Task<BackupSummary> BackupAsync(OpenVault vault, Func<BackupRequest, BackupRequest>? change = null) =>
        BackupRun.RunAsync(vault, change is null ? Request() : change(Request()), TestContext.Current.CancellationToken);

    /// The restore point that a backup made.
    public async Task<RestorePoint> PointAsync(OpenVault vault, BackupSummary summary) =>
        RestorePoints.Find(await RestorePoints.ListAsync(vault, TestContext.Current.CancellationToken), summary.Point!.Value.ToString());

    public string PathOf(string name) => Path.Combine(Root, name);

    public async Task<RestoreSummary> RestoreAsync(
        OpenVault vault, SessionId point, string target, Func<RestoreRequest, RestoreRequest>? change = null)
    {
        Directory.CreateDirectory(PathOf(target));
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, TestContext.Current.CancellationToken);
        using DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(PathOf(target))).Value;
        var request = new RestoreRequest
        {
            Target = tree,
            Owners = new OwnerNames(),
            OnNotice = notice =>
            {
                lock (Notices) Notices.Add(notice);
            },
        };
        return await RestoreRun.RunAsync(
            vault, points.Single(candidate => candidate.Id == point), change is null ? request : change(request), TestContext.Current.CancellationToken);
    }

    public async Task<byte[]> ExportAsync(OpenVault vault, BackupSummary point, BackupSummary? since, string password = "export")
    {
        using VaultSecret secret = Secret(password);
        using var output = new MemoryStream();
        await ExportRun.RunAsync(
            vault, await PointAsync(vault, point), since is null ? null : await PointAsync(vault, since), output, secret, new WorkProgress(),
            TestContext.Current.CancellationToken);
        return output.ToArray();
    }

    public async Task<ApplySummary> ApplyAsync(
        byte[] export, string target, Func<ApplyRequest, ApplyRequest>? change = null, string password = "export", Func<IFileTree, IFileTree>? wrap = null)
    {
        Directory.CreateDirectory(PathOf(target));
        using DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(PathOf(target))).Value;
        using VaultSecret secret = Secret(password);
        var request = new ApplyRequest { Owners = new OwnerNames() };
        ApplySummary summary = await ApplyRun.RunAsync(
            new MemoryStream(export), secret, wrap is null ? tree : wrap(tree), change is null ? request : change(request),
            TestContext.Current.CancellationToken);
        Assert.Equal(0, summary.Errors);
        return summary;
    }

    /// The error of an export that must be refused; makes sure that nothing was changed.
    public async Task<HoldfastException> RefusalAsync(byte[] export, string target, string password = "export")
    {
        Directory.CreateDirectory(PathOf(target));
        Testing.TreeSnapshot before = Testing.TreeSnapshot.Take(PathOf(target));
        HoldfastException error = await Assert.ThrowsAsync<HoldfastException>(() => ApplyAsync(export, target, password: password));
        Testing.TreeCompare.AssertEqual(before, Testing.TreeSnapshot.Take(PathOf(target)));
        return error;
    }

    public void Dispose()
    {
        foreach (DirectoryTree tree in trees) tree.Dispose();
        Testing.TreeGenerator.Delete(Root);
    }
}
