using System.Text.Json;
using Holdfast.Bitcask;

namespace Holdfast.Cli.Tests;

/// The verbs of <c>holdfast db</c>: what people and programs are told, and the exit codes.
public sealed class DbTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("holdfast-db-").FullName;
    private readonly TestWorld world = new();

    public DbTests()
    {
        world.Clock.TimestampStep = TimeSpan.FromMilliseconds(100);
        world.Variables["HOLDFAST_PASSWORD"] = "correct horse";
        world.Variables["HOLDFAST_VAULT"] = Path.Combine(root, "vault");
        world.Variables["XDG_STATE_HOME"] = Path.Combine(root, "state");
    }

    private string Store => Path.Combine(root, "store");

    private string Database => $"bitcask:{Store}";

    private string Output => world.Output.ToString();

    private string Error => world.Error.ToString();

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task ADatabaseGoesIntoAVaultAndComesBack()
    {
        Fill(1000);
        await ExpectAsync(0, "init");
        await ExpectAsync(0, "db", "backup", Database, "--json", "--tag", "nightly");
        JsonElement first = Summary();
        Assert.Equal(("bitcask", "shared"), (first.GetProperty("checkpoint").GetProperty("engine").GetString(), first.GetProperty("checkpoint").GetProperty("way").GetString()));
        Fill(1100);
        await ExpectAsync(0, "db", "backup", Database, "--json");
        Assert.Equal("incremental", Summary().GetProperty("kind").GetString());
        string second = Summary().GetProperty("point").GetString()!;
        Assert.True(Summary().GetProperty("bytesAdded").GetInt64() < first.GetProperty("bytesAdded").GetInt64() / 2);

        await ExpectAsync(0, "db", "points");
        Assert.Contains("bitcask  " + Store, Output, StringComparison.Ordinal);
        Assert.Contains("nightly", Output, StringComparison.Ordinal);
        await ExpectAsync(0, "db", "points", "--json");
        JsonElement points = JsonDocument.Parse(Output).RootElement;
        Assert.Equal(2, points.GetArrayLength());
        Assert.Equal("new", points[0].GetProperty("database").GetProperty("verified").GetString());

        string back = Path.Combine(root, "back");
        await ExpectAsync(0, "db", "restore", second, "--to", back);
        Assert.Contains("the engine found it whole", Output, StringComparison.Ordinal);
        Assert.Equal(1100, Count(back));
        await ExpectAsync(15, "db", "restore", first.GetProperty("point").GetString()!, "--to", back);
        await ExpectAsync(0, "db", "restore", first.GetProperty("point").GetString()!, "--to", back, "--replace", "--json");
        Assert.Equal(1000, Count(back));
    }

    [Fact]
    public async Task APointOfFilesIsNoDatabase()
    {
        await ExpectAsync(0, "init");
        Directory.CreateDirectory(Path.Combine(root, "files"));
        await ExpectAsync(0, "backup", Path.Combine(root, "files"), "--json");
        string id = Summary().GetProperty("point").GetString()!;

        await ExpectAsync(2, "db", "restore", id, "--to", Path.Combine(root, "back"));
        Assert.Contains("not of a database", Error, StringComparison.Ordinal);
        await ExpectAsync(0, "db", "points");
        Assert.Contains("no restore points of databases", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACheckpointIsVerifiedWithItsManifest()
    {
        Fill(1000);
        string copy = Path.Combine(root, "copy");
        await ExpectAsync(0, "db", "checkpoint", Database, copy, "--json");
        Assert.Equal(copy, Summary().GetProperty("target").GetString());
        Assert.True(Summary().GetProperty("linkedBytes").GetInt64() > 0);
        Assert.Contains(Summary().GetProperty("files").EnumerateArray(), file => file.GetProperty("transfer").GetString() == "linked");
        await ExpectAsync(15, "db", "checkpoint", Database, copy);
        await ExpectAsync(0, "db", "checkpoint", Database, copy, "--replace");

        await ExpectAsync(0, "db", "verify", $"bitcask:{copy}");
        Assert.Contains("no damage found", Output, StringComparison.Ordinal);

        // A whole file that is not the one of the manifest.
        string last = Directory.GetFiles(copy, "*.log").Order(StringComparer.Ordinal).Last();
        File.Delete(last);
        await ExpectAsync(13, "db", "verify", $"bitcask:{copy}", "--json");
        Assert.Equal(1, Summary().GetProperty("damages").GetInt32());
        Assert.Contains("is missing", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADamagedDatabaseIsNamedAndLeavesNothing()
    {
        Fill(1000);
        using (FileStream file = File.OpenWrite(Directory.GetFiles(Store, "*.log").Order(StringComparer.Ordinal).First()))
        {
            file.Position = 300;
            file.WriteByte(0xA5);
        }

        await ExpectAsync(0, "init");
        await ExpectAsync(13, "db", "backup", Database);
        Assert.Contains(".log", Error, StringComparison.Ordinal);
        await ExpectAsync(13, "db", "checkpoint", Database, Path.Combine(root, "copy"));
        await ExpectAsync(13, "db", "verify", Database);
        Assert.Equal(["store", "vault"], Directory.GetDirectories(root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("mysql:/srv")]
    [InlineData("rocksdb:")]
    [InlineData(":/srv")]
    public void WhatIsNoDatabaseIsRefused(string text) => Assert.StartsWith($"'{text}'", world.Refused("db", "verify", text), StringComparison.Ordinal);

    [Theory]
    [InlineData("bitcask")]
    [InlineData("rocksdb")]
    [InlineData("sqlite")]
    public async Task WhereThereIsNoDatabaseThatIsSaid(string engine)
    {
        await ExpectAsync(10, "db", "verify", $"{engine}:{root}/none");
        Assert.Contains($"{root}/none", Error, StringComparison.Ordinal);
    }

    private static int Count(string store)
    {
        using BitcaskStore back = BitcaskStore.Open(store, new BitcaskOptions { ReadOnly = true, Create = false });
        return (int)back.Count;
    }

    private void Fill(int keys)
    {
        using BitcaskStore store = BitcaskStore.Open(Store, new BitcaskOptions { SegmentBytes = 64 << 10, SealAtCloseBytes = 4 << 10, MaintainInBackground = false });
        for (int i = 0; i < keys; i++)
        {
            if (store.Get(BitConverter.GetBytes(i)) is null) store.Put(BitConverter.GetBytes(i), new byte[300], durability: Log.Durability.None);
        }
    }

    private JsonElement Summary() => JsonDocument.Parse(Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;

    private async Task ExpectAsync(int exitCode, params string[] arguments)
    {
        world.Output.GetStringBuilder().Clear();
        world.Error.GetStringBuilder().Clear();
        int found = await world.RunAsync(arguments);
        Assert.True(exitCode == found, $"{string.Join(' ', arguments)}: exit code {found}, expected {exitCode}\n{Output}{Error}");
    }
}
