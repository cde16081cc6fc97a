using System.Text;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Tests.Checking;

namespace Holdfast.Vault.Tests.Repairing;

/// Where a repair takes lost content from, and what it does with what nobody has.
public sealed class RepairSourcesTests : IDisposable
{
    private readonly VaultFixture fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task TheSourceGivesBackWhatItStillHasAndNothingElse()
    {
        (OpenVault vault, SessionId point) = await MakeAsync();
        using OpenVault _ = vault;
        // The same place holds other bytes now: they must not be taken for what is lost.
        string changed = Path.Combine(fixture.Source, "d1/f2");
        byte[] content = File.ReadAllBytes(changed);
        content[70_000] ^= 1;
        File.WriteAllBytes(changed, content);
        fixture.DeleteAll("data/");

        RepairSummary summary = await RepairAsync(request => request with { ReadsSource = true });
        Assert.True(summary.ChunksHealed > 0);
        CheckReport report = await CheckAsync();
        AffectedPath[] affected = [.. report.Damages.SelectMany(damage => damage.Affected)];
        Assert.NotEmpty(affected);
        Assert.All(affected, path => Assert.Equal(changed, Encoding.UTF8.GetString(path.Path.Span)));
        Assert.All(affected, path => Assert.All(path.Ranges, range => Assert.True(range.Offset <= 70_000 && range.Offset + range.Length > 70_000)));
        using OpenVault after = await fixture.OpenAsync();
        RestoreSummary restored = await fixture.RestoreAsync(after, point, "to");
        Assert.Equal(1, restored.Damaged);
    }

    [Fact]
    public async Task AVaultWithOtherKeysGivesBackTheRangesOfFiles()
    {
        (OpenVault vault, SessionId point) = await MakeAsync();
        using OpenVault _ = vault;
        // Of a larger file, so that it is cut elsewhere in the other vault.
        TreeSnapshot before = TreeSnapshot.Take(fixture.Source);
        using OpenVault other = await OtherAsync();
        await fixture.BackupAsync(other);
        fixture.DeleteAll("data/");
        foreach (string file in Directory.EnumerateFiles(fixture.Source, "*", SearchOption.AllDirectories)) File.Delete(file);

        await RepairAsync(request => request with { From = other });
        Assert.Empty((await CheckAsync()).Damages);
        using OpenVault after = await fixture.OpenAsync();
        await fixture.RestoreAsync(after, point, "to");
        TreeCompare.AssertEqual(before, TreeSnapshot.Take(fixture.PathOf("to")));
    }

    [Fact]
    public async Task APointIsWrittenAnewWithoutWhatIsLostAndTheOldOneForgotten()
    {
        (OpenVault vault, SessionId point) = await MakeAsync();
        using OpenVault _ = vault;
        RestorePoint old = RestorePoints.Find(await RestorePoints.ListAsync(vault, Token), point.ToString());
        PackFooter footer = await FooterAsync(vault);
        PackGroup group = footer.Groups[^1];
        fixture.Flip(footer.Pack.ObjectName, group.Offset + 5);
        string[] lost = [.. (await CheckAsync()).Damages.SelectMany(damage => damage.Affected).Select(path => Encoding.UTF8.GetString(path.Path.Span)).Distinct()];
        Assert.NotEmpty(lost);

        var told = new List<string>();
        RepairSummary summary = await RepairAsync(request => request with { RewritesPoints = true, OnNotice = notice => told.Add(Encoding.UTF8.GetString(notice.Path.Span)) });
        (SessionId Old, SessionId New) pair = Assert.Single(summary.Rewritten);
        Assert.Equal(point, pair.Old);
        Assert.All(lost, path => Assert.Contains(path, told));
        using OpenVault after = await fixture.OpenAsync();
        RestorePoint written = Assert.Single(await RestorePoints.ListAsync(after, Token));
        Assert.Equal((pair.New, old.Time, old.Host, PointKind.Full), (written.Id, written.Time, written.Host, written.Kind));
        Assert.Equal(old.EffectiveTime, written.EffectiveTime);
        Assert.Equal(old.Counts.Files - lost.Length, written.Counts.Files);
        RestoreSummary restored = await fixture.RestoreAsync(after, written.Id, "to");
        Assert.Equal(0, restored.Damaged);
        TreeCompare.AssertEqual(
            TreeSnapshot.Take(fixture.Source), TreeSnapshot.Take(fixture.PathOf("to")),
            new TreeCompareOptions { IgnoreDirectoryTimes = true, Only = (path, _) => !lost.Contains(Path.Combine(fixture.Source, path)) });
        Assert.All(lost, path => Assert.False(File.Exists(Path.Combine(fixture.PathOf("to"), Path.GetRelativePath(fixture.Source, path)))));
        // What is left of the damage belongs to the point that is forgotten.
        Assert.All((await CheckAsync()).Damages.SelectMany(damage => damage.Affected), path => Assert.Equal(point, path.Point));
        Assert.Empty((await PlanAsync(request => request with { RewritesPoints = true })).Steps);
    }

    [Fact]
    public async Task APointOfWhichEverythingComesBackIsNotWrittenAnew()
    {
        (OpenVault vault, SessionId point) = await MakeAsync();
        using OpenVault _ = vault;
        PackFooter footer = await FooterAsync(vault);
        fixture.Flip(footer.Pack.ObjectName, footer.Groups[^1].Offset + 5);

        RepairSummary summary = await RepairAsync(static request => request with { ReadsSource = true, RewritesPoints = true });

        Assert.True(summary.ChunksHealed > 0);
        Assert.Empty(summary.Rewritten);
        using OpenVault after = await fixture.OpenAsync();
        Assert.Equal(point, Assert.Single(await RestorePoints.ListAsync(after, Token)).Id);
    }

