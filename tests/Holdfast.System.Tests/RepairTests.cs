using System.Text.Json;
using Holdfast.Testing;

namespace Holdfast.System.Tests;

/// Goal: repair does what it says, and nothing where it is only asked; what a copy of the vault has comes back, and what nobody has is
/// named by repair and check alike. Method: as in DamagedVaultTests, whose vault it is.
public sealed class RepairTests(DamagedVaultTests.Made made) : IClassFixture<DamagedVaultTests.Made>
{
    /// <param name="prefix">Whose largest object is damaged; 1 and 2 stand for the sessions of the points.</param>
    /// <param name="how">What is done to it.</param>
    /// <param name="isLost">Whether anything stays lost without a copy.</param>
    [Theory]
    [InlineData("data/1", "flip", true)]
    [InlineData("data/1", "truncate", true)]
    [InlineData("data/2", "delete", true)]
    [InlineData("trees/1", "flip", true)]
    [InlineData("index", "truncate", false)]
    [InlineData("refs/2", "flip", false)]
    [InlineData("points/2", "flip", true)]
    public async Task WhatIsDamagedIsMadeGoodAsFarAsItCanBe(string prefix, string how, bool isLost)
    {
        using DamagedVaultTests.DamagedCopy copy = made.Damage(prefix, how);
        TreeSnapshot before = TreeSnapshot.Take(copy.PathOf("vault"));
        await copy.ExpectAsync(13, "repair", "--read-data", "--dry-run");
        TreeCompare.AssertEqual(before, TreeSnapshot.Take(copy.PathOf("vault")), new TreeCompareOptions { IgnoreDirectoryTimes = true });

        HoldfastResult alone = await copy.ExpectAsync(isLost ? 13 : 0, "repair", "--read-data", "--json");
        HoldfastResult check = await copy.ExpectAsync(isLost ? 13 : 0, "check", "--read-data", "--json");
        Assert.Equal(check.Summary.GetProperty("damages").GetInt32(), alone.Summary.GetProperty("damages").GetInt32());
        Assert.Equal(isLost, alone.Records("left").Any());
        // Again there is nothing to do.
        Assert.Empty((await copy.ExpectAsync(isLost ? 13 : 0, "repair", "--json")).Records("step"));

        HoldfastResult healed = await copy.ExpectAsync(0, "repair", "--from", made.Vault, "--json");
        Assert.Equal(0, healed.Summary.GetProperty("damages").GetInt32());
        await copy.ExpectAsync(0, "check", "--read-data");
        foreach ((string id, TreeSnapshot tree) in ((string, TreeSnapshot)[])[(made.First, made.FirstTree), (made.Second, made.SecondTree)])
        {
            await copy.ExpectAsync(0, "restore", id, "--to", copy.PathOf(id));
            TreeCompare.AssertEqual(tree, TreeSnapshot.Take(copy.PathOf(id)));
        }
    }

    [Fact]
    public async Task PointsAreWrittenAnewWithoutWhatIsLost()
    {
        using DamagedVaultTests.DamagedCopy copy = made.Damage("data/1", "flip");
        HoldfastResult repair = await copy.ExpectAsync(13, "repair", "--read-data", "--rewrite-points", "--json");
        Assert.Equal(2, repair.Summary.GetProperty("rewritten").GetInt32());
        string[] ids = [.. (await copy.ExpectAsync(0, "points", "--json")).Document.EnumerateArray().Select(point => point.GetProperty("id").GetString()!)];
        Assert.Equal(2, ids.Length);
        Assert.DoesNotContain(made.First, ids);
        foreach (string id in ids) await copy.ExpectAsync(0, "restore", id, "--to", copy.PathOf(id), "--verify");
    }

    [Fact]
    public async Task ARollingCheckFailsWhenItsAgeIsNotMet()
    {
        using DamagedVaultTests.DamagedCopy copy = made.Damage("index", "none");
        HoldfastResult late = await copy.ExpectAsync(14, "check", "--rolling", "--max-age", "0.0001s", "--read-data-subset", "1", "--json");
        Assert.Equal(1, late.Summary.GetProperty("packsRead").GetInt32());
        JsonElement summary = (await copy.ExpectAsync(0, "check", "--rolling", "--json")).Summary;
        Assert.Equal(0, summary.GetProperty("packsOverdue").GetInt32());
        Assert.NotEmpty(Directory.GetFiles(copy.PathOf("vault/verified")));
    }
}
