using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Pruning;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Tests.Pruning;

public sealed class PruneTests : IDisposable
{
    private static readonly TimeSpan AfterDeath = Lease.Lifetime + TimeSpan.FromMinutes(5);
    private readonly PruneWorld world = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task WhatNoPointNeedsIsGoneAndTheRestRestores()
    {
        world.Write("gone", 300_000, 1);
        SessionId first = await world.BackUpAsync();
        world.Delete("gone");
        world.Write("stays", 200_000, 2);
        SessionId second = await world.BackUpAsync();
        await world.ForgetAsync(first);

        PrunePlan plan = await PruneRun.PlanAsync(await world.OpenAsync(), new PruneRequest { MaxUnusedBytes = 0 }, Stop);
        string[] before = world.Store.Names;
        PruneSummary done = await world.PruneAsync();

        Assert.NotEmpty(before);
        Assert.Equal((1, 1), (plan.Points, done.Points));
        Assert.Equal((plan.UnneededPacks + plan.MovedPacks, plan.UnneededBytes + plan.MovedPackBytes), (done.Packs, done.PackBytes));
        Assert.InRange(done.PackBytes, 300_000, 320_000);
        Assert.Equal([second], await world.AssertWholeAsync());
        await world.AssertIsNewestAsync(second);
        Assert.Empty(world.Names($"data/{first}"));
        Assert.Empty(world.Names($"trees/{first}"));
        Assert.Empty(world.Names($"index/{first}"));
        Assert.Equal([$"refs/{second}"], world.Names("refs/"));
        Assert.Equal([$"points/{second}"], world.Names("points/"));
        Assert.Empty(world.Names("leases/"));
        Assert.Equal(0, (await world.PruneAsync()).Packs);
    }

    /// As a repair replaces them, which may name other packs.
    [Fact]
    public async Task ReferencesThatWereReplacedMeanwhileAreReadAgain()
    {
        world.Write("a", 100_000, 1);
        SessionId first = await world.BackUpAsync();
        OpenVault vault = await world.OpenAsync();
        var live = new LiveSet(vault, new PruneBudget(new PruneRequest(), world.Clock));
        await live.RefreshAsync(static _ => false, Stop);
        ReferenceSet references = (await ReferenceSet.TryReadAsync(vault, first, Stop))!;
        var elsewhere = new PackId(ObjectKind.DataPack, SessionId.Create(vault.Host.Entropy), 0);
        references.Add(elsewhere, 8, 3);
        string name = ReferenceSet.Name(first);
        await vault.Store.DeleteAsync(name, Stop);
        await vault.Store.PutIfAbsentAsync(name, vault.Sealer.Seal(ObjectKind.References, name, references.Encode()), Stop);

        Assert.DoesNotContain(elsewhere, live.Needed.Packs);
        await live.RefreshAsync(static _ => false, Stop);

        Assert.Contains(elsewhere, live.Needed.Packs);
    }

    /// A pack is the least that is done: what was begun is brought to its end, and the next prune goes on.
    [Fact]
    public async Task ALongMoveEndsWhenItsTimeIsOver()
    {
        SessionId kept = await FillPacksInPartAsync();
        var reads = new Dictionary<string, int>(StringComparer.Ordinal);
        world.Faulty.BeforeEach = call =>
        {
            if (call.Method != StoreMethod.Read || !call.Name.StartsWith("data/", StringComparison.Ordinal)) return Task.CompletedTask;
            lock (reads)
            {
                // Two for its footer; what is read behind that is moved, and takes a minute each.
                reads[call.Name] = reads.GetValueOrDefault(call.Name) + 1;
                if (reads[call.Name] > 2) world.Clock.Advance(TimeSpan.FromMinutes(1));
            }

            return Task.CompletedTask;
        };

        PruneSummary done = await world.PruneAsync(static request => request with { MaxTime = TimeSpan.FromMinutes(3) });
        world.Faulty.BeforeEach = null;

        Assert.Equal(PruneLimit.Time, done.StoppedBy);
        await AssertGoesOnAsync(done, kept);
    }

