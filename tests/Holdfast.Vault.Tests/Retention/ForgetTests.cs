using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Vault.Tests.Retention;

/// What forgetting does to a vault, and what it leaves alone.
public sealed class ForgetTests : IDisposable
{
    private static readonly RetentionPolicy LastOne = RetentionPoints.Policy(new RetentionRule(RetentionPeriod.Each, 1));
    private readonly VaultFixture fixture = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task AForgottenPointIsGoneFromEverywhereAndCanBeBroughtBack()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId first = await BackUpAsync(vault, "a", 1), second = await BackUpAsync(vault, "b", 2);

        ForgetPlan done = await ForgetRun.RunAsync(vault, Request(LastOne), Stop);

        Assert.Equal([first], done.Dropped.Select(point => point.Id));
        Assert.Equal([second], await PointsAsync(vault));
        Assert.Equal([first], (await RestorePoints.ListForgottenAsync(vault, Stop)).Select(forgotten => forgotten.Point.Id));
        Assert.Empty((await ForgetRun.RunAsync(vault, Request(LastOne), Stop)).Dropped);
        Assert.Single(Marks());
        using OpenVault again = await fixture.OpenAsync();
        Assert.Equal([first], await PointState.UndeleteAsync(again, [first, second], Stop));
        Assert.Equal([first, second], await PointsAsync(vault));
        await fixture.RestoreAsync(vault, first, "restored");
        Assert.Empty(await PointState.UndeleteAsync(again, [first], Stop));
        Assert.Equal(2, Marks().Length);
        Assert.Empty((await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, Stop)).Damages);
    }

    [Fact]
    public async Task ADifferentialRestoresWithoutTheFullThatItNames()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId full = await BackUpAsync(vault, "a", 1);
        await BackUpAsync(vault, "b", 2);
        Write("c", 3);
        BackupSummary differential = await fixture.BackupAsync(vault, request => request with { Kind = PointKind.Differential });
        TreeSnapshot source = TreeSnapshot.Take(fixture.Source);
        Assert.Equal(full, differential.Base);

        await ForgetRun.RunAsync(vault, Request(LastOne), Stop);
        // Even what prune will take away: the point's own objects. What it needs, its references keep.
        foreach (string name in (string[])[$"points/{full}", $"refs/{full}"]) await fixture.Store.DeleteAsync(name, Stop);
        using OpenVault fresh = await fixture.OpenAsync();
        RestoreSummary restored = await fixture.RestoreAsync(fresh, differential.Point!.Value, "restored");

        Assert.Equal(0, restored.Errors + restored.Damaged);
        TreeCompare.AssertEqual(source, TreeSnapshot.Take(fixture.PathOf("restored")));
        BackupSummary next = await fixture.BackupAsync(fresh, request => request with { Kind = PointKind.Differential });
        Assert.Equal(PointKind.Full, next.Kind);
        // Content is not stored again; a directory may be, with the change times that were too fresh before.
        Assert.InRange(next.Counts.BytesAdded, 0, 5_000);
    }

    [Fact]
    public async Task APointOnHoldIsKeptUntilItIsReleased()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId first = await BackUpAsync(vault, "a", 1), second = await BackUpAsync(vault, "b", 2);
        await PointState.HoldAsync(vault, [first], null, "audit", Stop);

        Assert.Empty((await ForgetRun.RunAsync(vault, Request(LastOne), Stop)).Dropped);
        HoldfastException refused = await Assert.ThrowsAsync<HoldfastException>(() => ForgetRun.RunAsync(vault, Request(first), Stop));
        Assert.Equal(ErrorKind.Refused, refused.Kind);
        Assert.Contains("audit", refused.Message, StringComparison.Ordinal);
        Assert.Equal([first, second], await PointsAsync(vault));
        Assert.Equal("audit", (await RestorePoints.ListAsync(vault, Stop))[0].Hold?.Reason);
        Assert.Equal([first], await PointState.ReleaseAsync(vault, [first, second], Stop));
        Assert.Empty(await PointState.ReleaseAsync(vault, [first], Stop));
        Assert.Equal([first], (await ForgetRun.RunAsync(vault, Request(first), Stop)).Dropped.Select(point => point.Id));
        HoldfastException gone = await Assert.ThrowsAsync<HoldfastException>(() => PointState.HoldAsync(vault, [first], null, "", Stop));
        Assert.Equal(ErrorKind.Refused, gone.Kind);
    }

    [Fact]
    public async Task AHoldThatHasEndedIsNotShownAndKeepsNothing()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId first = await BackUpAsync(vault, "a", 1);
        await BackUpAsync(vault, "b", 2);
        await PointState.HoldAsync(vault, [first], DateTimeOffset.UnixEpoch.AddDays(1), "audit", Stop);

        Assert.All(await RestorePoints.ListAsync(vault, Stop), point => Assert.Null(point.Hold));
        Assert.Equal([first], (await ForgetRun.RunAsync(vault, Request(LastOne), Stop)).Dropped.Select(point => point.Id));
    }

    /// Goal: a hold that comes while a policy is carried out is heeded.
    [Fact]
    public async Task AHoldThatComesBetweenPlanAndDeedIsHeeded()
    {
        var memory = new MemoryObjectStore(new SimulatedClock());
        using VaultSecret secret = VaultFixture.Secret();
        using OpenVault other = await OpenVault.InitAsync(fixture.Host, memory, secret, "first", Stop);
        SessionId first = await BackUpAsync(other, "a", 1), second = await BackUpAsync(other, "b", 2);
        var store = new FaultyObjectStore(memory);
        store.Before(StoreMethod.Put, 1, _ => PointState.HoldAsync(other, [first], null, "late", Stop));
        using OpenVault vault = await OpenVault.OpenAsync(fixture.Host, store, secret, cancellationToken: Stop);

        ForgetPlan done = await ForgetRun.RunAsync(vault, Request(LastOne), Stop);

        Assert.Empty(done.Dropped);
        Assert.Equal([first, second], await PointsAsync(other));
    }

    [Fact]
    public async Task NoGroupLosesAllOfItsPointsUnlessThatIsMeant()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId first = await BackUpAsync(vault, "a", 1), second = await BackUpAsync(vault, "b", 2);
        SessionId elsewhere = (await fixture.BackupAsync(vault, request => request with { Host = "there", Tags = ["keep"] })).Point!.Value;
        var tagged = new RetentionPolicy { KeepTags = ["keep"] };

        foreach (ForgetRequest request in (ForgetRequest[])[Request(tagged), Request(first, second), Request(elsewhere)])
        {
            HoldfastException refused = await Assert.ThrowsAsync<HoldfastException>(() => ForgetRun.RunAsync(vault, request, Stop));
            Assert.Equal(ErrorKind.Refused, refused.Kind);
            Assert.Empty(Marks());
        }

        Assert.Equal(2, (await ForgetRun.RunAsync(vault, Request(tagged) with { Grouping = PointGrouping.None }, Stop)).Dropped.Count());
        Assert.Single((await ForgetRun.RunAsync(vault, Request(elsewhere) with { AllowsEmptyGroups = true }, Stop)).Dropped);
        Assert.Empty(await PointsAsync(vault));
        Assert.Empty((await ForgetRun.RunAsync(vault, Request(LastOne), Stop)).Groups);
    }

    [Fact]
    public async Task OnlyTheSelectedPointsAreAskedAbout()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId first = await BackUpAsync(vault, "a", 1), second = await BackUpAsync(vault, "b", 2);
        foreach (string host in (string[])["there", "there"]) await fixture.BackupAsync(vault, request => request with { Host = host });

        await ForgetRun.RunAsync(vault, Request(LastOne) with { Selects = point => point.Host == "there" }, Stop);

        Assert.Equal(3, (await PointsAsync(vault)).Length);
        Assert.Equal([first, second], (await PointsAsync(vault))[..2]);
        HoldfastException absent = await Assert.ThrowsAsync<HoldfastException>(() => ForgetRun.RunAsync(vault, Request(new SessionId(1, 1)), Stop));
        Assert.Equal(ErrorKind.Usage, absent.Kind);
    }

    [Fact]
    public async Task AnUnreadableMarkStopsForgettingAndAnUnreadablePointIsLeftAlone()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId first = await BackUpAsync(vault, "a", 1), second = await BackUpAsync(vault, "b", 2), third = await BackUpAsync(vault, "c", 3);
        Flip($"points/{third}");
        Assert.Equal([first], (await ForgetRun.RunAsync(vault, Request(LastOne), Stop)).Dropped.Select(point => point.Id));
        Assert.Equal([second], await PointsAsync(vault));
        Flip("marks/00000000");

        HoldfastException refused = await Assert.ThrowsAsync<HoldfastException>(() => ForgetRun.RunAsync(vault, Request(LastOne), Stop));

        Assert.Equal(ErrorKind.Damage, refused.Kind);
        Assert.Equal([first, second], await PointsAsync(vault));
        CheckReport check = await CheckRun.RunAsync(vault, new CheckRequest(), Stop);
        Assert.Equal(["marks/00000000", $"points/{third}"], check.Damages.Select(damage => damage.ObjectName));
    }

    [Fact]
    public async Task WhatComesFreeIsWhatNoOtherPointNeeds()
    {
        using OpenVault vault = await fixture.InitAsync();
        Write("gone", 300_000, seed: 1);
        Write("stays", 200_000, seed: 2);
        SessionId first = (await fixture.BackupAsync(vault)).Point!.Value;
        File.Delete(Path.Combine(fixture.Source, "gone"));
        Write("new", 400_000, seed: 3);
        SessionId second = (await fixture.BackupAsync(vault)).Point!.Value;
        File.Delete(Path.Combine(fixture.Source, "new"));
        SessionId third = (await fixture.BackupAsync(vault)).Point!.Value;
        PointTotals ofFirst = await VaultStats.OfPointAsync(vault, (await RestorePoints.ListAsync(vault, Stop))[0], Stop);

        FreedSpace one = await MeasureAsync(vault, first), two = await MeasureAsync(vault, second), both = await MeasureAsync(vault, first, second);

        Assert.Equal((ofFirst.Unique.Chunks, false), (one.Chunks, one.IsEstimate));
        // The second point's packs are its own; of the first's packs of data a part is needed on.
        Assert.InRange(one.Bytes, 300_000, 303_000);
        Assert.True(one.PartPacks > 0 && one.PartPackBytes >= 290_000, one.ToString());
        Assert.Equal(SizeOfPacks(second), two.Bytes);
        Assert.Equal((0, 0L), (two.PartPacks, two.PartPackBytes));
        Assert.InRange(both.Bytes, one.Bytes + two.Bytes, one.Bytes + two.Bytes + 10_000);
        Assert.Empty(Marks());

        // What another point needs too does not come free; a directory with change times that were too fresh may be its own.
        await fixture.BackupAsync(vault);
        Assert.InRange((await MeasureAsync(vault, third)).Bytes, 0, 2_000);
        // What is forgotten already keeps nothing.
        await ForgetRun.RunAsync(vault, Request(second), Stop);
        Assert.InRange((await MeasureAsync(vault, first, third)).Bytes, 300_000, 305_000);
    }

    [Fact]
    public async Task ALostListOfReferencesMakesItAnEstimate()
    {
        using OpenVault vault = await fixture.InitAsync();
        SessionId first = await BackUpAsync(vault, "a", 1), second = await BackUpAsync(vault, "b", 2);
        await fixture.Store.DeleteAsync($"refs/{second}", Stop);

        FreedSpace freed = await MeasureAsync(vault, first);

        Assert.True(freed.IsEstimate);
        Assert.Contains(vault.Damages, damage => damage.Contains($"refs/{second}", StringComparison.Ordinal));
    }

    private static ForgetRequest Request(RetentionPolicy policy) => new() { Policy = policy, Zone = TimeZoneInfo.Utc };

    private static ForgetRequest Request(params SessionId[] points) => new() { Points = points, Zone = TimeZoneInfo.Utc };

    private static async Task<FreedSpace> MeasureAsync(OpenVault vault, params SessionId[] points) =>
        (await ForgetRun.PlanAsync(vault, Request(points) with { MeasuresSpace = true }, Stop)).Freed!;

    private static async Task<SessionId[]> PointsAsync(OpenVault vault) => [.. (await RestorePoints.ListAsync(vault, Stop)).Select(point => point.Id)];

    private async Task<SessionId> BackUpAsync(OpenVault vault, string name, int seed)
    {
        Write(name, 50_000, seed);
        return (await fixture.BackupAsync(vault)).Point!.Value;
    }

    private void Write(string name, int bytes, int seed = 0)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        File.WriteAllBytes(Path.Combine(fixture.Source, name), content);
    }

    private string[] Marks() => Directory.Exists(Path.Combine(fixture.VaultPath, "marks")) ? Directory.GetFiles(Path.Combine(fixture.VaultPath, "marks")) : [];

    private long SizeOfPacks(SessionId session) => ((string[])["data", "trees"])
        .SelectMany(kind => Directory.GetFiles(Path.Combine(fixture.VaultPath, kind, session.ToString()))).Sum(path => new FileInfo(path).Length);

    private void Flip(string name)
    {
        string path = Path.Combine(fixture.VaultPath, name);
        byte[] content = File.ReadAllBytes(path);
        content[^1] ^= 1;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, content);
    }
}
