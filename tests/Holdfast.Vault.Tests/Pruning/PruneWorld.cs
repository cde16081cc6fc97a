using Holdfast.Files;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Tests.Pruning;

/// <summary>A vault in memory whose clock stands still, a source beside it, and short ways to forget and prune.</summary>
internal sealed class PruneWorld : IDisposable
{
    private readonly FaultWorld world = new();
    private readonly List<OpenVault> opened = [];
    private int seed;

    public PruneWorld()
    {
        Clock = new SimulatedClock();
        Store = new MemoryObjectStore(Clock);
        Faulty = new FaultyObjectStore(Store);
        (SourcePath, Source) = world.Source("src");
        FaultWorld.InitAsync(Store).GetAwaiter().GetResult();
    }

    public SimulatedClock Clock { get; }

    public MemoryObjectStore Store { get; }

    /// <summary>The same store, as all vaults here see it.</summary>
    public FaultyObjectStore Faulty { get; }

    public string SourcePath { get; }

    public DirectoryTree Source { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>As another process would open it.</summary>
    public async Task<OpenVault> OpenAsync()
    {
        OpenVault vault = await FaultWorld.OpenAsync(Faulty, ++seed, Clock);
        opened.Add(vault);
        return vault;
    }

    public void Write(string name, int bytes, int contentSeed)
    {
        byte[] content = new byte[bytes];
        new Random(contentSeed).NextBytes(content);
        File.WriteAllBytes(Path.Combine(SourcePath, name), content);
    }

    public void Delete(string name) => File.Delete(Path.Combine(SourcePath, name));

    public async Task<SessionId> BackUpAsync()
    {
        Clock.Advance(TimeSpan.FromMinutes(1));
        return (await FaultWorld.BackupAsync(await OpenAsync(), Source, Stop)).Point!.Value;
    }

    public async Task ForgetAsync(params SessionId[] points)
    {
        var request = new ForgetRequest { Points = points, Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true };
        await ForgetRun.RunAsync(await OpenAsync(), request, Stop);
    }

    public async Task<PruneSummary> PruneAsync(Func<PruneRequest, PruneRequest>? change = null)
    {
        Clock.Advance(TimeSpan.FromMinutes(1));
        var request = new PruneRequest { Host = "pruner", MaxUnusedBytes = 0 };
        return await PruneRun.RunAsync(await OpenAsync(), change is null ? request : change(request), Stop);
    }

    public async Task<WriteSession> BeginSessionAsync() => await WriteSession.BeginAsync(await OpenAsync(), "elsewhere", 3, 1, Stop);

    public string[] Names(string prefix) => [.. Store.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];

    /// <summary>Every point that is listed can be read whole, and there is no damage.</summary>
    public async Task<SessionId[]> AssertWholeAsync()
    {
        using OpenVault vault = await FaultWorld.OpenAsync(Faulty, ++seed, Clock);
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, Stop);
        // Opened without a key slot.
        Assert.DoesNotContain(report.Damages, damage => !damage.ObjectName.StartsWith("keys/", StringComparison.Ordinal));
        Assert.Empty(vault.Damages);
        return [.. (await RestorePoints.ListAsync(vault, Stop)).Select(point => point.Id)];
    }

    /// <summary>The same, and the newest point is the source as it is.</summary>
    public async Task AssertIsNewestAsync(SessionId id)
    {
        using OpenVault vault = await FaultWorld.OpenAsync(Faulty, ++seed, Clock);
        SortedDictionary<string, byte[]> files = await PointContents.ReadAsync(vault, (await RestorePoints.ListAsync(vault, Stop)).Single(point => point.Id == id));
        Assert.Equal(Directory.GetFiles(SourcePath).Select(Path.GetFileName).Order(StringComparer.Ordinal), files.Keys);
        foreach ((string name, byte[] content) in files) Assert.True(File.ReadAllBytes(Path.Combine(SourcePath, name)).AsSpan().SequenceEqual(content), name);
    }

    public void Dispose()
    {
        foreach (OpenVault vault in opened) vault.Dispose();
        world.Dispose();
    }
}
