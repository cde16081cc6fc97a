namespace Holdfast.Vault.Tests.Checking;

/// Goal: each damage is named, with all that it affects and nothing else; the rest is checked all the same.
/// Method: one object of a small vault is damaged in each of its parts.
public sealed class CheckTests(CheckedVault checkedVault) : IClassFixture<CheckedVault>
{
    private static readonly string[] LostWithFirstData =
    [
        "1:Data:d0/f1[0+70000]", "1:Data:d0/f2[0+140000]", "1:Data:d0/f3[0+210000]",
        "1:Data:d1/f1[0+70000]", "1:Data:d1/f2[0+140000]", "1:Data:d1/f3[0+210000]",
        "1:Data:d2/f1[0+70000]", "1:Data:d2/f2[0+140000]", "1:Data:d2/f3[0+210000]", "1:Data:d2/same[0+210000]",
        "2:Data:d0/f1[0+70000]", "2:Data:d0/f2[0+140000]", "2:Data:d0/f3[0+210000]",
        "2:Data:d1/f2[0+140000]", "2:Data:d1/f3[0+210000]",
        "2:Data:d2/f1[0+70000]", "2:Data:d2/f2[0+140000]", "2:Data:d2/f3[0+210000]", "2:Data:d2/same[0+210000]",
    ];

    // The root of the second point, its source and d1 are of its own session; d0 and d2 are those of the first.
    private static readonly string[] LostWithFirstTrees = ["1:Tree:", "2:Tree:d0", "2:Tree:d2"];

    private static readonly string[] LostWithSecondTrees = ["2:Changes:", "2:Tree:"];

    private VaultFixture Fixture => checkedVault.Fixture;

    [Fact]
    public async Task AWholeVaultHasNoDamageAndIsCountedWhole()
    {
        CheckReport report = await checkedVault.CheckAsync(new CheckRequest { ReadData = true });

        Assert.Empty(report.Damages);
        Assert.Empty(report.Notices);
        Assert.Equal(1, report.KeySlots);
        Assert.Equal(2, report.Points);
        Assert.Equal(2, report.IndexObjects);
        Assert.Equal(4, report.Packs);
        Assert.Equal(4, report.PacksRead);
        Assert.Equal(report.Chunks, report.ChunksRead);
        Assert.True(report.BytesRead > 1_000_000);
        // The second point has its own root, source and d1, which name the source, all three directories and four files.
        Assert.Equal(8, report.Directories);
        Assert.Equal(13 + 4, report.Files);
        Assert.Equal(0, report.UnfinishedSessions);
    }

