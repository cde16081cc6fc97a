using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Tests.Faults;

/// <summary>A small vault on a simulated disk, and all that must hold of any disk that a power cut leaves of it.</summary>
internal sealed class PowerCutWorld : IDisposable
{
    public const string Root = "/srv/vault";
    private const string KeySlotId = "0000000000000000";

    // Sealed once: deriving a key costs more than all that is done with it here.
    private static readonly Lazy<byte[]> Slot = new(() =>
    {
        using VaultSecret secret = VaultFixture.Secret();
        return KeySlot.Seal(FaultWorld.Ring, secret, FaultWorld.VaultId, KeySlotId, PasswordKey.DefaultPasses, new SimulatedEntropy(1));
    });

    private readonly FaultWorld world = new();
    private readonly List<SessionId> made = [];
    private readonly Dictionary<SessionId, string> others = [];
    private readonly int seed;
    private int acknowledged;

    /// <summary>Makes the sources.</summary>
    /// <param name="seed">Decides keys, ids and the content of the sources.</param>
    /// <param name="largestBytes">About how long the largest file is.</param>
    /// <param name="extraFiles">How many small files there are beside those that are always there.</param>
    public PowerCutWorld(int seed, int largestBytes = 200_000, int extraFiles = 0)
    {
        this.seed = seed;
        var random = new Random(seed);
        byte[] large = TestKeys.Random(random, largestBytes + random.Next(largestBytes / 2));
        byte[] text = [.. Enumerable.Range(0, largestBytes / 5).Select(i => (byte)('a' + (i * i % 23)))];
        (string, byte[])[] extra = [.. Enumerable.Range(0, extraFiles).Select(i => ($"many/{i % 7}/{i}", TestKeys.Random(random, random.Next(5000))))];
        (string Path, DirectoryTree Tree) first = world.Source(
            "first", [("a", large), ("d/b", [1, 2, 3]), ("d/e/empty", []), ("text", text), ("z", large[..(largestBytes / 3)]), .. extra]);
        int middle = largestBytes / 2;
        (string Path, DirectoryTree Tree) second = world.Source(
            "second",
            [("a", [.. large[..middle], 7, .. large[middle..]]), ("d/b", [1, 2, 3]), ("new", large[100..(middle / 2)]), .. extra[(extraFiles / 2)..]]);
        // The last changes nothing: its point takes over what its base needs.
        Sources = [first, second, second];
        // Later than the files: their times prove that they have not changed.
        Clock = new SimulatedClock(DateTimeOffset.UtcNow.AddHours(1));
    }

    /// <summary>What is backed up, one after the other, as the same source.</summary>
    public IReadOnlyList<(string Path, DirectoryTree Tree)> Sources { get; }

    public SimulatedClock Clock { get; }