    [Fact]
    public async Task ALongMoveEndsWhenItsRequestsAreMade()
    {
        SessionId kept = await FillPacksInPartAsync();
        PruneSummary done;
        // What is read before anything is moved counts too.
        for (int requests = 60; ; requests += 10)
        {
            done = await world.PruneAsync(request => request with { MaxRequests = requests });
            Assert.Equal(PruneLimit.Requests, done.StoppedBy);
            if (done.MovedPacks > 0) break;
        }

        await AssertGoesOnAsync(done, kept);
    }

    private async Task<SessionId> FillPacksInPartAsync()
    {
        const int packs = 24;
        var points = new List<SessionId>();
        for (int i = 0; i < packs; i++)
        {
            world.Write($"keep{i}", 60_000, 2 * i);
            world.Write($"go{i}", 60_000, (2 * i) + 1);
            points.Add(await world.BackUpAsync());
        }

        for (int i = 0; i < packs; i++) world.Delete($"go{i}");
        SessionId kept = await world.BackUpAsync();
        await world.ForgetAsync([.. points]);
        return kept;
    }

    private async Task AssertGoesOnAsync(PruneSummary done, SessionId kept)
    {
        Assert.True(done.MovedPacks > 0 && done.MovedPacks < done.Plan.MovedPacks, $"{done.MovedPacks} of {done.Plan.MovedPacks} moved");
        Assert.Equal([kept], await world.AssertWholeAsync());
        PruneSummary rest = await world.PruneAsync();
        Assert.Equal((PruneLimit.None, rest.Plan.MovedPacks), (rest.StoppedBy, rest.MovedPacks));
        Assert.Equal([kept], await world.AssertWholeAsync());
        Assert.Equal(0, (await world.PruneAsync()).MovedPacks);
    }

    [Fact]
    public async Task APlanChangesNothing()
    {
        world.Write("a", 100_000, 1);
        await world.ForgetAsync(await world.BackUpAsync());
        string[] before = world.Store.Names;

        PrunePlan plan = await PruneRun.PlanAsync(await world.OpenAsync(), new PruneRequest(), Stop);

        Assert.True(plan.UnneededPacks > 0 && plan.FreedBytes >= 100_000);
        Assert.Equal(before, world.Store.Names);
    }

    [Fact]
    public async Task AForgottenPointStaysThroughTheUndeleteWindow()
    {
        world.Write("a", 100_000, 1);
        SessionId point = await world.BackUpAsync();
        await VaultSettings.ChangeAsync(await world.OpenAsync(), settings => settings with { UndeleteWindow = TimeSpan.FromDays(7) }, Stop);
        await world.ForgetAsync(point);

        PruneSummary early = await world.PruneAsync();
        Assert.Equal((0, 0, 1), (early.Points, early.Packs, early.Plan.PointsInWindow));
        await PointState.UndeleteAsync(await world.OpenAsync(), [point], Stop);
        Assert.Equal([point], await world.AssertWholeAsync());
        await world.ForgetAsync(point);
        world.Clock.Advance(TimeSpan.FromDays(7));
        Assert.Equal(1, (await world.PruneAsync()).Points);

        Assert.Empty(await world.AssertWholeAsync());
        Assert.Empty(world.Names("data/"));
        Assert.Empty(world.Names("trees/"));
    }