    /// What is on hold is evidence, lost parts and all; and while it is not known what is, everything is.
    [Fact]
    public async Task APointOnHoldIsNotWrittenAnewUntilItIsReleased()
    {
        (OpenVault vault, SessionId point) = await MakeAsync();
        using OpenVault _ = vault;
        PackFooter footer = await FooterAsync(vault);
        fixture.Flip(footer.Pack.ObjectName, footer.Groups[^1].Offset + 5);
        await PointState.HoldAsync(vault, [point], null, "evidence", Token);
        await RepairAsync(static request => request);
        static RepairRequest Rewriting(RepairRequest request) => request with { RewritesPoints = true };

        RepairPlan held = await PlanAsync(Rewriting);
        Assert.Empty(held.Order.Rewrite);
        Assert.Contains(held.Left, step => step.ObjectName == $"points/{point}" && step.What.Contains("on hold", StringComparison.Ordinal));
        fixture.Flip(PointMark.Name(0), 100);
        RepairPlan unknown = await PlanAsync(Rewriting);
        Assert.Empty(unknown.Order.Rewrite);
        Assert.Contains(unknown.Left, step => step.ObjectName == $"points/{point}" && step.What.Contains("not known", StringComparison.Ordinal));
        fixture.Flip(PointMark.Name(0), 100);
        await PointState.ReleaseAsync(vault, [point], Token);

        Assert.Equal(point, Assert.Single((await RepairAsync(Rewriting)).Rewritten).Old);
    }

    [Fact]
    public async Task AMarkThatCannotBeReadStaysUntilItIsDroppedAndItsNumberIsNotUsedAgain()
    {
        (OpenVault vault, SessionId point) = await MakeAsync();
        using OpenVault _ = vault;
        await PointState.HoldAsync(vault, [point], null, "evidence", Token);
        string mark = PointMark.Name(0);
        fixture.Flip(mark, 100);
        RepairPlan plan = await PlanAsync();
        Assert.Empty(plan.Steps);
        Assert.Contains(plan.Left, step => step.ObjectName == mark);

        await RepairAsync(request => request with { DropsUnreadable = true });
        Assert.Equal([PointMark.Name(1)], fixture.Objects("marks"));
        Assert.Contains("quarantine/" + mark, fixture.Objects("quarantine"));
        Assert.Empty((await CheckAsync()).Damages);
        using OpenVault after = await fixture.OpenAsync();
        Assert.Null(Assert.Single(await RestorePoints.ListAsync(after, Token)).Hold);
    }

    [Fact]
    public async Task WhatAnotherKeyMayReadIsLeftAlone()
    {
        (OpenVault vault, _) = await MakeAsync();
        using OpenVault __ = vault;
        string[] before = fixture.Objects("");
        using OpenVault stranger = OpenVault.Open(
            fixture.Host, fixture.Store, vault.VaultId, vault.KeySlotId, WithOtherWriter(vault.Sealer.Ring), OpenVault.DefaultCacheBytes);
        var request = new RepairRequest { ReadData = true };
        RepairPlan plan = await RepairRun.PlanAsync(stranger, request, Token);
        Assert.NotEmpty(plan.Left);
        Assert.Empty(plan.Steps);
        Assert.Equal(before, fixture.Objects(""));
    }

    private static Holdfast.Vault.Keys.KeyRing WithOtherWriter(Holdfast.Vault.Keys.KeyRing ring)
    {
        Holdfast.Vault.Keys.KeyRing other = TestKeys.Ring(seed: 9);
        return new Holdfast.Vault.Keys.KeyRing
        {
            Role = ring.Role,
            CreatedSeconds = ring.CreatedSeconds,
            Label = ring.Label,
            Epochs = ring.Epochs,
            WriterSeed = other.WriterSeed,
            AdminPublicKey = other.AdminPublicKey,
        };
    }

    private async Task<(OpenVault Vault, SessionId Point)> MakeAsync()
    {
        fixture.WriteSource();
        OpenVault vault = await fixture.InitAsync();
        return (vault, (await fixture.BackupAsync(vault, request => request with { Workers = 1 })).Point!.Value);
    }

    private async Task<OpenVault> OtherAsync()
    {
        IObjectStore store = ObjectStores.Open(fixture.PathOf("other"), fixture.Host);
        using VaultSecret secret = VaultFixture.Secret();
        return await OpenVault.InitAsync(fixture.Host, store, secret, "other", Token);
    }

    private async Task<PackFooter> FooterAsync(OpenVault vault)
    {
        Assert.True(PackId.TryParse(fixture.Objects("data").Single(), out PackId pack));
        PackFooter? footer = await new PackReader(vault.Store, vault.Sealer).TryReadFooterAsync(pack, Token);
        Assert.Equal(ObjectKind.DataPack, footer!.Pack.Kind);
        return footer;
    }

    private async Task<RepairPlan> PlanAsync(Func<RepairRequest, RepairRequest>? change = null)
    {
        using OpenVault vault = await fixture.OpenAsync();
        var request = new RepairRequest { ReadData = true };
        return await RepairRun.PlanAsync(vault, change is null ? request : change(request), Token);
    }

    private async Task<RepairSummary> RepairAsync(Func<RepairRequest, RepairRequest> change)
    {
        using OpenVault vault = await fixture.OpenAsync();
        RepairRequest request = change(new RepairRequest { ReadData = true });
        return await RepairRun.ApplyAsync(vault, await RepairRun.PlanAsync(vault, request, Token), request, Token);
    }

    private async Task<CheckReport> CheckAsync()
    {
        using OpenVault vault = await fixture.OpenAsync();
        return await CheckRun.RunAsync(vault, new CheckRequest { ReadData = true }, Token);
    }
}