    /// <summary>Workers of each backup.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>
    /// Whether a backup may have failed: it indexes its packs and removes its lease, and its point may be there though it
    /// was not answered for. Then it is one of the second source.
    /// </summary>
    public bool MayHaveFailed { get; init; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    /// <summary>Makes the vault and backs up everything, on a disk that is watched.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="through">How it is used, where not as it is.</param>
    /// <param name="wrap">How the store on it is used.</param>
    /// <returns>All that the disk may be after a power cut, with how many steps had returned: the making, then the backups.</returns>
    public async Task<PowerCuts<int>> RunAsync(SimulatedDisk disk, IDisk? through = null, Func<IObjectStore, IObjectStore>? wrap = null)
    {
        var cuts = new PowerCuts<int>(disk, () => Volatile.Read(ref acknowledged));
        IObjectStore store = new DirectoryStore(through ?? disk, Clock, Root);
        if (wrap is not null) store = wrap(store);
        await InitAsync(store);
        Interlocked.Increment(ref acknowledged);
        for (int i = 0; i < Sources.Count; i++)
        {
            Clock.Advance(TimeSpan.FromMinutes(1));
            await BackupAsync(through ?? disk, store, i);
        }

        return cuts;
    }

    /// <summary>One of the backups; it counts as acknowledged when it has returned.</summary>
    public async Task BackupAsync(IDisk disk, IObjectStore store, int source)
    {
        // As the command does: the vault is opened anew for each.
        using OpenVault vault = Open(disk, store, seed + source);
        SessionId point = await MakePointAsync(vault, source);
        made.Add(point);
        Interlocked.Increment(ref acknowledged);
    }

    /// <summary>A backup beside the others, of which <see cref="CheckAsync(SimulatedDisk, int, int, string)"/> does not expect that it is there.</summary>
    public async Task<SessionId> BackupUncountedAsync(OpenVault vault, int source)
    {
        SessionId point = await MakePointAsync(vault, source);
        others[point] = Sources[source].Path;
        return point;
    }

    /// <summary>Makes the vault and the first backup, with nothing left that is not durable.</summary>
    public async Task MakeAsync(SimulatedDisk disk)
    {
        var store = new DirectoryStore(disk, Clock, Root);
        await InitAsync(store);
        await BackupAsync(disk, store, source: 0);
        Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(disk.AllAfterPowerCut());
    }

    /// <summary>Throws unless the vault is all that was promised.</summary>
    /// <param name="disk">A disk after a power cut; written to.</param>
    /// <param name="fewest">How many steps had returned at the last moment at which this state is possible.</param>
    /// <param name="most">How many steps had returned at the first such moment, and the one under way.</param>
    /// <param name="where">For messages.</param>
    public async Task CheckAsync(SimulatedDisk disk, int fewest, int most, string where)
    {
        var store = new DirectoryStore(disk, Clock, Root);
        if (await store.StatAsync(VaultDescriptor.Name, Token) is null)
        {
            Assert.True(fewest == 0, $"{where}: there is no vault");
            // What is left of the attempt stands in nobody's way.
            await OpenVault.RequireEmptyAsync(store, Token);
            await InitAsync(store);
        }

        using OpenVault vault = Open(disk, store, seed: 77);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(vault, Token);
        SessionId[] lost = [.. made.Take(fewest - 1).Where(id => points.All(point => point.Id != id))];
        Assert.True(lost.Length == 0, $"{where}: lost {string.Join(' ', lost)}");
        Assert.True(points.Count <= Math.Max(0, most - 1), $"{where}: {points.Count} points");
        foreach (RestorePoint point in points)
        {
            int step = made.IndexOf(point.Id);
            string? source = step >= 0 ? Sources[step].Path : others.GetValueOrDefault(point.Id) ?? (MayHaveFailed ? Sources[1].Path : null);
            Assert.True(source is not null, $"{where}: nobody made {point.Id}");
            await FaultWorld.AssertIsAsync(vault, point, source);
        }

        if (!MayHaveFailed) await AssertLeasedAsync(store, points, where);
        await AssertCleanAsync(vault, where);

        Clock.Advance(TimeSpan.FromMinutes(1));
        BackupSummary next = await FaultWorld.BackupAsync(vault, Sources[1].Tree, Token);
        RestorePoint added = (await RestorePoints.ListAsync(vault, Token)).Single(point => point.Id == next.Point);
        await FaultWorld.AssertIsAsync(vault, added, Sources[1].Path);
        CheckReport report = await AssertCleanAsync(vault, $"{where}, after the next backup");
        Assert.True(report.UnfinishedSessions == 0, $"{where}: the next backup did not take over {report.UnfinishedSessions} sessions");
        Assert.Equal(points.Count + 1, report.Points);
        Assert.True(vault.Damages.Count == 0, $"{where}: {string.Join("; ", vault.Damages)}");
    }

    /// <summary>What <see cref="CheckAsync(SimulatedDisk, int, int, string)"/> says to one state of a run.</summary>
    public Task CheckAsync(PowerCut<int> cut) => CheckAsync(cut.Disk.Fork(), cut.Moments[^1], cut.Moments[0] + 1, $"seed {seed}, {cut}");

    /// <summary>Opens the vault, its caches on the same disk.</summary>
    public OpenVault Open(IDisk disk, IObjectStore store, int seed) => OpenVault.Open(
        new Host(disk, Clock, new SimulatedEntropy(seed)), store, FaultWorld.VaultId, KeySlotId, FaultWorld.Ring, 4 << 20);

    private async Task<SessionId> MakePointAsync(OpenVault vault, int source)
    {
        BackupRequest request = FaultWorld.Request(Sources[source].Tree) with { Workers = Workers };
        return (await BackupRun.RunAsync(vault, request, Token)).Point!.Value;
    }

    /// <summary>As <see cref="OpenVault.InitAsync"/> does, but with the key that is there already.</summary>
    private static async Task InitAsync(IObjectStore store)
    {
        await store.PutIfAbsentAsync(KeyDirectory.Prefix + KeySlotId, Slot.Value, Token);
        await store.PutIfAbsentAsync(VaultDescriptor.Name, VaultDescriptor.Encode(FaultWorld.VaultId), Token);
    }

    /// <summary>Nobody gave up in order: what belongs to a session without a point has a lease, by which it is found.</summary>
    private static async Task AssertLeasedAsync(IObjectStore store, IReadOnlyList<RestorePoint> points, string where)
    {
        var written = new HashSet<string>(StringComparer.Ordinal);
        var leased = new HashSet<string>(StringComparer.Ordinal);
        await foreach (ObjectEntry entry in store.ListAsync("", Token))
        {
            string[] parts = entry.Name.Split('/', '-');
            if (parts[0] == "leases") leased.Add(parts[1][..32]);
            else if (parts[0] is "data" or "trees" or "index" or "refs") written.Add(parts[1]);
        }

        written.ExceptWith(points.Select(point => point.Id.ToString()));
        written.ExceptWith(leased);
        Assert.True(written.Count == 0, $"{where}: no lease tells of {string.Join(' ', written)}");
    }

    private static async Task<CheckReport> AssertCleanAsync(OpenVault vault, string where)
    {
        CheckReport report = await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true, Workers = 1 }, Token);
        Assert.True(
            report.Damages.Count == 0, $"{where}: {string.Join("; ", report.Damages.Select(damage => $"{damage.ObjectName}: {damage.What}"))}");
        return report;
    }
}