    [Fact]
    public async Task ASessionAtWorkKeepsWhatItRefersTo()
    {
        world.Write("a", 100_000, 1);
        SessionId old = await world.BackUpAsync();
        await using WriteSession session = await world.BeginSessionAsync();
        byte[] content = File.ReadAllBytes(Path.Combine(world.SourcePath, "a"));
        Assert.True(await RefersAsync(session, content));
        await world.ForgetAsync(old);

        PruneSummary first = await world.PruneAsync();
        Assert.Equal("elsewhere", Assert.Single(first.WaitsFor).Host);
        Assert.True(first.WaitingPacks > 0);
        Assert.NotEmpty(world.Names($"data/{old}"));
        // It refers to what is condemned, so its lease honours that no more than before.
        for (int i = 0; i < 6; i++) await RenewAsync(session);
        Assert.Single((await world.PruneAsync()).WaitsFor);

        await session.EndAsync(Stop);
        PruneSummary last = await world.PruneAsync();
        Assert.Empty(last.WaitsFor);
        Assert.Empty(world.Names($"data/{old}"));
    }

    /// Goal: a session that a prune could not see when it chose what goes is waited for, and its point keeps what it needs.
    [Fact]
    public async Task ASessionThatBeganSinceLeasesWereListedIsWaitedFor()
    {
        world.Write("a", 100_000, 1);
        SessionId old = await world.BackUpAsync();
        byte[] content = File.ReadAllBytes(Path.Combine(world.SourcePath, "a"));
        await world.ForgetAsync(old);
        WriteSession? session = null;
        bool isBegun = false;
        world.Faulty.AfterEach = async call =>
        {
            if (isBegun || call is not { Method: StoreMethod.List, Name: "leases/" }) return;
            isBegun = true;
            session = await world.BeginSessionAsync();
            Assert.True(await RefersAsync(session, content));
        };

        PruneSummary first = await world.PruneAsync();
        Assert.Equal(session!.Id, Assert.Single(first.WaitsFor).Session);
        await CommitAsync(session);
        await session.DisposeAsync();
        PruneSummary second = await world.PruneAsync();

        Assert.Empty(second.WaitsFor);
        Assert.NotEmpty(world.Names("data/"));
    }

    [Fact]
    public async Task ASessionThatNeedsNothingThatIsCondemnedHoldsNothingUp()
    {
        world.Write("a", 100_000, 1);
        SessionId old = await world.BackUpAsync();
        byte[] content = File.ReadAllBytes(Path.Combine(world.SourcePath, "a"));
        await using WriteSession session = await world.BeginSessionAsync();
        await world.ForgetAsync(old);

        Assert.Single((await world.PruneAsync()).WaitsFor);
        await RenewAsync(session);
        // From now on it does not use it either.
        Assert.False(await RefersAsync(session, content));
        PruneSummary second = await world.PruneAsync();

        Assert.Empty(second.WaitsFor);
        Assert.Empty(world.Names($"data/{old}"));
    }

    [Fact]
    public async Task WhatAPointNeedsThatCameMeanwhileIsReprieved()
    {
        world.Write("a", 100_000, 1);
        SessionId old = await world.BackUpAsync();
        await using WriteSession session = await world.BeginSessionAsync();
        byte[] content = File.ReadAllBytes(Path.Combine(world.SourcePath, "a"));
        Assert.True(await RefersAsync(session, content));
        await world.ForgetAsync(old);
        Assert.NotEmpty((await world.PruneAsync()).WaitsFor);

        await CommitAsync(session);
        PruneSummary second = await world.PruneAsync();

        Assert.Equal((0, 0), (second.WaitingPacks, second.WaitsFor.Count));
        Assert.NotEmpty(world.Names($"data/{old}"));
        using OpenVault vault = await world.OpenAsync();
        Assert.DoesNotContain((await Removals.ReadAsync(vault, null, Stop)).Packs.Keys, pack => pack.Session == old && pack.Kind == ObjectKind.DataPack);
    }

