using Holdfast.Cli.Commands;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Cli.Tests;

public class OptionsTests
{
    private readonly TestWorld world = new();

    [Fact]
    public void BackupHeedsEveryFlag()
    {
        BackupOptions options = world.Read<BackupOptions>(
            "backup", "/a", "b", "--differential", "--tag", "x", "--tag", "y", "--host", "h", "--time", "2026-11-20",
            "--exclude", "*.tmp", "--iexclude", "*.BAK", "--exclude-file", "/f", "--exclude=!keep.tmp", "--exclude-caches", "--exclude-if-present",
            ".no:HEAD:ER", "--exclude-if-present", ".skip", "--exclude-larger-than", "1.5G", "--one-file-system", "--files-from",
            "-", "--files-from0", "/list", "--checksum", "--ignore-ctime", "--ignore-inode", "--compression", "-5", "--dry-run");

        Assert.Equal(["/a", "b"], options.Paths);
        Assert.Equal(BackupKind.Differential, options.Kind);
        Assert.Equal(["x", "y"], options.Tags);
        Assert.Equal("h", options.HostName);
        Assert.Equal("2026-11-20T00:00:00Z", TimeText.ShowExact(options.Time!.Value));
        Assert.Equal(
            [
                new Exclusion(ExclusionKind.Pattern, "*.tmp"), new Exclusion(ExclusionKind.PatternIgnoringCase, "*.BAK"),
                new Exclusion(ExclusionKind.File, "/f"), new Exclusion(ExclusionKind.Pattern, "!keep.tmp"),
            ],
            options.Exclusions);
        Assert.True(options.ExcludeCaches);
        Assert.Equal([new PresenceMarker(".no", "HEAD:ER"), new PresenceMarker(".skip", null)], options.ExcludeIfPresent);
        Assert.Equal(1_610_612_736, options.ExcludeLargerThanBytes);
        Assert.True(options.OneFileSystem);
        Assert.Equal(["-"], options.FilesFrom);
        Assert.Equal(["/list"], options.FilesFrom0);
        Assert.True(options is { Checksum: true, IgnoreCtime: true, IgnoreInode: true, DryRun: true });
        Assert.Equal(-5, options.CompressionLevel);
        Assert.Null(options.StdinName);
    }

