using System.Globalization;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Faults;

/// Goal: a disk that fails or is full ends a backup with an error that says so, and harms nothing that was there; nor
/// does a power cut right after the failure.
/// Method: one backup into a vault with a point, failing somewhere; then every state that a power cut may leave, and the
/// disk as it is, is looked at as in PowerCutTests: opened, checked, all points read, backed up into.
public sealed class DiskFaultTests
{
    private const int ReadOnlyFileSystem = 30;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// What was not synced is lost when a sync fails, and the next one of that file says nothing of it.
    [Fact]
    public async Task EverySyncMayFailOnce()
    {
        (PowerCutWorld world, SimulatedDisk disk, List<DiskCall> calls) = await MakeAsync(seed: 21);
        using (world)
        {
            foreach (DiskCall call in calls.Where(call => call.Kind is DiskCallKind.Sync or DiskCallKind.SyncDirectory))
            {
                await FailAsync(world, disk, 21, call, DiskException.InputOutput, isForGood: false);
            }
        }
    }

    [Theory]
    [InlineData(22, DiskException.InputOutput, false)]
    [InlineData(23, DiskException.NoSpace, true)]
    public async Task SomeCallsFail(int seed, int errno, bool isForGood)
    {
        (PowerCutWorld world, SimulatedDisk disk, List<DiskCall> calls) = await MakeAsync(seed);
        using (world)
        {
            for (int i = seed % 9; i < calls.Count; i += 9) await FailAsync(world, disk, seed, calls[i], errno, isForGood);
        }
    }

    [Theory, Trait("Category", "Long")]
    [InlineData(31, DiskException.InputOutput, false)]
    [InlineData(32, DiskException.InputOutput, true)]
    [InlineData(33, DiskException.NoSpace, false)]
    [InlineData(34, ReadOnlyFileSystem, true)]
    public async Task EachCallFails(int seed, int errno, bool isForGood)
    {
        (PowerCutWorld world, SimulatedDisk disk, List<DiskCall> calls) = await MakeAsync(seed);
        using (world)
        {
            foreach (DiskCall call in calls) await FailAsync(world, disk, seed, call, errno, isForGood);
        }
    }

    [Theory]
    [InlineData(24, 12)]
    public Task TheDiskIsFullAfterSoManyBytes(int seed, int steps) => FillAsync(seed, steps);

    [Theory, Trait("Category", "Long")]
    [InlineData(35, 200)]
    public Task TheDiskIsFullAfterAnyNumberOfBytes(int seed, int steps) => FillAsync(seed, steps);

    private static async Task FillAsync(int seed, int steps)
    {
        (PowerCutWorld world, SimulatedDisk disk, _) = await MakeAsync(seed);
        using (world)
        {
            SimulatedDisk enough = disk.Fork();
            await BackupAsync(world, enough, seed);
            long needed = enough.UsedBytes - disk.UsedBytes;
            for (int step = 0; step < steps; step++)
            {
                SimulatedDisk full = disk.Fork();
                full.Capacity = disk.UsedBytes + (needed * step / steps);
                string where = string.Create(CultureInfo.InvariantCulture, $"seed {seed}, room for {full.Capacity - disk.UsedBytes} bytes of {needed}");

                (Exception? error, SessionId? point) = await TryBackupAsync(world, full, seed);

                Assert.True(error is not null, where);
                full.Capacity = long.MaxValue;
                await AssertHarmlessAsync(world, full, error, point, "no space left on device", where);
            }
        }
    }

    /// <summary>A vault with one point, and the disk calls of the next backup.</summary>
    private static async Task<(PowerCutWorld World, SimulatedDisk Disk, List<DiskCall> Calls)> MakeAsync(int seed)
    {
        var world = new PowerCutWorld(seed, largestBytes: 60_000) { MayHaveFailed = true };
        var disk = new SimulatedDisk(seed, clock: world.Clock);
        await world.MakeAsync(disk);
        SimulatedDisk watched = disk.Fork();
        var calls = new List<DiskCall>();
        watched.BeforeCall = calls.Add;
        await BackupAsync(world, watched, seed);
        Assert.InRange(calls.Count, 30, 1000);
        return (world, disk, calls);
    }

    private static async Task FailAsync(PowerCutWorld world, SimulatedDisk made, int seed, DiskCall at, int errno, bool isForGood)
    {
        SimulatedDisk disk = made.Fork();
        disk.Fault = call => call.Number == at.Number || (isForGood && call.Number > at.Number) ? errno : null;
        string where = string.Create(CultureInfo.InvariantCulture, $"seed {seed}, errno {errno} at disk call {at.Number} ({at.Kind} {at.Path})");

        (Exception? error, SessionId? point) = await TryBackupAsync(world, disk, seed);

        disk.Fault = null;
        string reason = errno switch
        {
            DiskException.InputOutput => "input/output error",
            DiskException.NoSpace => "no space left on device",
            _ => "read-only file system",
        };
        await AssertHarmlessAsync(world, disk, error, point, reason, where);
    }

    private static async Task AssertHarmlessAsync(
        PowerCutWorld world, SimulatedDisk disk, Exception? error, SessionId? point, string reason, string where)
    {
        if (error is not null)
        {
            Assert.True(error is HoldfastException { Kind: ErrorKind.Failed, Hint: not null }, $"{where}: {error}");
            Assert.True(
                error.Message.StartsWith(PowerCutWorld.Root, StringComparison.Ordinal) && error.Message.EndsWith(reason, StringComparison.Ordinal),
                $"{where}: {error.Message}");
        }

        // The making and one backup had returned; of this one, if it failed, nobody knows.
        foreach ((_, SimulatedDisk after) in disk.AllAfterPowerCut()) await LookAsync(after, $"{where}, and then the power");
        await LookAsync(disk, where);

        async Task LookAsync(SimulatedDisk state, string seen)
        {
            if (point is { } id)
            {
                var store = new DirectoryStore(state, world.Clock, PowerCutWorld.Root);
                Assert.True(await store.StatAsync($"points/{id}", Token) is not null, $"{seen}: the point is lost");
            }

            await world.CheckAsync(state, fewest: 2, most: 3, seen);
        }
    }

    private static async Task<(Exception? Error, SessionId? Point)> TryBackupAsync(PowerCutWorld world, SimulatedDisk disk, int seed)
    {
        try
        {
            return (null, await BackupAsync(world, disk, seed));
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            return (error, null);
        }
    }

    private static async Task<SessionId> BackupAsync(PowerCutWorld world, SimulatedDisk disk, int seed)
    {
        var store = new DirectoryStore(disk, world.Clock, PowerCutWorld.Root);
        using OpenVault vault = world.Open(disk, store, seed + 1000);
        return await world.BackupUncountedAsync(vault, source: 1);
    }
}
