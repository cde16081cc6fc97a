using System.Text;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>
/// A vault that is made for a golden file by the verbs that people use, a source beside it, and a clock that each of them moves by an hour.
/// The password of a key is its label.
/// </summary>
internal sealed class GoldenWorld : IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly GoldenPlace source = new();
    private int seed;

    private GoldenWorld(int seed)
    {
        this.seed = seed * 1000;
        Store = new MemoryObjectStore(Clock);
    }

    public SimulatedClock Clock { get; } = new();

    public MemoryObjectStore Store { get; }

    public static async Task<GoldenWorld> CreateAsync(int seed, CancellationToken stop)
    {
        var world = new GoldenWorld(seed);
        using VaultSecret secret = Secret(GoldenFiles.Password);
        using OpenVault vault = await OpenVault.InitAsync(world.KeyHost(), world.Store, secret, GoldenFiles.Password, stop);
        return world;
    }

    /// <summary>A vault with the keys of another.</summary>
    public static async Task<GoldenWorld> CreateTwinAsync(int seed, GoldenWorld of, CancellationToken stop)
    {
        var world = new GoldenWorld(seed);
        world.Clock.SetTimeOfDay(of.Clock.GetUtcNow() + Hour);
        using OpenVault other = await of.OpenAsync(stop);
        using VaultSecret secret = Secret(GoldenFiles.Password);
        using OpenVault vault = await OpenVault.InitWithSecretsOfAsync(world.KeyHost(), world.Store, secret, GoldenFiles.Password, other, stop);
        return world;
    }

    public static VaultSecret Secret(string password) => new(Encoding.UTF8.GetBytes(password));

    /// <summary>As another process opens it.</summary>
    public async Task<OpenVault> OpenAsync(CancellationToken stop, string label = GoldenFiles.Password, IObjectStore? through = null)
    {
        using VaultSecret secret = Secret(label);
        return await OpenVault.OpenAsync(NewHost(Clock), through ?? Store, secret, cancellationToken: stop);
    }

    /// <summary>The same for who makes keys.</summary>
    public async Task<OpenVault> OpenForKeysAsync(CancellationToken stop)
    {
        Clock.Advance(Hour);
        using VaultSecret secret = Secret(GoldenFiles.Password);
        return await OpenVault.OpenAsync(KeyHost(), Store, secret, cancellationToken: stop);
    }

    public async Task<string> AddKeyAsync(KeyRole role, string label, CancellationToken stop)
    {
        using OpenVault vault = await OpenForKeysAsync(stop);
        using VaultSecret secret = Secret(label);
        return await VaultKeys.AddAsync(vault, secret, role, label, stop);
    }

    public async Task RotateAsync(bool renewIdentity, CancellationToken stop)
    {
        using OpenVault vault = await OpenForKeysAsync(stop);
        using VaultSecret secret = Secret(GoldenFiles.Password);
        await VaultKeys.RotateAsync(vault, secret, renewIdentity, stop);
    }

    public void Write(string name, int bytes) => GoldenVaults.Write(source.Path, name, bytes);

    public void Delete(string name) => File.Delete(Path.Combine(source.Path, name));

    public async Task<SessionId> BackupAsync(CancellationToken stop, string label = GoldenFiles.Password, IObjectStore? through = null)
    {
        Clock.Advance(Hour);
        using OpenVault vault = await OpenAsync(stop, label, through);
        return await BackupAsync(vault, stop);
    }

    public Task<SessionId> BackupAsync(OpenVault vault, CancellationToken stop) => GoldenVaults.BackupAsync(vault, source.Path, stop);

    public async Task ForgetAsync(CancellationToken stop, params SessionId[] points)
    {
        Clock.Advance(Hour);
        using OpenVault vault = await OpenAsync(stop);
        await ForgetRun.RunAsync(vault, new ForgetRequest { Points = points, Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true }, stop);
    }

    public async Task PruneAsync(CancellationToken stop, string label = GoldenFiles.Password, bool rewraps = false, IObjectStore? through = null)
    {
        Clock.Advance(Hour);
        using OpenVault vault = await OpenAsync(stop, label, through);
        await PruneRun.RunAsync(vault, new PruneRequest { Host = "pruner", MaxUnusedBytes = 0, Rewraps = rewraps }, stop);
    }

    /// <summary>A prune that is killed at a call of the store, the n-th that is meant.</summary>
    public async Task CutPruneAsync(Func<StoreCall, bool> isMeant, int number, CancellationToken stop)
    {
        int met = 0;
        bool isCut = false;
        var through = new FaultyObjectStore(Store)
        {
            BeforeEach = call =>
            {
                isCut = isCut || (isMeant(call) && Interlocked.Increment(ref met) == number);
                return isCut ? throw new ObjectStoreException("killed", isRetriable: false) : Task.CompletedTask;
            },
        };
        await Assert.ThrowsAnyAsync<HoldfastException>(() => PruneAsync(stop, through: through));
    }

    public void Dispose() => source.Dispose();

    private Host NewHost(TimeProvider clock) => new(new SimulatedDisk(++seed), clock, new SimulatedEntropy(seed));

    /// <summary>For who seals key slots: how often a password is hashed follows the time that it takes, and would be most on a clock that stands.</summary>
    private Host KeyHost() => NewHost(new SteppingClock(Clock));

    /// <summary>The time of another clock; each look at the monotonic time takes 100 ms.</summary>
    private sealed class SteppingClock(TimeProvider inner) : TimeProvider
    {
        private long looks;

        public override long TimestampFrequency => 10;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override long GetTimestamp() => Interlocked.Increment(ref looks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            inner.CreateTimer(callback, state, dueTime, period);
    }
}
