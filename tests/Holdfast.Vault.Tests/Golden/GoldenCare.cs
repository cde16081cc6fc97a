using Holdfast.Testing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>Golden vaults in which points were forgotten and held, and packs removed.</summary>
internal static class GoldenCare
{
    public static Dictionary<string, Func<CancellationToken, Task<MemoryObjectStore>>> All { get; } = new(StringComparer.Ordinal)
    {
        ["marks"] = MakeMarksAsync,
        ["prune-condemned"] = static stop => MakeCutPruneAsync(620, static call => call.Method == StoreMethod.Put && IsRemoval(call), number: 4, stop),
        ["prune-gone"] = static stop => MakeCutPruneAsync(
            621, static call => call.Method == StoreMethod.Delete && call.Name.StartsWith("data/", StringComparison.Ordinal), number: 2, stop),
        ["prune-moved-twice"] = static stop => MakeMovedTwiceAsync(622, furtherRounds: 0, stop),
        ["prune-replaced-removals"] = static stop => MakeMovedTwiceAsync(623, furtherRounds: 2, stop),
        ["prune-reprieved"] = MakeReprievedAsync,
    };

    /// <summary>Each kind of mark; the last is of a prune that was killed before it deleted a point.</summary>
    private static async Task<MemoryObjectStore> MakeMarksAsync(CancellationToken stop)
    {
        using GoldenWorld world = await GoldenWorld.CreateAsync(619, stop);
        var points = new List<SessionId>();
        for (int i = 0; i < 9; i++)
        {
            world.Write($"file {i}", 1000 + i);
            points.Add(await world.BackupAsync(stop));
        }

        DateTimeOffset now = world.Clock.GetUtcNow();
        using OpenVault vault = await world.OpenAsync(stop);
        await VaultSettings.ChangeAsync(vault, static settings => settings with { UndeleteWindow = TimeSpan.FromDays(7) }, stop);
        await PointState.HoldAsync(vault, [points[0], points[1]], now + TimeSpan.FromDays(4000), "evidence", stop);
        await PointState.HoldAsync(vault, [points[1]], null, "", stop);
        await PointState.HoldAsync(vault, [points[2]], null, "not for long", stop);
        await PointState.ReleaseAsync(vault, [points[2]], stop);
        // A hold that is over keeps nobody from forgetting.
        await PointState.HoldAsync(vault, [points[3]], now + TimeSpan.FromDays(1), "a day", stop);
        await world.ForgetAsync(stop, points[4], points[5]);
        await PointState.UndeleteAsync(vault, [points[5]], stop);
        await world.ForgetAsync(stop, points[6]);
        world.Clock.Advance(TimeSpan.FromDays(2));
        await world.ForgetAsync(stop, points[3]);
        world.Clock.Advance(TimeSpan.FromDays(5));
        await world.CutPruneAsync(static call => call.Method == StoreMethod.Delete && call.Name.StartsWith(PointCodec.Prefix, StringComparison.Ordinal), number: 1, stop);
        await world.ForgetAsync(stop, points[7]);
        return world.Store;
    }

    private static bool IsRemoval(StoreCall call) => call.Name.StartsWith(RemovalRecord.Prefix, StringComparison.Ordinal);

    /// <summary>Packs that are needed in part, and a prune of them that is killed.</summary>
    private static async Task<MemoryObjectStore> MakeCutPruneAsync(int seed, Func<StoreCall, bool> isMeant, int number, CancellationToken stop)
    {
        using GoldenWorld world = await GoldenWorld.CreateAsync(seed, stop);
        await FillAsync(world, round: 0, stop);
        await world.CutPruneAsync(isMeant, number, stop);
        return world.Store;
    }

    /// <summary>A point that names a chunk where it was at first, which moves, and moves again; then further rounds, until one removal replaces the others.</summary>
    private static async Task<MemoryObjectStore> MakeMovedTwiceAsync(int seed, int furtherRounds, CancellationToken stop)
    {
        using GoldenWorld world = await GoldenWorld.CreateAsync(seed, stop);
        SessionId both = await FillAsync(world, round: 0, stop);
        world.Delete("keep 0.0");
        await world.BackupAsync(stop);
        await world.PruneAsync(stop);
        await world.ForgetAsync(stop, both);
        await world.PruneAsync(stop);
        for (int round = 1; round <= furtherRounds; round++)
        {
            await FillAsync(world, round, stop);
            await world.PruneAsync(stop);
        }

        return world.Store;
    }

    /// <summary>Two points that are forgotten, whose packs a third needs in part; returns the third.</summary>
    private static async Task<SessionId> FillAsync(GoldenWorld world, int round, CancellationToken stop)
    {
        var points = new SessionId[2];
        for (int i = 0; i < points.Length; i++)
        {
            world.Write($"keep {round}.{i}", 2000 + (10 * round) + i);
            world.Write($"go {i}", 3000 + (10 * round) + i);
            points[i] = await world.BackupAsync(stop);
        }

        world.Delete("go 0");
        world.Delete("go 1");
        SessionId kept = await world.BackupAsync(stop);
        await world.ForgetAsync(stop, points);
        return kept;
    }

    /// <summary>A backup ends while a prune has condemned what it needs.</summary>
    private static async Task<MemoryObjectStore> MakeReprievedAsync(CancellationToken stop)
    {
        using GoldenWorld world = await GoldenWorld.CreateAsync(624, stop);
        world.Write("file", 3000);
        SessionId old = await world.BackupAsync(stop);
        bool isDone = false;
        var through = new FaultyObjectStore(world.Store)
        {
            BeforeEach = async call =>
            {
                if (isDone || call.Method != StoreMethod.Put || !call.Name.StartsWith(PointCodec.Prefix, StringComparison.Ordinal)) return;
                isDone = true;
                await world.ForgetAsync(stop, old);
                await world.PruneAsync(stop);
            },
        };
        world.Write("more", 1500);
        await world.BackupAsync(stop, through: through);
        await world.PruneAsync(stop);
        return world.Store;
    }
}