    /// Goal: a session that was suspended for long and wakes up cannot make a point of what is gone.
    [Fact]
    public async Task ADeadSessionMakesNoPointAnyMore()
    {
        world.Write("a", 100_000, 1);
        SessionId old = await world.BackUpAsync();
        await using WriteSession session = await world.BeginSessionAsync();
        Assert.True(await RefersAsync(session, File.ReadAllBytes(Path.Combine(world.SourcePath, "a"))));
        await world.ForgetAsync(old);
        await session.DisposeAsync();
        world.Clock.Advance(AfterDeath);

        PruneSummary done = await world.PruneAsync();

        Assert.Empty(done.WaitsFor);
        Assert.Empty(world.Names("data/"));
        Assert.Empty(world.Names("leases/"));
        HoldfastException dead = await Assert.ThrowsAsync<HoldfastException>(() => session.CommitAsync([1, 2, 3], Stop));
        Assert.Contains("for dead", dead.Message, StringComparison.Ordinal);
        Assert.Empty(await world.AssertWholeAsync());
    }

    [Fact]
    public async Task WhoWaitsIsDoneWhenTheLastSessionIs()
    {
        world.Write("a", 100_000, 1);
        SessionId old = await world.BackUpAsync();
        WriteSession session = await world.BeginSessionAsync();
        Assert.True(await RefersAsync(session, File.ReadAllBytes(Path.Combine(world.SourcePath, "a"))));
        await world.ForgetAsync(old);

        Task<PruneSummary> pruning = world.PruneAsync(request => request with { Waits = true });
        await PassTimeAsync(TimeSpan.FromMinutes(20), () => pruning.IsCompleted);
        Assert.False(pruning.IsCompleted);
        await session.EndAsync(Stop);
        await PassTimeAsync(TimeSpan.FromMinutes(20), () => pruning.IsCompleted);

        Assert.Empty((await pruning).WaitsFor);
        Assert.Empty(world.Names("data/"));
        await session.DisposeAsync();
    }

    [Theory]
    [InlineData("points/")]
    [InlineData("refs/")]
    [InlineData("marks/")]
    [InlineData("settings/")]
    public async Task WhatCannotBeReadStopsAPrune(string prefix)
    {
        world.Write("a", 100_000, 1);
        SessionId first = await world.BackUpAsync();
        world.Write("b", 100_000, 2);
        await world.BackUpAsync();
        await VaultSettings.ChangeAsync(await world.OpenAsync(), settings => settings with { UndeleteWindow = TimeSpan.FromSeconds(1) }, Stop);
        await world.ForgetAsync(first);
        string name = world.Names(prefix)[^1].Replace(first.ToString(), world.Names("points/").Last(point => point != $"points/{first}")[7..], StringComparison.Ordinal);
        world.Faulty.FlipByte(name, 100);

        HoldfastException refused = await Assert.ThrowsAnyAsync<HoldfastException>(() => world.PruneAsync());

        Assert.Equal(ErrorKind.Damage, refused.Kind);
        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
        Assert.NotEmpty(world.Names($"data/{first}"));
        world.Faulty.Heal(name);
        Assert.Equal(1, (await world.PruneAsync()).Points);
        Assert.Single(await world.AssertWholeAsync());
    }