    public static TheoryData<string, string, int, string> WholePacks()
    {
        var cases = new TheoryData<string, string, int, string>();
        foreach (string pack in (string[])["data/{1}/00000000", "trees/{1}/00000000", "trees/{2}/00000000"])
        {
            cases.Add(pack, "delete", 0, "is missing");
            cases.Add(pack, "truncate", 10, "expected");
            cases.Add(pack, "truncate", 400, "expected");
            cases.Add(pack, "truncate", int.MaxValue, "expected");
            foreach (int offset in (int[])[0, 8, 9, 10, 12, 16, 24, 40, 70, 130]) cases.Add(pack, "flip", offset, "");
            foreach (int offset in (int[])[-1, -9, -16, -30, -80 - 20]) cases.Add(pack, "flip", offset, "");
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(WholePacks))]
    public async Task APackThatCannotBeOpenedIsNamedWithEveryPathThatItWasNeededFor(string pack, string how, int at, string what)
    {
        CheckReport report = await checkedVault.CheckDamagedAsync(new CheckRequest(), (pack, name => Damage(name, how, at)));

        DamagedThing damage = Assert.Single(report.Damages);
        Assert.Equal(checkedVault.Name(pack), damage.ObjectName);
        Assert.Contains(what, damage.What, StringComparison.Ordinal);
        string[] lost = pack.StartsWith("data", StringComparison.Ordinal) ? LostWithFirstData
            : pack.Contains('1', StringComparison.Ordinal) ? LostWithFirstTrees : LostWithSecondTrees;
        Assert.Equal(lost, checkedVault.Affected(report));
        Assert.Equal(2, report.Points);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AFlippedBitInAGroupOfDataIsFoundByReadingOnlyAndAffectsThatGroupOnly(bool readData)
    {
        CheckReport report = await checkedVault.CheckDamagedAsync(
            new CheckRequest { ReadData = readData }, ("data/{1}/00000000", name => Fixture.Flip(name, 64 + 80 + 5)));

        if (!readData)
        {
            Assert.Empty(report.Damages);
            return;
        }

        DamagedThing damage = Assert.Single(report.Damages);
        Assert.Equal("byte 144: the seal of group 0 is broken", damage.What);
        string[] affected = checkedVault.Affected(report);
        Assert.Contains("1:Data:d0/f1[0+70000]", affected);
        Assert.Contains("2:Data:d0/f2[0+140000]", affected);
        // The group goes on with the third file, and so with its equal, and ends in the next directory's second.
        string[] whole = [.. affected.Where(path => path.Contains("d0/f1[", StringComparison.Ordinal) || path.Contains("d0/f2[", StringComparison.Ordinal))];
        Assert.Equal(4, whole.Length);
        Assert.All(affected.Except(whole), path => Assert.Matches(@"^[12]:Data:(d0/f3|d2/same|d1/f1|d1/f2)\[0\+\d{5,6}\]$", path));
        Assert.DoesNotContain(affected, path => path.Contains(":Data:d1/f3", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AFlippedBitInAGroupOfTreesIsFoundWithoutReadingData(bool readData)
    {
        CheckReport report = await checkedVault.CheckDamagedAsync(
            new CheckRequest { ReadData = readData }, ("trees/{1}/00000000", name => Fixture.Flip(name, 64 + 80 + 5)));

        DamagedThing damage = Assert.Single(report.Damages);
        Assert.Equal("byte 144: the seal of group 0 is broken", damage.What);
        Assert.Equal(LostWithFirstTrees, checkedVault.Affected(report));
    }

    [Theory]
    [InlineData("index/{1}-00000000", "delete", 0)]
    [InlineData("index/{1}-00000000", "truncate", 1)]
    [InlineData("index/{1}-00000000", "truncate", int.MaxValue)]
    [InlineData("index/{1}-00000000", "flip", 0)]
    [InlineData("index/{1}-00000000", "flip", 8)]
    [InlineData("index/{1}-00000000", "flip", 40)]
    [InlineData("index/{1}-00000000", "flip", 70)]
    [InlineData("index/{1}-00000000", "flip", -16 - 64 - 20)]
    [InlineData("index/{1}-00000000", "flip", -30)]
    [InlineData("index/{1}-00000000", "flip", -1)]
    public async Task ADamagedIndexIsNamedAndAffectsNothing(string name, string how, int at)
    {
        CheckReport report = await checkedVault.CheckDamagedAsync(new CheckRequest { ReadData = true }, (name, index => Damage(index, how, at)));

        DamagedThing damage = Assert.Single(report.Damages);
        Assert.Equal(checkedVault.Name(how == "delete" ? "index/{1}-*" : name), damage.ObjectName);
        Assert.Contains("nothing is lost", damage.What, StringComparison.Ordinal);
        Assert.Empty(damage.Affected);
        Assert.Equal(4, report.PacksRead);
    }

    [Theory]
    [InlineData("refs/{2}", "delete", 0, "2:References:")]
    [InlineData("refs/{2}", "flip", 8, "2:References:")]
    [InlineData("refs/{2}", "flip", 70, "2:References:")]
    [InlineData("refs/{2}", "truncate", int.MaxValue, "2:References:")]
    [InlineData("points/{2}", "flip", 9, "2:Point:")]
    [InlineData("points/{2}", "flip", 80, "2:Point:")]
    [InlineData("points/{2}", "flip", -1, "2:Point:")]
    [InlineData("points/{2}", "truncate", 1, "2:Point:")]
    [InlineData("points/{2}", "truncate", int.MaxValue, "2:Point:")]
    [InlineData("keys/KEY", "delete", 0, null)]
    [InlineData("keys/KEY", "flip", 0, null)]
    [InlineData("keys/KEY", "flip", 8, null)]
    [InlineData("keys/KEY", "truncate", int.MaxValue, null)]
    [InlineData("vault", "delete", 0, null)]
    [InlineData("vault", "flip", 0, null)]
    [InlineData("vault", "flip", 8, null)]
    [InlineData("vault", "flip", 20, null)]
    public async Task ADamagedSmallObjectIsNamed(string name, string how, int at, string? affected)
    {
        CheckReport report = await checkedVault.CheckDamagedAsync(new CheckRequest(), (name, target => Damage(target, how, at)));

        Assert.Equal(checkedVault.Name(name), Assert.Single(report.Damages).ObjectName);
        Assert.Equal(affected is null ? [] : [affected], checkedVault.Affected(report));
    }

    [Fact]
    public async Task PacksOfASessionThatMadeNoPointAreNoDamage()
    {
        Action<string> delete = Fixture.Delete;
        CheckReport report = await checkedVault.CheckDamagedAsync(
            new CheckRequest { ReadData = true }, ("points/{2}", delete), ("refs/{2}", delete), ("index/{2}-00000000", delete));

        Assert.Empty(report.Damages);
        Assert.Equal(1, report.UnfinishedSessions);
        Assert.Contains("unfinished session: 2 packs", Assert.Single(report.Notices).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALostPackIsNamedEvenWhenItsIndexIsLostToo()
    {
        Action<string> delete = Fixture.Delete;
        CheckReport report = await checkedVault.CheckDamagedAsync(
            new CheckRequest(), ("data/{1}/00000000", delete), ("index/{1}-00000000", delete));

        Assert.Equal(
            [checkedVault.Name("data/{1}/00000000"), checkedVault.Name("index/{1}-*")], report.Damages.Select(damage => damage.ObjectName));
        Assert.Equal(LostWithFirstData, checkedVault.Affected(report));
    }

    [Fact]
    public async Task ASubsetReadsSoManyPacksAndEachHasItsChance()
    {
        string[] packs = [.. Fixture.Objects("data"), .. Fixture.Objects("trees")];
        (string Name, Action<string> Damage)[] none = [];
        CheckReport half = await checkedVault.CheckDamagedAsync(new CheckRequest { ReadData = true, Subset = 0.5 }, none);
        Assert.Equal(2, half.PacksRead);

        var met = new HashSet<string>();
        for (int i = 0; i < 80; i++)
        {
            var request = new CheckRequest { ReadData = true, Subset = 0.01 };
            CheckReport report = await checkedVault.CheckAsync(request);
            Assert.Equal(1, report.PacksRead);
            string read = System.Text.Encoding.ASCII.GetString(request.Progress.Current.Span);
            met.Add(read);
        }

        Assert.Equal(packs.Order(StringComparer.Ordinal), met.Order(StringComparer.Ordinal));
    }

    private void Damage(string name, string how, int at)
    {
        if (how == "delete") Fixture.Delete(name);
        else if (how == "truncate") Fixture.Truncate(name, Math.Min(at, Fixture.LengthOf(name)));
        else Fixture.Flip(name, at);
    }
}