    [Fact]
    public void BackupOfStandardInputHasAName()
    {
        Assert.Equal("stdin", world.Read<BackupOptions>("backup", "--stdin").StdinName);
        Assert.Equal("a.sql", world.Read<BackupOptions>("backup", "--stdin", "--stdin-name", "a.sql").StdinName);
        Assert.Equal(3, world.Read<BackupOptions>("backup", "--stdin").CompressionLevel);
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("backup", "--stdin", "/a")]
    [InlineData("backup", "/a", "--stdin-name", "x")]
    [InlineData("backup", "--stdin", "--stdin-name", "")]
    [InlineData("backup", "/a", "--full", "--incremental")]
    [InlineData("backup", "/a", "--compression", "20")]
    [InlineData("backup", "/a", "--compression", "-6")]
    [InlineData("backup", "/a", "--compression", "fast")]
    [InlineData("backup", "/a", "--time", "soon")]
    [InlineData("backup", "/a", "--exclude-larger-than", "big")]
    [InlineData("backup", "/a", "--exclude-if-present", ":HEADER")]
    [InlineData("backup", "/a", "--exclude-if-present", "a/b")]
    [InlineData("backup", "/a", "--tag", "")]
    [InlineData("backup", "/a", "--tag")]
    [InlineData("backup", "/a", "--host", "")]
    [InlineData("backup", "/a", "--host", "x", "--host", "y")]
    [InlineData("backup", "--files-from", "-", "--files-from0", "-")]
    [InlineData("backup", "")]
    [InlineData("backup", "/a", "--exlude", "x")]
    [InlineData("backup", "-z", "/a")]
    [InlineData("ls")]
    [InlineData("ls", "latest", "a", "b")]
    [InlineData("ls", "latest", "--at", "soon")]
    [InlineData("cat", "latest")]
    [InlineData("cat", "--at", "now")]
    [InlineData("find")]
    [InlineData("find", "")]
    [InlineData("find", "a", "b")]
    [InlineData("diff", "latest")]
    [InlineData("diff", "a", "b", "--at", "now")]
    [InlineData("diff", "a", "b", "c")]
    [InlineData("restore", "latest")]
    [InlineData("restore", "--to", "/x")]
    [InlineData("restore", "latest", "--to", "")]
    [InlineData("restore", "latest", "--to", "/x", "--overwrite", "sometimes")]
    [InlineData("check", "--read-data", "--read-data-subset", "5%")]
    [InlineData("check", "--read-data-subset", "0%")]
    [InlineData("check", "--read-data-subset", "0/7")]
    [InlineData("check", "--read-data-subset", "8/7")]
    [InlineData("check", "--read-data-subset", "1/2/3")]
    [InlineData("check", "--read-data-subset", "0")]
    [InlineData("check", "--read-data-subset", "some")]
    [InlineData("check", "--rolling", "--read-data-subset", "1/7")]
    [InlineData("check", "--max-age", "30d")]
    [InlineData("check", "--max-time", "2h")]
    [InlineData("check", "--rolling", "--max-age", "30")]
    [InlineData("check", "--rolling", "--max-age", "0d")]
    [InlineData("check", "--from", "/v")]
    [InlineData("check", "--repair", "--rolling")]
    [InlineData("repair", "--from", "")]
    [InlineData("repair", "--from-password-file", "/p")]
    [InlineData("copy")]
    [InlineData("copy", "latest", "--from", "")]
    [InlineData("init", "--secrets-of", "")]
    [InlineData("init", "--from-password-file", "/p")]
    [InlineData("check", "now")]
    [InlineData("points", "--last", "0")]
    [InlineData("points", "x")]
    [InlineData("points", "--path", "")]
    [InlineData("prune", "--max-unused", "x")]
    [InlineData("prune", "--max-unused", "101%")]
    [InlineData("prune", "--max-time", "long")]
    [InlineData("prune", "--max-requests", "0")]
    [InlineData("settings", "--undelete-window", "7")]
    [InlineData("forget")]
    [InlineData("forget", "--dry-run")]
    [InlineData("forget", "--host", "h")]
    [InlineData("forget", "3f9a", "--keep-last", "1")]
    [InlineData("forget", "3f9a", "--tag", "t")]
    [InlineData("forget", "--keep-last", "0")]
    [InlineData("forget", "--keep-daily", "-1")]
    [InlineData("forget", "--keep-within", "3")]
    [InlineData("forget", "--keep-within", "d")]
    [InlineData("forget", "--keep-within", "3d2d")]
    [InlineData("forget", "--keep-within", "30min")]
    [InlineData("forget", "--keep-within", "")]
    [InlineData("forget", "--keep-last", "1", "--group-by", "hots")]
    [InlineData("forget", "--keep-last", "1", "--time-zone", "Berlin")]
    [InlineData("hold")]
    [InlineData("hold", "latest", "--until", "2020-01-01")]
    [InlineData("release")]
    [InlineData("stats", "a", "b")]
    [InlineData("stats", "a", "--at", "now")]
    [InlineData("stats", "a", "--by", "source")]
    [InlineData("stats", "--by", "size")]
    [InlineData("stats", "--by", "source", "--time-zone", "UTC")]
    [InlineData("stats", "--by", "day", "--time-zone", "Berlin")]
    [InlineData("export", "latest")]
    [InlineData("export", "-o", "f")]
    [InlineData("import")]
    [InlineData("apply", "f")]
    [InlineData("apply", "--to", "d")]
    [InlineData("key", "remove")]
    [InlineData("key", "add", "x")]
    [InlineData("init", "x")]
    public void WhatCannotBeMeantIsRefusedInOneLine(params string[] arguments)
    {
        string message = world.Refused(arguments);
        Assert.DoesNotContain('\n', message);
        Assert.NotEmpty(message);
    }

    [Fact]
    public void AMistypedFlagIsNeverTakenForAPath()
    {
        Assert.Contains("'--exlude'", world.Refused("backup", "/a", "--exlude", "x"), StringComparison.Ordinal);
        Assert.Equal(["-odd", "--full"], world.Read<BackupOptions>("backup", "--", "-odd", "--full").Paths);
        Assert.Equal("-n", world.Read<BackupOptions>("backup", "/a", "--exclude=-n").Exclusions.Single().Text);
    }

    [Fact]
    public void PathsAreTakenAsTheyAre()
    {
        string[] odd = ["@list", "a=b", "[suggest]x", "caf\uDCE9", "with space", "/r:x", "*", "ls"];
        Assert.Equal(odd, world.Read<BackupOptions>(["backup", .. odd]).Paths);
    }