    [Fact]
    public async Task AMissingPackThatIsNeededStopsAPrune()
    {
        world.Write("a", 100_000, 1);
        SessionId first = await world.BackUpAsync();
        world.Write("b", 100_000, 2);
        await world.BackUpAsync();
        await world.ForgetAsync(first);
        string pack = world.Names($"data/{first}")[0];
        world.Faulty.Hide(pack);

        HoldfastException refused = await Assert.ThrowsAsync<HoldfastException>(() => world.PruneAsync());

        Assert.Equal(ErrorKind.Damage, refused.Kind);
        Assert.Contains(pack, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALostRemovalStopsPrunesAndNoBackup()
    {
        await PruneOftenAsync(3);
        world.Faulty.Hide(world.Names("removals/")[0]);

        HoldfastException refused = await Assert.ThrowsAsync<HoldfastException>(() => world.PruneAsync());

        Assert.Equal(ErrorKind.Damage, refused.Kind);
        await world.BackUpAsync();
    }

    [Fact]
    public async Task RemovalsStayFew()
    {
        await PruneOftenAsync(12);

        Assert.InRange(world.Names("removals/").Length, 1, 10);
        Assert.NotEqual("removals/00000000", world.Names("removals/")[0]);
        Assert.Single(await world.AssertWholeAsync());
    }

    [Fact]
    public async Task APruneThatIsCutOffAnywhereIsDoneByTheNext()
    {
        for (int cutAt = 1; ; cutAt++)
        {
            using var place = new PruneWorld();
            place.Write("gone", 40_000, 1);
            place.Write("stays", 40_000, 3);
            SessionId first = await place.BackUpAsync();
            place.Delete("gone");
            place.Write("other", 40_000, 2);
            SessionId second = await place.BackUpAsync();
            await place.ForgetAsync(first);
            int calls = 0;
            place.Faulty.BeforeEach = call => Interlocked.Increment(ref calls) >= cutAt
                ? throw new ObjectStoreException($"cut off at call {cutAt}: {call.Method} {call.Name}", isRetriable: true) : Task.CompletedTask;
            bool isDone = false;
            try
            {
                await place.PruneAsync();
                isDone = calls < cutAt;
            }
            catch (ObjectStoreException)
            {
                // The world ends there.
            }

            place.Faulty.BeforeEach = null;
            Assert.Equal([second], await place.AssertWholeAsync());
            place.Clock.Advance(AfterDeath);
            await place.PruneAsync();
            await place.PruneAsync();

            await place.AssertIsNewestAsync(second);
            Assert.Equal([second], await place.AssertWholeAsync());
            Assert.Empty(place.Names($"trees/{first}"));
            Assert.Empty(place.Names($"points/{first}"));
            Assert.Empty(place.Names("leases/"));
            if (isDone) return;
        }
    }

    private static async Task<bool> RefersAsync(WriteSession session, byte[] content)
    {
        int cut = session.Vault.Chunker.FirstCut(content);
        return await session.TryReferenceAsync(session.Vault.DataIdentity.Of(content.AsSpan(0, cut)), ObjectKind.DataPack, Stop);
    }

    /// An empty point that needs what the session refers to.
    private static async Task CommitAsync(WriteSession session)
    {
        (ReferenceSet references, _) = await session.SettleAsync(Stop);
        await session.PutObjectAsync(ObjectKind.References, ReferenceSet.Name(session.Id), references.Encode(), Stop);
        var point = new RestorePoint
        {
            Id = session.Id,
            Time = default,
            Received = default,
            EffectiveTime = default,
            Kind = PointKind.Full,
            Base = null,
            Host = "elsewhere",
            Roots = ["/x"u8.ToArray()],
            Tags = [],
            Program = "",
            References = session.Id,
            Tree = Content.Empty,
            Changes = Content.Empty,
            Counts = new BackupCounts(),
        };
        await session.CommitAsync(PointCodec.Encode(point), Stop);
        await session.EndAsync(Stop);
    }

    /// Lets the clock of the world go on until the session's lease is another.
    private async Task RenewAsync(WriteSession session)
    {
        string[] before = world.Names($"leases/{session.Id}");
        world.Clock.Advance(Lease.Lifetime / 4);
        while (world.Names($"leases/{session.Id}").SequenceEqual(before)) await Task.Yield();
    }

    private async Task PassTimeAsync(TimeSpan time, Func<bool> isEnough)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time && !isEnough(); passed += TimeSpan.FromSeconds(5))
        {
            world.Clock.Advance(TimeSpan.FromSeconds(5));
            for (int i = 0; i < 200; i++) await Task.Yield();
        }
    }

    private async Task PruneOftenAsync(int times)
    {
        SessionId? last = null;
        for (int i = 0; i < times; i++)
        {
            world.Write("a", 50_000, i);
            SessionId next = await world.BackUpAsync();
            if (last is { } old) await world.ForgetAsync(old);
            await world.PruneAsync();
            last = next;
        }
    }
}
