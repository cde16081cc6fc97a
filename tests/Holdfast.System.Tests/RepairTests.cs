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
        // The old points are named until they are pruned.
        HoldfastResult check = await copy.ExpectAsync(13, "check", "--read-data", "--json");
        Assert.All(check.Records("damage").SelectMany(damage => damage.GetProperty("affected").EnumerateArray()), affected => Assert.True(affected.GetProperty("forgotten").GetBoolean()));
        await copy.ExpectAsync(0, "prune");
        await copy.ExpectAsync(0, "check", "--read-data");
    }

    [Fact]
    public async Task TheSourceGivesBackWhatItStillHas()
    {
        using DamagedVaultTests.DamagedCopy copy = made.Damage("data/2", "delete");
        await copy.ExpectAsync(13, "check", "--read-data");

        HoldfastResult repair = await copy.ExpectAsync(0, "repair", "--read-data", "--source", "--json");

        Assert.True(repair.Summary.GetProperty("chunksHealed").GetInt64() > 0);
        await copy.ExpectAsync(0, "check", "--read-data");
        await copy.ExpectAsync(0, "restore", made.Second, "--to", copy.PathOf("second"));
        TreeCompare.AssertEqual(made.SecondTree, TreeSnapshot.Take(copy.PathOf("second")));
    }

    [Fact]
    public async Task APointThatCannotBeReadIsPutAwayOnRequestOnly()
    {
        using DamagedVaultTests.DamagedCopy copy = made.Damage("points/2", "flip");
        HoldfastResult stays = await copy.ExpectAsync(13, "repair", "--json");
        Assert.Contains("--drop-unreadable", stays.Records("left").Single().GetProperty("message").GetString(), StringComparison.Ordinal);

        HoldfastResult put = await copy.ExpectAsync(0, "repair", "--drop-unreadable", "--json");

        Assert.Equal(1, put.Summary.GetProperty("quarantined").GetInt32());
        await copy.ExpectAsync(0, "check");
        Assert.Single((await copy.ExpectAsync(0, "points", "--json")).Document.EnumerateArray());
    }

    [Theory]
    [InlineData("delete", 10)]
    [InlineData("flip", 13)]
    public async Task TheObjectThatSaysWhichVaultItIsComesBackFromACopy(string how, int code)
    {
        using DamagedVaultTests.DamagedCopy copy = made.Damage("vault", how);
        HoldfastResult closed = await copy.ExpectAsync(code, "points");
        Assert.Contains("repair --from", closed.Error, StringComparison.Ordinal);
        await copy.ExpectAsync(13, "repair", "--from", made.Vault, "--dry-run");
        await copy.ExpectAsync(code, "points");

        await copy.ExpectAsync(0, "repair", "--from", made.Vault);

        await copy.ExpectAsync(0, "check");
        Assert.Equal(File.ReadAllBytes(Path.Combine(made.Vault, "vault")), File.ReadAllBytes(copy.PathOf("vault/vault")));
    }

    [Fact]
    public async Task AKeySlotThatRotsIsSeenAndComesBackFromACopy()
    {
        using DamagedVaultTests.DamagedCopy copy = made.Damage("keys", "none");
        // That of the password in use opens; the other is changed where only a checksum tells.
        string current = (await copy.ExpectAsync(0, "key", "list", "--json")).Document.EnumerateArray().Single(key => key.GetProperty("current").GetBoolean()).GetProperty("id").GetString()!;
        string other = Directory.GetFiles(copy.PathOf("vault/keys")).Single(path => Path.GetFileName(path) != current);
        byte[] slot = File.ReadAllBytes(other);
        slot[^30] ^= 1;
        File.WriteAllBytes(other, slot);

        HoldfastResult list = await copy.ExpectAsync(13, "key", "list", "--json");
        Assert.Equal(Path.GetFileName(other), list.Document.EnumerateArray().Single(key => key.GetProperty("damage").ValueKind != JsonValueKind.Null).GetProperty("id").GetString());
        await copy.ExpectAsync(13, "check");
        await copy.ExpectAsync(0, "repair", "--from", made.Vault);

        await copy.ExpectAsync(0, "check");
        foreach (string password in (string[])["first password", "second password"]) Assert.Equal(0, (await copy.RunAsync(password, "points")).Code);
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
