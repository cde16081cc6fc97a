using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Copying;

/// Goal: a copy that is cut off anywhere leaves whole points only, and the next one finishes. Method: it is cut off at every call of
/// the store that changes something, before the call and after it; then the next run copies what is missing, once.
public sealed class CopyCrashTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACopyThatIsCutOffAnywhereIsFinishedByTheNext(bool isTwin)
    {
        const int seed = 20_261_123;
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(seed));
        var whole = new MemoryObjectStore();
        CopySummary all = await CopyWorld.CopyAsync(world.Whole, whole, isTwin, seed: 10);
        for (int cut = 1; ; cut++)
        {
            bool wasCut = false;
            foreach (bool isDone in (bool[])[false, true])
            {
                string about = $"seed {seed}, cut off {(isDone ? "after" : "before")} change {cut}";
                var store = new MemoryObjectStore();
                if (!await CutOffAsync(world, store, isTwin, cut, isDone)) continue;
                wasCut = true;
                int points = store.Names.Count(name => name.StartsWith("points/", StringComparison.Ordinal));
                await CopyWorld.AssertCopiedAsync(world, store, isTwin, [.. Enumerable.Range(0, points)], about);

                CopySummary rest = await CopyWorld.CopyAsync(world.Whole, store, isTwin, seed: 30);
                Assert.True(rest.Points == 3 - points && rest.PointsThere == points, $"{about}: {rest}");
                // What was uploaded is used: nothing of it is put twice.
                Assert.True(rest.ChunksCopied <= all.ChunksCopied, $"{about}: {rest}");
                bool hadData = store.Names.Select(name => name.Split('/')).Where(name => name[0] == "data").Select(name => name[1]).Distinct().Count() > 3 - points;
                Assert.False(hadData && points == 0 && rest.ChunksCopied == all.ChunksCopied, $"{about}: what was uploaded was not used");
                await CopyWorld.AssertCopiedAsync(world, store, isTwin, [0, 1, 2], about);
            }

            if (!wasCut) break;
            Assert.True(cut < 200, "a copy without end");
        }
    }

    /// Whether the copy came so far: from then on every call fails, as if the program were dead.
    private static async Task<bool> CutOffAsync(RepairWorld world, MemoryObjectStore store, bool isTwin, int cut, bool isDone)
    {
        int changes = 0;
        bool isDead = false;
        var faulty = new FaultyObjectStore(store);
        Task Count(StoreCall call, bool after)
        {
            bool isChange = call.Method is StoreMethod.Put or StoreMethod.Delete;
            if (isChange && !after) changes++;
            isDead |= isChange && after == isDone && changes == cut;
            return isDead ? throw new ObjectStoreException("the program is dead", isRetriable: true) : Task.CompletedTask;
        }

        faulty.BeforeEach = call => Count(call, after: false);
        faulty.AfterEach = call => Count(call, after: true);
        Exception? error = await Record.ExceptionAsync(() => CopyWorld.CopyAsync(world.Whole, faulty, isTwin, seed: 20));
        Assert.True(error is null or HoldfastException, $"{error}");
        return isDead;
    }
}
