using System.Text;
using Holdfast.Files;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Faults;

namespace Holdfast.Vault.Tests.Backup;

/// <summary>
/// One source on the real disk that is backed up again and again, each time long after its last change, into a vault in
/// memory that is opened anew each time.
/// </summary>
internal sealed class BackupWorld : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("holdfast-").FullName;
    private readonly SimulatedClock clock = new(DateTimeOffset.UnixEpoch.AddYears(200));
    private readonly List<DirectoryTree> trees = [];
    private int opened;

    public BackupWorld()
    {
        Source = PathOf("source");
        Directory.CreateDirectory(Source);
        Tree = TreeOf(Source);
    }

    /// <summary>The path of the source.</summary>
    public string Source { get; }

    public DirectoryTree Tree { get; }

    public MemoryObjectStore Store { get; init; } = new();

    /// <summary>What the backups go to; the store above unless it is wrapped.</summary>
    public IObjectStore? Through { get; set; }

    public List<ItemNotice> Notices { get; } = [];

    /// <summary>Changes as the last backup told of them.</summary>
    public List<TreeChange> Changes { get; } = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public string PathOf(string name) => Path.Combine(directory, name);

    public DirectoryTree TreeOf(string path)
    {
        DirectoryTree tree = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(path)).Value;
        trees.Add(tree);
        return tree;
    }

    public void Write(string name, ReadOnlySpan<byte> content)
    {
        string path = Path.Combine(Source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }

    public async Task<OpenVault> OpenAsync()
    {
        if (opened++ == 0) await FaultWorld.InitAsync(Store);
        return await FaultWorld.OpenAsync(Through ?? Store, seed: opened, clock);
    }

    public BackupRequest Request(IFileTree? tree = null) => FaultWorld.Request(tree ?? Tree) with
    {
        OnNotice = notice =>
        {
            lock (Notices) Notices.Add(notice);
        },
        OnChange = Changes.Add,
    };

    public async Task<BackupSummary> BackupAsync(IFileTree? tree = null, Func<BackupRequest, BackupRequest>? change = null)
    {
        using OpenVault vault = await OpenAsync();
        return await BackupAsync(vault, tree, change);
    }

    public Task<BackupSummary> BackupAsync(OpenVault vault, IFileTree? tree = null, Func<BackupRequest, BackupRequest>? change = null)
    {
        Notices.Clear();
        Changes.Clear();
        clock.Advance(TimeSpan.FromSeconds(1));
        BackupRequest request = Request(tree);
        return BackupRun.RunAsync(vault, change is null ? request : change(request), Token);
    }

    /// <summary>The newest point.</summary>
    public static async Task<RestorePoint> NewestAsync(OpenVault vault) => (await RestorePoints.ListAsync(vault, Token))[^1];

    /// <summary>Every file of the newest point, each chunk of it verified, and that the point names all that it needs.</summary>
    public async Task<SortedDictionary<string, byte[]>> ReadAsync()
    {
        using OpenVault vault = await OpenAsync();
        SortedDictionary<string, byte[]> files = await FaultWorld.ReadAsync(vault, await NewestAsync(vault));
        Assert.Empty(vault.Damages);
        return files;
    }

    /// <summary>The newest point must hold the source's files as they are.</summary>
    public async Task AssertIsSourceAsync(string where = "")
    {
        SortedDictionary<string, byte[]> files = await ReadAsync();
        string[] expected = [.. Directory.EnumerateFiles(Source, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Source, path))];
        Assert.True(expected.Order(StringComparer.Ordinal).SequenceEqual(files.Keys), where);
        foreach (string name in expected) Assert.True(File.ReadAllBytes(Path.Combine(Source, name)).AsSpan().SequenceEqual(files[name]), $"{where}: {name}");
    }

    /// <summary>The newest point, restored.</summary>
    public async Task<TreeSnapshot> RestoreAsync(OpenVault vault, string name)
    {
        string target = PathOf(name);
        Directory.CreateDirectory(target);
        RestoreSummary summary = await RestoreRun.RunAsync(vault, await NewestAsync(vault), new RestoreRequest { Target = TreeOf(target) }, Token);
        Assert.Equal(0, summary.Errors);
        TreeSnapshot restored = TreeSnapshot.Take(target);
        TreeGenerator.Delete(target);
        return restored;
    }

    public void Dispose()
    {
        foreach (DirectoryTree tree in trees) tree.Dispose();
        TreeGenerator.Delete(directory);
    }
}
