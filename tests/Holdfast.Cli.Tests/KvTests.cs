using System.Text.Json;
using Holdfast.Bitcask;
using Holdfast.Files;

namespace Holdfast.Cli.Tests;

/// The verbs of <c>holdfast kv</c>: what people and programs are told, and the exit codes.
public sealed class KvTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("holdfast-kv-").FullName;
    private readonly TestWorld world = new();

    public static TheoryData<string> VerbsOfOneDirectory => ["get", "delete", "scan", "stats", "merge", "verify", "checkpoint", "backup"];

    private string Store => Path.Combine(root, "store");

    private string Output => world.Output.ToString();

    private string Error => world.Error.ToString();

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task AValueComesBackByteForByteAndNothingWithIt()
    {
        string value = SurrogateEscape.Decode([0xff, 0x00, .. "caf\u00e9\n"u8, 0xc3]);
        await ExpectAsync(0, "put", Store, "user/17", value);
        Assert.Empty(Output + Error);
        await ExpectAsync(0, "get", Store, "user/17");
        Assert.Equal(SurrogateEscape.Encode(value), SurrogateEscape.Encode(Output));
    }

    [Fact]
    public async Task AValueOfManyPiecesComesBackByteForByte()
    {
        // Characters of three bytes: most pieces end within one.
        string value = string.Concat(Enumerable.Repeat("\u20ac", 60_000));
        await ExpectAsync(0, "put", Store, "long", value);
        await ExpectAsync(0, "get", Store, "long");
        Assert.Equal(SurrogateEscape.Encode(value), SurrogateEscape.Encode(Output));
        await ExpectAsync(0, "scan", Store);
        Assert.Equal($"long\t{value}\n", Output);
    }

    [Fact]
    public async Task AKeyKeepsItsBytesAndIsShownToProgramsWholeInKeyBase64()
    {
        await ExpectAsync(0, "put", Store, "caf\uDCE9", "1");
        await ExpectAsync(0, "get", Store, "Y2Fm6Q==", "--base64", "--json");
        Assert.Equal("caf\uFFFD", Document.GetProperty("key").GetString());
        Assert.Equal([.. "caf"u8, 0xe9], Document.GetProperty("keyBase64").GetBytesFromBase64());
        Assert.Equal("1", Document.GetProperty("value").GetString());
        Assert.False(Document.TryGetProperty("valueBase64", out _));
    }

    [Fact]
    public async Task AnAbsentKeyIsOneLineAndExitCode1()
    {
        await ExpectAsync(0, "put", Store, "a", "1");
        await ExpectAsync(1, "get", Store, "b\n");
        Assert.Empty(Output);
        Assert.Equal($"holdfast: {Store}: there is no key 'b\\n'\n  \"holdfast kv scan --keys\" lists all\n", Error);
        await ExpectAsync(1, "get", Store, "b", "--json");
        Assert.Equal("failed", Document.GetProperty("kind").GetString());
    }

    [Fact]
    public async Task DeleteMakesAKeyAbsentAndSaysWhetherItWasThere()
    {
        await ExpectAsync(0, "put", Store, "a", "1");
        await ExpectAsync(0, "delete", Store, "a", "--json");
        Assert.True(Document.GetProperty("deleted").GetBoolean());
        await ExpectAsync(1, "get", Store, "a");
        await ExpectAsync(0, "delete", Store, "a");
        Assert.Equal("there was no key 'a'\n", Output);
        await ExpectAsync(0, "delete", Store, "a", "--json");
        Assert.False(Document.GetProperty("deleted").GetBoolean());
    }

    [Fact]
    public async Task PutTellsProgramsWhatItDid()
    {
        await ExpectAsync(0, "put", Store, "a", "four", "--expires", "2h", "--json");
        Assert.Equal("a", Document.GetProperty("key").GetString());
        Assert.Equal(4, Document.GetProperty("bytes").GetInt32());
        Assert.Equal(1, Document.GetProperty("sequence").GetInt32());
        Assert.Equal("2026-11-20T14:00:00Z", Document.GetProperty("expires").GetString());
    }

    [Theory, InlineData("2h"), InlineData("2026-11-20T14:00")]
    public async Task AnExpiredKeyIsAbsent(string when)
    {
        await ExpectAsync(0, "put", Store, "a", "1", "--expires", when);
        world.Clock.Advance(TimeSpan.FromMinutes(119));
        await ExpectAsync(0, "get", Store, "a");
        await ExpectAsync(0, "scan", Store, "--json");
        Assert.Equal("2026-11-20T14:00:00Z", Lines[0].GetProperty("expires").GetString());
        world.Clock.Advance(TimeSpan.FromMinutes(2));
        await ExpectAsync(1, "get", Store, "a");
        await ExpectAsync(0, "scan", Store);
        Assert.Empty(Output);
    }

    [Theory, MemberData(nameof(VerbsOfOneDirectory))]
    public async Task APlaceWithoutAStoreIsExitCode10AndStaysAsItIs(string verb)
    {
        foreach (string place in new[] { Store, root })
        {
            await ExpectAsync(10, [verb, place, .. FurtherArguments(verb)]);
            Assert.Contains($"{place}: there is no key-value store here", Error, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(root));
        }
    }

    [Fact]
    public async Task PutMakesNoStoreAmongOtherFiles()
    {
        await File.WriteAllTextAsync(Path.Combine(root, "letter"), "Dear Ada");
        await ExpectAsync(1, "put", root, "a", "1");
        Assert.Contains("is not empty and no key-value store (letter)", Error, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(root));
        await ExpectAsync(1, "put", Path.Combine(root, "letter"), "a", "1");
        Assert.Contains("is there and is no directory", Error, StringComparison.Ordinal);
        await ExpectAsync(1, "put", Path.Combine(root, "no", "store"), "a", "1");
        Assert.Contains("no such file or directory", Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("put", 11), InlineData("delete", 11), InlineData("merge", 11), InlineData("checkpoint", 11), InlineData("backup", 11)]
    [InlineData("get", 0), InlineData("scan", 0), InlineData("stats", 0), InlineData("verify", 0)]
    public async Task AStoreInUseIsReadAndWhoeverMustWaitIsToldForWhom(string verb, int code)
    {
        using BitcaskStore store = BitcaskStore.Open(Store);
        store.Put("a"u8, "1"u8);
        await ExpectAsync(code, [verb, Store, .. FurtherArguments(verb)]);
        if (code == 0) return;
        Assert.Contains($"{Store}: in use by process {Environment.ProcessId} ", Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(root, "copy")));
    }

    [Fact]
    public async Task ScanShowsEachEntryOnOneLineThatCanBeReadBack()
    {
        await ExpectAsync(0, "put", Store, "a\tb\\", SurrogateEscape.Decode([.. "line\r\n"u8, 0, 0xff, .. "\u00e9\u20ac"u8, 0xc2, 0x85]));
        await ExpectAsync(0, "scan", Store);
        Assert.Equal("a\\tb\\\\\tline\\r\\n\\x00\\xff\u00e9\u20ac\\xc2\\x85\n", Output);
    }

    [Fact]
    public async Task ScanTellsProgramsEachEntryOnALineAndHowManyThereWere()
    {
        await ExpectAsync(0, "put", Store, "a", SurrogateEscape.Decode([0xff]));
        await ExpectAsync(0, "put", Store, "b", "2");
        await ExpectAsync(0, "scan", Store, "--sorted", "--json");
        JsonElement[] lines = Lines;
        Assert.Equal(["entry", "entry", "summary"], lines.Select(line => line.GetProperty("type").GetString()));
        Assert.Equal([0xff], lines[0].GetProperty("valueBase64").GetBytesFromBase64());
        Assert.Equal(("b", "2"), (lines[1].GetProperty("key").GetString(), lines[1].GetProperty("value").GetString()));
        Assert.Equal(2, lines[2].GetProperty("entries").GetInt32());
        await ExpectAsync(0, "scan", Store, "--keys", "--json");
        Assert.False(Lines[0].TryGetProperty("value", out _));
    }

    [Theory]
    [InlineData("b,b1,b2,b3", "--prefix", "b")]
    [InlineData("b1,b2", "--from", "b1", "--before", "b3")]
    [InlineData("b1,b2", "--prefix", "b", "--from", "b1", "--before", "b3")]
    [InlineData("b,b1,b2,b3", "--prefix", "b", "--from", "a", "--before", "z")]
    [InlineData("c,b3,b2", "--reverse", "--limit", "3")]
    [InlineData("b3,b2", "--reverse", "--prefix", "b", "--limit", "2")]
    [InlineData("a,b,b1,b2,b3,c", "--sorted")]
    [InlineData("c", "--prefix", "Yw==", "--base64")]
    [InlineData("", "--prefix", "x")]
    public async Task ScanGivesARangeOfKeysInTheirOrder(string expected, params string[] flags)
    {
        await FillAsync("b2", "c", "b", "a", "b3", "b1");
        await ExpectAsync(0, ["scan", Store, "--keys", .. flags]);
        Assert.Equal(expected, string.Join(',', Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public async Task WithoutARangeScanGivesEachKeyOnceAsItLiesOnTheDisk()
    {
        await FillAsync("b", "c", "a", "b");
        await ExpectAsync(0, "scan", Store, "--keys");
        Assert.Equal("c\na\nb\n", Output);
        await ExpectAsync(0, "scan", Store, "--keys", "--limit", "1");
        Assert.Equal("c\n", Output);
    }

    [Fact]
    public async Task StatsShowWhatIsDead()
    {
        await FillAsync("a", "a", "b");
        await ExpectAsync(0, "delete", Store, "b");
        await ExpectAsync(0, "stats", Store);
        Assert.Contains("keys        1, after 4 changes", Output, StringComparison.Ordinal);
        Assert.Contains("00000001", Output, StringComparison.Ordinal);
        await ExpectAsync(0, "stats", Store, "--json");
        JsonElement segment = Document.GetProperty("segments").EnumerateArray().Single();
        Assert.Equal(1, Document.GetProperty("keys").GetInt32());
        Assert.Equal(1, segment.GetProperty("liveRecords").GetInt32());
        Assert.Equal("active", segment.GetProperty("state").GetString());
        foreach (string share in new[] { "liveBytes", "deadBytes", "tombstoneBytes" })
        {
            Assert.True(Document.GetProperty(share).GetInt64() > 0, share);
            Assert.Equal(Document.GetProperty(share).GetInt64(), segment.GetProperty(share).GetInt64());
        }
    }

    [Fact]
    public async Task MergeGivesBackWhatIsDeadAndNothingElse()
    {
        using (BitcaskStore store = BitcaskStore.Open(Store))
        {
            for (int i = 0; i < 100; i++) store.Put("a"u8, new byte[10_000]);
            store.Put("b"u8, "2"u8);
        }

        await ExpectAsync(0, "merge", Store, "--all", "--json");
        JsonElement summary = Lines.Single(line => line.GetProperty("type").GetString() == "summary");
        Assert.True(summary.GetProperty("bytesBefore").GetInt64() > 1_000_000);
        Assert.InRange(summary.GetProperty("bytesAfter").GetInt64(), 10_000, 12_000);
        Assert.Equal(2, summary.GetProperty("recordsCopied").GetInt32());
        Assert.True(Directory.GetFiles(Store, "*.log").Sum(file => new FileInfo(file).Length) < 20_000);
        await ExpectAsync(0, "get", Store, "b");
        Assert.Equal("2", Output);
        await ExpectAsync(0, "merge", Store);
        Assert.Equal("nothing to merge\n", Output);
    }

    [Fact]
    public async Task VerifySaysThatAStoreIsWhole()
    {
        await FillAsync("a", "b");
        await ExpectAsync(0, "verify", Store);
        Assert.StartsWith("verified 2 keys in 1 segment in ", Output, StringComparison.Ordinal);
        Assert.EndsWith("no damage found\n", Output, StringComparison.Ordinal);
        await ExpectAsync(0, "verify", Store, "--json");
        Assert.Equal((2, 0), (Lines[0].GetProperty("keys").GetInt32(), Lines[0].GetProperty("damages").GetInt32()));
    }

    [Fact]
    public async Task DamageIsNamedByWhoeverMeetsItAndTheRestIsGiven()
    {
        string segment = await FillAndFlipAsync();

        await ExpectAsync(13, "verify", Store);
        Assert.Contains($"damaged: {segment}: bytes ", Output, StringComparison.Ordinal);
        await ExpectAsync(13, "verify", Store, "--json");
        JsonElement damage = Lines.First(line => line.GetProperty("type").GetString() == "damage");
        Assert.Equal(segment, damage.GetProperty("path").GetString());
        Assert.InRange(damage.GetProperty("offset").GetInt64(), 1, 60_000);

        await ExpectAsync(13, "scan", Store, "--keys");
        Assert.Contains($"holdfast: damage: {segment}: bytes ", Error, StringComparison.Ordinal);
        Assert.Equal(99, Output.Count(c => c == '\n'));
        await ExpectAsync(13, "scan", Store, "--sorted", "--json");
        Assert.Equal(99, Lines[^1].GetProperty("entries").GetInt32());
        Assert.True(Lines[^1].GetProperty("damages").GetInt32() > 0);

        await ExpectAsync(13, "get", Store, "key50");
        await ExpectAsync(0, "get", Store, "key51");
    }

    [Fact]
    public async Task ACheckpointAndABackupAreStoresOfTheirOwn()
    {
        await FillAsync("a", "b");
        string copy = Path.Combine(root, "copy"), monday = Path.Combine(root, "monday"), tuesday = Path.Combine(root, "tuesday");
        await ExpectAsync(0, "checkpoint", Store, copy, "--json");
        JsonElement summary = Lines[^1];
        Assert.Equal((copy, 2), (summary.GetProperty("target").GetString(), summary.GetProperty("keys").GetInt32()));
        Assert.True(summary.GetProperty("linkedBytes").GetInt64() > 0);
        await ExpectAsync(0, "backup", Store, monday);
        Assert.StartsWith($"backup {monday}: 2 keys, 1 segment, ", Output, StringComparison.Ordinal);
        Assert.Contains("linked 0 B", Output, StringComparison.Ordinal);
        await ExpectAsync(0, "put", Store, "c", "3");
        await ExpectAsync(0, "backup", Store, tuesday, "--previous", monday, "--json");
        Assert.True(Lines[^1].GetProperty("linkedBytes").GetInt64() > 0);
        Assert.True(Lines[^1].GetProperty("copiedBytes").GetInt64() > 0);

        await ExpectAsync(0, "delete", Store, "a");
        foreach ((string place, string keys) in new[] { (copy, "a,b"), (monday, "a,b"), (tuesday, "a,b,c") })
        {
            await ExpectAsync(0, "verify", place, "--all");
            await ExpectAsync(0, "scan", place, "--keys", "--sorted");
            Assert.Equal(keys, Output.TrimEnd('\n').Replace('\n', ','));
            await ExpectAsync(0, "put", place, "own", "1");
        }

        await ExpectAsync(0, "scan", Store, "--keys", "--sorted");
        Assert.Equal("b\nc\n", Output);
    }

    [Fact]
    public async Task ACopyIsRefusedWhereItWouldDoHarmAndNothingIsLeft()
    {
        await FillAsync("a");
        Directory.CreateDirectory(Path.Combine(root, "full", "inside"));
        foreach (string verb in new[] { "checkpoint", "backup" })
        {
            await ExpectAsync(1, verb, Store, Path.Combine(root, "full"));
            Assert.Contains("is not empty\n  ", Error, StringComparison.Ordinal);
            await ExpectAsync(1, verb, Store, Path.Combine(Store, "copy"));
            Assert.Contains("lies inside the store", Error, StringComparison.Ordinal);
            await ExpectAsync(1, verb, Store, Path.Combine(root, "no", "parent"));
            Assert.Contains("there is no such directory", Error, StringComparison.Ordinal);
        }

        await ExpectAsync(10, "backup", Store, Path.Combine(root, "copy"), "--previous", Path.Combine(root, "full"));
        Assert.Contains("there is no backup here", Error, StringComparison.Ordinal);
        Assert.Equal(["full", "store"], Directory.GetFileSystemEntries(root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task BenchMeasuresAndRemovesWhatItMade()
    {
        await FillAsync("a");
        await ExpectAsync(0, "bench", Store, "--records", "300", "--value-size", "1K", "--json");
        string[] works = [.. Lines.Where(line => line.GetProperty("type").GetString() == "result").Select(line => line.GetProperty("work").GetString()!)];
        Assert.Equal(["put", "get", "scan", "putBatches", "putSynced", "putSyncedByMany", "rawSynced", "open"], works);
        Assert.Empty(Directory.GetDirectories(Store));
        await ExpectAsync(0, "bench", root, "--records", "10");
        Assert.Contains("put, each synced, 32 threads", Output, StringComparison.Ordinal);
        Assert.Equal([Store], Directory.GetFileSystemEntries(root));
        await ExpectAsync(1, "bench", Path.Combine(root, "nothing"));
        Assert.Contains("there is no such directory", Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get", "/s")]
    [InlineData("get", "/s", "")]
    [InlineData("get", "", "k")]
    [InlineData("get", "/s", "not base64", "--base64")]
    [InlineData("put", "/s", "k", "v", "--expires", "soon")]
    [InlineData("put", "/s", "k", "v", "--expires", "2026-11-20T11:59")]
    [InlineData("put", "/s", "k", "v", "--expires", "0s")]
    [InlineData("put", "/s", "k", "v", "w")]
    [InlineData("scan", "/s", "--limit", "0")]
    [InlineData("scan", "/s", "--prefix", "")]
    [InlineData("bench", "/s", "--records", "0")]
    [InlineData("bench", "/s", "--value-size", "17M")]
    [InlineData("backup", "/s", "/t", "--previous", "")]
    [InlineData("checkpoint", "/s")]
    public void WhatCannotBeMeantIsRefused(params string[] arguments) => world.Refused(["kv", .. arguments]);

    [Fact]
    public void APathOfAStoreThatIsNotUtf8IsRefused() => Assert.Contains(
        "the path of a store must be UTF-8", world.Refused("kv", "get", "/s\uDCE9", "k"), StringComparison.Ordinal);

    [Fact]
    public async Task KvAloneNamesItsVerbs()
    {
        Assert.Equal(2, await world.RunAsync("kv"));
        Assert.Contains("one of get, put, delete, scan", Error, StringComparison.Ordinal);
    }

    private static string[] FurtherArguments(string verb) => verb switch
    {
        "get" or "delete" => ["a"],
        "put" => ["a", "2"],
        "checkpoint" or "backup" => [Path.Combine(Path.GetTempPath(), "holdfast-kv-nowhere", "copy")],
        _ => [],
    };

    private JsonElement Document => JsonDocument.Parse(Output).RootElement;

    private JsonElement[] Lines =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];

    private async Task ExpectAsync(int code, params string[] arguments)
    {
        world.Output.GetStringBuilder().Clear();
        world.Error.GetStringBuilder().Clear();
        int found = await world.RunAsync(["kv", .. arguments]);
        Assert.True(found == code, $"kv {string.Join(' ', arguments)}: exit code {found}, expected {code}\n{Output}{Error}");
        Assert.True(Error.Count(c => c == '\n') <= 2 || code == 13, Error);
    }

    private async Task FillAsync(params string[] keys)
    {
        foreach (string key in keys) await ExpectAsync(0, "put", Store, key, "value of " + key);
    }

    /// A store of 100 keys whose value of key50 has a wrong byte; its segment.
    private async Task<string> FillAndFlipAsync()
    {
        using (BitcaskStore store = BitcaskStore.Open(Store, new BitcaskOptions { SealAtCloseBytes = 1 }))
        {
            for (int i = 0; i < 100; i++)
            {
                byte[] value = new byte[500];
                value.AsSpan().Fill((byte)i);
                store.Put(System.Text.Encoding.UTF8.GetBytes($"key{i}"), value);
            }
        }

        string segment = Directory.GetFiles(Store, "*.log").MaxBy(file => new FileInfo(file).Length)!;
        byte[] content = await File.ReadAllBytesAsync(segment);
        int at = content.AsSpan().IndexOf(Enumerable.Repeat((byte)50, 500).ToArray()) + 250;
        content[at] ^= 1;
        File.Delete(segment);
        await File.WriteAllBytesAsync(segment, content);
        return segment;
    }
}