    [Fact]
    public void PointsTakesFilters()
    {
        PointsOptions options = world.Read<PointsOptions>(
            "points", "--host", "h", "--path", "/p", "--tag", "a", "--tag", "b", "--changes", "--last", "3");
        Assert.Equal(("h", "/p", true, 3), (options.Filter.HostName, options.Filter.Path, options.Changes, options.Last));
        Assert.Equal(["a", "b"], options.Filter.Tags);
        Assert.Null(world.Read<PointsOptions>("snapshots").Last);
    }

    [Fact]
    public void ForgetReadsAPolicy()
    {
        ForgetOptions options = world.Read<ForgetOptions>(
            "forget", "--keep-last", "1", "--keep-hourly", "2", "--keep-daily", "3", "--keep-weekly", "4", "--keep-monthly", "unlimited", "--keep-yearly", "2147483647",
            "--keep-within", "1y5m2w7d2h", "--keep-within-hourly", "1h", "--keep-within-daily", "1d", "--keep-within-weekly", "1w", "--keep-within-monthly", "1m",
            "--keep-within-yearly", "1y", "--keep-tag", "a", "--keep-tag", "b,c", "--group-by", "tags, host", "--host", "h", "--path", "/p", "--tag", "t",
            "--time-zone", "Europe/Berlin", "--allow-remove-all", "-n");

        Assert.Equal(
            [
                new RetentionRule(RetentionPeriod.Each, 1), new RetentionRule(RetentionPeriod.Hour, 2), new RetentionRule(RetentionPeriod.Day, 3),
                new RetentionRule(RetentionPeriod.Week, 4), new RetentionRule(RetentionPeriod.Month), new RetentionRule(RetentionPeriod.Year),
                new RetentionRule(RetentionPeriod.Each, Within: new CalendarSpan(1, 5, 21, 2)), new RetentionRule(RetentionPeriod.Hour, Within: new CalendarSpan(0, 0, 0, 1)),
                new RetentionRule(RetentionPeriod.Day, Within: new CalendarSpan(0, 0, 1, 0)), new RetentionRule(RetentionPeriod.Week, Within: new CalendarSpan(0, 0, 7, 0)),
                new RetentionRule(RetentionPeriod.Month, Within: new CalendarSpan(0, 1, 0, 0)), new RetentionRule(RetentionPeriod.Year, Within: new CalendarSpan(1, 0, 0, 0)),
            ],
            options.Policy.Rules);
        Assert.Equal(["a", "b,c"], options.Policy.KeepTags);
        Assert.Equal(PointGrouping.Tags | PointGrouping.Host, options.Grouping);
        Assert.Equal(("h", "/p", "t"), (options.Filter.HostName, options.Filter.Path, options.Filter.Tags.Single()));
        Assert.Equal("Europe/Berlin", options.Zone?.Id);
        Assert.True(options is { AllowsEmptyGroups: true, DryRun: true });
        Assert.Equal(PointGrouping.None, world.Read<ForgetOptions>("forget", "--keep-last", "1", "--group-by", "").Grouping);
        ForgetOptions named = world.Read<ForgetOptions>("forget", "3f9a", "latest");
        Assert.Equal((PointGrouping.Source, null, false, false), (named.Grouping, named.Zone, named.AllowsEmptyGroups, named.DryRun));
        Assert.Equal([new PointSelector("3f9a", null), new PointSelector("latest", null)], named.Points);
    }

    [Fact]
    public void AHoldHasAnEndAndAReason()
    {
        HoldOptions options = world.Read<HoldOptions>("hold", "3f9a", "--until", "90d", "--reason", "audit");
        Assert.Equal((TestWorld.Noon.AddDays(90), "audit"), (options.Until, options.Reason));
        Assert.Null(world.Read<HoldOptions>("hold", "latest").Until);
        Assert.Empty(world.Read<UndeleteOptions>("undelete").Points);
    }

    [Fact]
    public void APointIsANameOrAMoment()
    {
        LsOptions named = world.Read<LsOptions>("ls", "3f9a", "etc", "-l", "--recursive");
        Assert.Equal(new LsOptions(new PointSelector("3f9a", null), "etc", true, true), named);

        DateTimeOffset at = TestWorld.Noon.AddHours(-2);
        Assert.Equal(new LsOptions(new PointSelector(null, at), null, false, false), world.Read<LsOptions>("ls", "--at", "2h"));
        Assert.Equal("etc", world.Read<LsOptions>("ls", "etc", "--at", "2h").Path);

        LsOptions ofSource = world.Read<LsOptions>("ls", "latest:web1:/srv", "etc", "--at", "2h");
        Assert.Equal((new PointSelector("latest:web1:/srv", at), "etc"), (ofSource.Point, ofSource.Path));
        Assert.Equal("./latest", world.Read<LsOptions>("ls", "./latest", "--at", "2h").Path);
    }

