using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Dropping points, holding them and bringing them back, as a person would.
public sealed class RetentionTests : IDisposable
{
    private readonly SystemFixture world = new();
    private int files;

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task APolicyIsTriedThenCarriedOutThenTakenBack()
    {
        await world.InitAsync();
        string[] points =
        [
            await PointAtAsync("2026-10-01T08:00Z", "release"), await PointAtAsync("2026-10-30T08:00Z"), await PointAtAsync("2026-10-30T20:00Z"), await PointAtAsync("2026-10-31T08:00Z"),
        ];
        string[] policy = ["--keep-daily", "2", "--keep-tag", "release"];
        string[] before = Files();

        HoldfastResult tried = await world.ExpectAsync(0, ["forget", .. policy, "--dry-run", "--json"]);

        Assert.Equal(before, Files());
        Assert.Equal([true, false, true, true], tried.Records("point").Select(point => point.GetProperty("keep").GetBoolean()));
        Assert.Equal(points, tried.Records("point").Select(point => point.GetProperty("id").GetString()));
        JsonElement why = tried.Records("point").ElementAt(1).GetProperty("reasons")[0];
        Assert.Equal(
            ("superseded", "daily", "2026-10-30", points[2]),
            (why.GetProperty("verdict").GetString(), why.GetProperty("rule").GetString(), why.GetProperty("text").GetString(), why.GetProperty("by").GetString()));
        Assert.Equal("tagged", tried.Records("point").First().GetProperty("reasons")[0].GetProperty("verdict").GetString());
        Assert.Equal((3, 1, true), Totals(tried));
        // The second point alone has its 100,000 bytes.
        Assert.InRange(tried.Summary.GetProperty("bytesFreed").GetInt64(), 100_000, 110_000);
        HoldfastResult shown = await world.ExpectAsync(0, ["forget", .. policy, "-n"]);
        Assert.Matches($"drop {points[1][..10]} 2026-10-30 08:00:00 +daily 2: {points[2][..10]} stands for 2026-10-30\n", Squeezed(shown.Output));
        Assert.Contains("would keep 3 and drop 1 restore points; nothing was changed", shown.Output, StringComparison.Ordinal);

        HoldfastResult done = await world.ExpectAsync(0, ["forget", .. policy, "--json"]);
        Assert.Equal((3, 1, false), Totals(done));
        Assert.Equal([points[0], points[2], points[3]], await world.PointsAsync());
        Assert.Equal((3, 0, false), Totals(await world.ExpectAsync(0, ["forget", .. policy, "--json"])));
        await world.ExpectAsync(2, "restore", points[1], "--to", world.PathOf("no"));

        Assert.Equal(points[1], (await world.ExpectAsync(0, "undelete", "--json")).Document[0].GetProperty("id").GetString());
        Assert.Equal(points[1], (await world.ExpectAsync(0, "undelete", points[1][..8], "--json")).Document.GetProperty("points")[0].GetString());
        Assert.Equal(points, await world.PointsAsync());
        await world.ExpectAsync(0, "restore", points[1], "--to", world.PathOf("restored"), "--verify");
        await world.ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task WhatIsOnHoldOrWouldEmptyAGroupIsRefused()
    {
        await world.InitAsync();
        string first = await PointAtAsync("2026-10-01T08:00Z"), second = await PointAtAsync("2026-10-02T08:00Z");
        await world.ExpectAsync(0, "hold", first, "--reason", "audit", "--until", "90d");

        HoldfastResult held = await world.ExpectAsync(15, "forget", first);
        Assert.Contains("is on hold: audit", held.Error, StringComparison.Ordinal);
        JsonElement shown = (await world.ExpectAsync(0, "points", "--json")).Document[0].GetProperty("hold");
        Assert.Equal("audit", shown.GetProperty("reason").GetString());
        Assert.Matches(@"\(on hold until \d{4}-\d\d-\d\d \d\d:\d\d.*: audit\)", (await world.ExpectAsync(0, "points")).Output);
        await world.ExpectAsync(0, "forget", "--keep-last", "1");
        Assert.Equal([first, second], await world.PointsAsync());

        await world.ExpectAsync(0, "release", first);
        HoldfastResult all = await world.ExpectAsync(15, "forget", "--keep-tag", "none", "--json");
        Assert.Equal("refused", all.Records("error").Single().GetProperty("kind").GetString());
        HoldfastResult shownFirst = await world.ExpectAsync(15, "forget", "--keep-tag", "none", "--dry-run");
        Assert.Contains("would keep 0 and drop 2 restore points", shownFirst.Output, StringComparison.Ordinal);
        Assert.Contains("fits --host", (await world.ExpectAsync(0, "forget", "--keep-last", "1", "--path", "/nope")).Error, StringComparison.Ordinal);
        await world.ExpectAsync(15, "forget", first, second);
        Assert.Equal([first, second], await world.PointsAsync());
        await world.ExpectAsync(0, "forget", first, second, "--allow-remove-all");
        Assert.Empty(await world.PointsAsync());
    }

    [Fact]
    public async Task ADifferentialIsWholeWithoutTheFullItNames()
    {
        await world.InitAsync();
        string full = await PointAtAsync("2026-10-01T08:00Z");
        world.WriteRandom("more", 99, 50_000);
        JsonElement differential = await world.BackupAsync("--differential", "--time", "2026-10-02T08:00Z");
        Assert.Equal(full, differential.GetProperty("base").GetString());
        TreeSnapshot source = TreeSnapshot.Take(world.Source);

        await world.ExpectAsync(0, "forget", full);

        await world.ExpectRestoredAsync(differential.GetProperty("point").GetString()!, source);
        Assert.Equal("full", (await world.BackupAsync("--differential")).GetProperty("kind").GetString());
        await world.ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task DaysAreThoseOfTheZoneThatIsGiven()
    {
        await world.InitAsync();
        await PointAtAsync("2026-10-01T21:30Z");
        await PointAtAsync("2026-10-01T22:30Z");
        await PointAtAsync("2026-10-02T12:00Z");

        Assert.Equal((2, 1, true), Totals(await world.ExpectAsync(0, "forget", "-n", "--json", "--keep-daily", "2", "--time-zone", "UTC")));
        HoldfastResult berlin = await world.ExpectAsync(0, "forget", "-n", "--json", "--keep-daily", "2", "--time-zone", "Europe/Berlin");
        Assert.Equal([true, false, true], berlin.Records("point").Select(point => point.GetProperty("keep").GetBoolean()));
    }

    /// A backup of the source with a file of its own, that says it was made then.
    private async Task<string> PointAtAsync(string time, string? tag = null)
    {
        foreach (string old in Directory.GetFiles(world.Source)) File.Delete(old);
        world.WriteRandom("file", ++files, 100_000);
        return await world.BackupPointAsync(["--time", time, .. tag is null ? (string[])[] : ["--tag", tag]]);
    }

    private static (int Kept, int Dropped, bool DryRun) Totals(HoldfastResult result) =>
        (result.Summary.GetProperty("kept").GetInt32(), result.Summary.GetProperty("dropped").GetInt32(), result.Summary.GetProperty("dryRun").GetBoolean());

    private static string Squeezed(string text) => string.Join('\n', text.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));

    private string[] Files() => Directory.GetFiles(world.Vault, "*", SearchOption.AllDirectories);
}
