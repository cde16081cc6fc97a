using System.Diagnostics;
using System.Text.Json;
using Holdfast.Bitcask;
using Holdfast.Cli.Commands.Db;
using Holdfast.Cli.Output;
using Holdfast.Cli.Terminals;
using Holdfast.Databases;
using Holdfast.Log;
using Holdfast.Vault;

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

    [Fact]
    public async Task WhatTheEngineCouldNotCheckIsTold()
    {
        string path = Path.Combine(root, "app.db"), copy = Path.Combine(root, "copy.db");
        // An order of texts that only the program has.
        MakeSqlite(path, """
            CREATE TABLE t(x TEXT COLLATE rtrim); CREATE INDEX i ON t(x); INSERT INTO t VALUES('a'),('b');
            PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'rtrim', 'own');
            """);
        await ExpectAsync(0, "db", "verify", $"sqlite:{path}");
        Assert.Contains("own", Error, StringComparison.Ordinal);
        await ExpectAsync(0, "db", "verify", $"sqlite:{path}", "--json");
        Assert.Contains("own", Summary().GetProperty("limits").GetString(), StringComparison.Ordinal);
        await ExpectAsync(0, "db", "checkpoint", $"sqlite:{path}", copy);
        Assert.Contains("own", Error, StringComparison.Ordinal);

        await ExpectAsync(0, "init");
        await ExpectAsync(0, "db", "backup", $"sqlite:{path}");
        Assert.Contains("own", Error, StringComparison.Ordinal);
        await ExpectAsync(0, "db", "restore", "latest", "--to", Path.Combine(root, "back.db"), "--json");
        Assert.Contains("own", Summary().GetProperty("limits").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("db", "backup", "sqlite:/x"), InlineData("db", "checkpoint", "sqlite:/x", "/y"), InlineData("db", "verify", "sqlite:/x")]
    public async Task ALimitReachesTheCopyAndItsHelpSaysWhereItDoesNot(params string[] words)
    {
        foreach ((string text, long bytes) in new[] { ("50M", 50L << 20), ("1", 1L) })
        {
            string[] limited = [.. words, "--limit", text];
            long? found = words[1] switch
            {
                "backup" => world.Read<DbBackupOptions>(limited).Checkpoint.Capture.MaxBytesPerSecond,
                "checkpoint" => world.Read<DbCheckpointOptions>(limited).Options.Capture.MaxBytesPerSecond,
                _ => world.Read<DbVerifyOptions>(limited).Capture.MaxBytesPerSecond,
            };
            Assert.Equal(bytes, found);
        }

        Assert.Contains("--limit", world.Refused([.. words, "--limit", "0"]), StringComparison.Ordinal);
        await ExpectAsync(0, "db", words[1], "--help");
        Assert.Contains("heeds it not", string.Join(' ', Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsCopiedIsShownUntilAllIsAndBeginsAnewWithTheCopy()
    {
        var work = new WorkProgress();
        var copy = new CopyProgress(work);
        foreach ((long done, long total, long shown, long expected) in new[] { (10L, 100L, 10L, 100L), (60, 100, 60, 100), (20, 120, 20, 120), (120, 120, 0, 0) })
        {
            copy.Tell(done, total);
            Assert.Equal((shown, expected), (work.BytesDone, work.BytesExpected));
        }
    }

    [Fact]
    public async Task ACopyIsShownOnATerminalAndNotToPrograms()
    {
        string path = Path.Combine(root, "app.db");
        MakeSqlite(path, "CREATE TABLE t(x); INSERT INTO t VALUES(zeroblob(3000000));");
        var work = new WorkProgress();
        var options = new CaptureOptions();
        Assert.Null(CopyProgress.In(new CommandOutput(new(true, false, false, false), world.Output, world.Error, Terminal.None, world.Clock), work, options).OnCopied);

        var output = new CommandOutput(new(false, false, false, false), world.Output, world.Error, new Terminal(true, true, () => 80), world.Clock);
        int told = 0;
        options = CopyProgress.In(output, work, options);
        options = options with { OnCopied = options.OnCopied + ((_, _) => told += work.BytesExpected > 3_000_000 ? 1 : 0) };
        new DatabaseCheckpointer(Host.CreateReal()).Checkpoint(
            DatabaseEngines.Get("sqlite").Find(path), Path.Combine(root, "copy.db"), new CheckpointOptions { Capture = options });
        Assert.True(told > 0);
        Assert.Equal(0, work.BytesDone);

        // Lines of progress come at once a second, of a clock that stands here: what is written is the same as without a display.
        world.Terminal = new Terminal(true, true, () => 80);
        await ExpectAsync(0, "db", "checkpoint", $"sqlite:{path}", Path.Combine(root, "copy2.db"));
        Assert.StartsWith("checkpoint ", Output, StringComparison.Ordinal);
        await ExpectAsync(0, "db", "verify", $"sqlite:{path}");
    }

    private static void MakeSqlite(string path, string statements)
    {
        using Process shell = Process.Start(new ProcessStartInfo("sqlite3", ["-batch", "-bail", path]) { RedirectStandardInput = true })!;
        shell.StandardInput.Write(statements);
        shell.StandardInput.Close();
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
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