    [Fact]
    public void TheOtherReadersOfPoints()
    {
        Assert.Equal(new CatOptions(new("latest", null), "etc/fstab"), world.Read<CatOptions>("cat", "latest", "etc/fstab"));
        Assert.Equal(new CatOptions(new("latest", null), "x"), world.Read<CatOptions>("dump", "latest", "x"));
        Assert.Equal(new StatsOptions(null), world.Read<StatsOptions>("stats"));
        Assert.Equal(new StatsOptions(new PointSelector("a", null)), world.Read<StatsOptions>("stats", "a"));
        Assert.Equal(
            new StatsOptions(new PointSelector(null, TestWorld.Noon)), world.Read<StatsOptions>("stats", "--at", "now"));
        Assert.Equal(new StatsOptions(null, StatsBy.Source), world.Read<StatsOptions>("stats", "--by", "source"));
        Assert.Equal(
            new StatsOptions(null, StatsBy.Period, RetentionPeriod.Week, TimeZoneInfo.Utc), world.Read<StatsOptions>("stats", "--by=week", "--time-zone", "UTC"));
        Assert.Equal(new DiffOptions(new("a", null), new("b", null)), world.Read<DiffOptions>("diff", "a", "b"));
        Assert.Equal(
            new DiffOptions(new("a", null), new(null, TestWorld.Noon)), world.Read<DiffOptions>("diff", "--at", "now", "a"));

        FindOptions find = world.Read<FindOptions>("find", "*.doc", "--point", "a", "--point", "b", "--at", "now", "-i");
        Assert.Equal(("*.doc", true), (find.Pattern, find.IgnoreCase));
        Assert.Equal([new("a", null), new("b", null), new PointSelector(null, TestWorld.Noon)], find.Points);
    }

    [Fact]
    public void RestoreHeedsEveryFlag()
    {
        RestoreOptions options = world.Read<RestoreOptions>(
            "restore", "latest", "etc", "var/log", "--to", "/x", "--delete", "--include", "*.c", "--exclude", "*.o",
            "--dry-run", "--verify", "--overwrite", "if-changed");
        Assert.Equal(new PointSelector("latest", null), options.Point);
        Assert.Equal(["etc", "var/log"], options.Paths);
        Assert.Equal("/x", options.Target);
        Assert.True(options is { Delete: true, DryRun: true, Verify: true, Overwrite: OverwritePolicy.IfChanged });
        Assert.Equal(["*.c"], options.Includes);
        Assert.Equal(["*.o"], options.Excludes);

        Assert.Equal(OverwritePolicy.Always, world.Read<RestoreOptions>("restore", "latest", "--to", "/x").Overwrite);
        Assert.Equal(["etc"], world.Read<RestoreOptions>("restore", "--at", "now", "etc", "-t", "/x").Paths);
    }

    [Fact]
    public void CheckReadsNothingAPartOrAll()
    {
        Assert.Equal(new CheckOptions(), world.Read<CheckOptions>("check"));
        Assert.Equal(new CheckOptions { ReadData = true, Share = 0.05 }, world.Read<CheckOptions>("check", "--read-data-subset", "5%"));
        Assert.Equal(new CheckOptions { ReadData = true, Bytes = 10L << 30 }, world.Read<CheckOptions>("check", "--read-data-subset", "10G"));
        Assert.Equal(new CheckOptions { ReadData = true, Part = (3, 7) }, world.Read<CheckOptions>("check", "--read-data-subset", "3/7"));
        Assert.Equal(new CheckOptions { ReadData = true }, world.Read<CheckOptions>("check", "--read-data"));
        Assert.Equal(
            new CheckOptions { ReadData = true, Rolling = true, MaxAge = TimeSpan.FromDays(14), MaxTime = TimeSpan.FromMinutes(90) },
            world.Read<CheckOptions>("check", "--rolling", "--max-age", "2w", "--max-time", "90m"));
    }

