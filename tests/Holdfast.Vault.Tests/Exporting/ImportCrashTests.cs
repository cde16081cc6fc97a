using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Tests.Copying;
using Holdfast.Vault.Tests.Faults;
using Holdfast.Vault.Tests.Keys;
using Holdfast.Vault.Tests.Repairing;

namespace Holdfast.Vault.Tests.Exporting;

/// Goal: an import that fails anywhere leaves no point, no damage and nobody at work, and the next one makes the point. Method: every
/// change that it makes to the store fails once.
public sealed class ImportCrashTests
{
    private const int Seed = 20_270_118;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnImportThatFailsAnywhereIsMadeByTheNext()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        using OpenVault from = await FaultWorld.OpenAsync(world.Whole, seed: 1);
        var based = new MemoryObjectStore();
        using (OpenVault target = CopyWorld.Open(based, isTwin: false, seed: 2)) await ImportAsync(target, await ExportAsync(from, world.Oracle.Points[0], null));
        byte[] export = await ExportAsync(from, world.Oracle.Points[1], world.Oracle.Points[0]);
        for (int failing = 1; ; failing++)
        {
            string about = $"seed {Seed}, change {failing} fails";
            MemoryObjectStore store = await RepairWorld.CopyAsync(based);
            int changes = 0;
            var faulty = new FaultyObjectStore(store)
            {
                BeforeEach = call => call.Method is StoreMethod.Put or StoreMethod.Delete && Interlocked.Increment(ref changes) == failing
                    ? throw new ObjectStoreException("the store is full", isRetriable: false)
                    : Task.CompletedTask,
            };
            string? missed = null;
            using (OpenVault target = CopyWorld.Open(faulty, isTwin: false, seed: 100 + failing))
            {
                Exception? error = await Record.ExceptionAsync(() => ImportAsync(target, export));
                Assert.True(error is null or HoldfastException, $"{about}: {error}");
                missed = error?.Message;
            }

            bool isMade = store.Names.Count(static name => name.StartsWith("points/", StringComparison.Ordinal)) == 2;
            if (changes < failing)
            {
                Assert.True(isMade && failing > 5, about);
                return;
            }

            // A put that failed may have been done all the same: then the lease stays, so that its packs are found.
            if (missed is null) Assert.True(isMade, about);
            await CopyWorld.AssertCopiedAsync(world, store, isTwin: false, isMade ? [0, 1] : [0], about, isDirect: false);
            using OpenVault next = CopyWorld.Open(store, isTwin: false, seed: 1000 + failing);
            Assert.Equal(isMade, (await ImportAsync(next, export)).IsThere);
            await CopyWorld.AssertCopiedAsync(world, store, isTwin: false, [0, 1], about, isDirect: false);
            CheckReport report = await CheckRun.RunAsync(next, new CheckRequest { ReadData = true }, Token);
            // It has neither a key slot nor a descriptor.
            Assert.True(report.Damages.All(static damage => damage.ObjectName == "vault" || damage.ObjectName.StartsWith("keys/", StringComparison.Ordinal)), $"{about}\n{RepairWorld.Describe(report)}");
        }
    }

    /// What the import itself finds wrong, once it has begun to write, does not look like somebody at work.
    [Fact]
    public async Task AnImportThatGivesUpLeavesNoLease()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        using OpenVault from = await FaultWorld.OpenAsync(world.Whole, seed: 1);
        byte[] export = await ExportAsync(from, world.Oracle.Points[0], null);
        var store = new MemoryObjectStore();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var faulty = new FaultyObjectStore(store)
        {
            AfterEach = async call =>
            {
                if (call.Method == StoreMethod.Put && call.Name.StartsWith("data/", StringComparison.Ordinal)) await stop.CancelAsync();
            },
        };
        using OpenVault target = CopyWorld.Open(faulty, isTwin: false, seed: 2);
        using VaultSecret secret = VaultFixture.Secret("export");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => ImportRun.RunAsync(target, new MemoryStream(export), secret, new ImportRequest { Name = "file", Host = "there" }, stop.Token));
        Assert.DoesNotContain(store.Names, static name => name.StartsWith("points/", StringComparison.Ordinal) || name.StartsWith("leases/", StringComparison.Ordinal));
        // What was put by then is not put again.
        string[] packs = [.. store.Names.Where(static name => name.StartsWith("data/", StringComparison.Ordinal))];
        using OpenVault next = CopyWorld.Open(store, isTwin: false, seed: 3);
        await ImportAsync(next, export);
        Assert.Equal(packs, store.Names.Where(static name => name.StartsWith("data/", StringComparison.Ordinal)));
    }

    /// What it is laid over is what it is compared with; laid over nothing, it is a full.
    [Fact]
    public async Task KindAndBaseAreThoseOfWhatTheExportIsLaidOver()
    {
        using RepairWorld world = await RepairWorld.CreateAsync(new Random(Seed));
        using OpenVault from = await FaultWorld.OpenAsync(world.Whole, seed: 1);
        await BackupRun.RunAsync(from, FaultWorld.Request(world.Tree, PointKind.Differential), Token);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(from, Token);
        (RestorePoint full, RestorePoint incremental, RestorePoint differential) = (points[0], points[1], points[^1]);
        Assert.Equal(
            (PointKind.Full, PointKind.Incremental, PointKind.Differential, full.Id), (full.Kind, incremental.Kind, differential.Kind, differential.Base!.Value));

        Assert.Equal((PointKind.Full, null), await KindAsync(from, incremental, null));
        Assert.Equal((PointKind.Incremental, full.Id), await KindAsync(from, incremental, full));
        Assert.Equal((PointKind.Differential, full.Id), await KindAsync(from, differential, full));
        Assert.Equal((PointKind.Incremental, incremental.Id), await KindAsync(from, differential, incremental));
    }

    /// <summary>What kind of point an export becomes in another vault, and where its base was made.</summary>
    private static async Task<(PointKind Kind, SessionId? Base)> KindAsync(OpenVault from, RestorePoint point, RestorePoint? since)
    {
        using OpenVault vault = CopyWorld.Open(new MemoryObjectStore(), isTwin: false, seed: 4);
        if (since is not null) await ImportAsync(vault, await ExportAsync(from, since, null));
        SessionId id = (await ImportAsync(vault, await ExportAsync(from, point, since))).Point;
        IReadOnlyList<RestorePoint> made = await RestorePoints.ListAsync(vault, Token);
        RestorePoint imported = made.Single(each => each.Id == id);
        return (imported.Kind, made.SingleOrDefault(each => each.Id == imported.Base)?.Origin?.Point);
    }

    /// Content that stays is read where it may not be relied on.
    [Fact]
    public async Task AnImportOverAPointTakesAKeyThatReads()
    {
        using RoleWorld there = new(), here = new();
        (string path, DirectoryTree tree) = there.Source("src", ("file", TestKeys.Content(5000)), ("other", TestKeys.Content(100)));
        await there.BackupAsync(there.Root, tree);
        File.Delete(Path.Combine(path, "other"));
        await there.BackupAsync(there.Root, tree);
        using OpenVault from = await there.OpenAsync(there.Root);
        IReadOnlyList<RestorePoint> points = await RestorePoints.ListAsync(from, Token);
        byte[] whole = await ExportAsync(from, points[0], null), changes = await ExportAsync(from, points[1], points[0]);
        using OpenVault add = await here.OpenAsync(await here.AddAsync(KeyRole.Add)), root = await here.OpenAsync(here.Root);

        await ImportAsync(add, whole);
        string[] names = here.Store.Names;
        Assert.Equal(ErrorKind.WrongKey, (await Assert.ThrowsAsync<HoldfastException>(() => ImportAsync(add, changes))).Kind);
        Assert.Equal(names, here.Store.Names);
        ImportSummary made = await ImportAsync(root, changes);
        await here.AssertIsAsync(here.Root, made.Point, path);
    }

    private static async Task<byte[]> ExportAsync(OpenVault vault, RestorePoint point, RestorePoint? since)
    {
        using VaultSecret secret = VaultFixture.Secret("export");
        using var output = new MemoryStream();
        await ExportRun.RunAsync(vault, point, since, output, secret, new WorkProgress(), Token);
        return output.ToArray();
    }

    private static async Task<ImportSummary> ImportAsync(OpenVault vault, byte[] export)
    {
        using VaultSecret secret = VaultFixture.Secret("export");
        return await ImportRun.RunAsync(vault, new MemoryStream(export), secret, new ImportRequest { Name = "file", Host = "there" }, Token);
    }
}