    [Fact]
    public void KeysExportAndApply()
    {
        Assert.Equal(new KeyListOptions(), world.Read<KeyListOptions>("key", "list"));
        Assert.Equal(
            new KeyAddOptions("/f", "safe", null),
            world.Read<KeyAddOptions>("key", "add", "--new-password-file", "/f", "--label", "safe"));
        Assert.Equal(new KeyAddOptions(null, null, KeyRole.Prune), world.Read<KeyAddOptions>("key", "add", "--role", "prune"));
        Assert.Equal(new KeyRotateOptions(true), world.Read<KeyRotateOptions>("key", "rotate", "--identity"));
        Assert.Equal(new KeyRemoveOptions("5c"), world.Read<KeyRemoveOptions>("key", "remove", "5c"));
        Assert.Equal(new KeyPasswdOptions(null), world.Read<KeyPasswdOptions>("key", "passwd"));
        Assert.Equal(
            new ExportOptions(new("b", null), new("a", null), "-"),
            world.Read<ExportOptions>("export", "b", "--since", "a", "-o", "-"));
        Assert.Equal(new ImportOptions("f", "/p"), world.Read<ImportOptions>("import", "f", "--from-password-file", "/p"));
        Assert.Equal(new ApplyOptions("f", "d", true), world.Read<ApplyOptions>("apply", "f", "--to", "d", "--dry-run"));
        Assert.Equal(new InitOptions(null, null), world.Read<InitOptions>("init"));
    }

    [Theory]
    [InlineData("-r", "/v", "points")]
    [InlineData("points", "-r", "/v")]
    [InlineData("points", "--vault=/v")]
    public async Task CommonFlagsStandBeforeOrBehindTheVerb(params string[] arguments)
    {
        string? address = null;
        world.Verb = (_, context, _) =>
        {
            address = context.VaultAddress;
            return Task.FromResult(0);
        };
        Assert.Equal(0, await world.RunAsync(arguments));
        Assert.Equal("/v", address);
    }

    [Fact]
    public async Task CommonFlagsAndVariablesReachTheVerb()
    {
        CommandContext? seen = null;
        world.Verb = (_, context, _) =>
        {
            seen = context;
            return Task.FromResult(0);
        };
        world.Variables["HOLDFAST_VAULT"] = "/from-variable";
        Assert.Equal(0, await world.RunAsync("points", "--memory", "512M", "--threads", "2", "-v"));
        Assert.Equal("/from-variable", seen!.VaultAddress);
        Assert.Equal((512L << 20, 2), (seen.Common.MemoryBytes, seen.Common.Threads));
        Assert.True(seen.Output.Verbose);

        Assert.Equal(0, await world.RunAsync("points", "-r", "/from-flag"));
        Assert.Equal("/from-flag", seen.VaultAddress);
    }

    [Fact]
    public async Task WithoutAVaultTheErrorSaysHowToNameOne()
    {
        world.Verb = (_, context, _) => Task.FromResult(context.VaultAddress.Length);
        Assert.Equal((int)ErrorKind.Usage, await world.RunAsync("points"));
        Assert.Contains("HOLDFAST_VAULT", world.Error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("points", "--memory", "1K")]
    [InlineData("points", "--memory", "lots")]
    [InlineData("points", "--threads", "0")]
    [InlineData("points", "-q", "-v")]
    [InlineData("version", "-r", "/v")]
    [InlineData("version", "--threads", "2")]
    [InlineData("apply", "f", "--to", "d", "-r", "/v")]
    [InlineData("nothing")]
    [InlineData("--nothing")]
    [InlineData("key")]
    [InlineData("key", "lsit")]
    [InlineData("help", "nothing")]
    [InlineData("completion", "tcsh")]
    public async Task WhatAVerbCannotHeedIsRefused(params string[] arguments)
    {
        // A verb that ran would not find it: another code.
        world.Variables["HOLDFAST_VAULT"] = "/nowhere/vault";
        Assert.Equal((int)ErrorKind.Usage, await world.RunAsync(arguments));
        Assert.StartsWith("holdfast: ", world.Error.ToString(), StringComparison.Ordinal);
        Assert.Empty(world.Output.ToString());
    }

    [Theory]
    [InlineData("backpu", "backup")]
    [InlineData("restor", "restore")]
    [InlineData("pionts", "points")]
    public async Task ASlipOfTheFingerIsAnsweredWithWhatWasMeant(string typed, string meant)
    {
        Assert.Equal(2, await world.RunAsync(typed));
        Assert.Contains($"did you mean {meant}?", world.Error.ToString(), StringComparison.Ordinal);
    }
}
