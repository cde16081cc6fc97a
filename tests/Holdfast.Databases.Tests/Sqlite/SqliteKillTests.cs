using Holdfast.Log;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>Copies whose process is killed.</summary>
public sealed class SqliteKillTests
{
    private const int BallastBytes = 4_000_000;
    private const long BytesPerSecond = 6_000_000;

    /// Goal: whenever a copy is killed, nothing of it has the target's name, the database goes on, and the next copy removes what is left.
    /// Method: copies at a limited speed, each killed once a random part of it is on the disk; the last one runs to its end.
    [Theory]
    [InlineData("WAL", true, 1), InlineData("DELETE", true, 2), InlineData("WAL", false, 3), InlineData("DELETE", false, 4)]
    public void NothingIsLeftOfACopyThatIsKilled(string journalMode, bool isWritten, int seed) => Run(journalMode, isWritten, seed, rounds: 4);

    [Theory, Trait("Category", "Long")]
    [InlineData("WAL", true, 11), InlineData("DELETE", true, 12), InlineData("WAL", false, 13), InlineData("DELETE", false, 14)]
    public void NothingIsLeftOfAnyOfManyCopiesThatAreKilled(string journalMode, bool isWritten, int seed) => Run(journalMode, isWritten, seed, rounds: 30);

    private static void Run(string journalMode, bool isWritten, int seed, int rounds)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, journalMode, BallastBytes);
        long length = new FileInfo(databases.Database).Length;
        // Nobody has it open: not a byte of it, nor anything beside it, may change.
        string before = databases.State();
        using CountingWriter? writer = isWritten ? new CountingWriter(databases.Database) : null;
        string target = $"{databases.Root}/copy.db";
        var random = new Random(seed);
        int killed = 0;
        for (int round = 0; round < rounds; round++)
        {
            string explanation = $"seed {seed}, round {round}";
            using (var copy = new SqliteCopyProcess(databases.Database, target, BytesPerSecond))
            {
                long part = round == 0 ? 0 : random.NextInt64(length);
                if (copy.KillAt(part)) killed++;
            }

            // One that came to its end before it was killed is there, and whole.
            if (File.Exists(target))
            {
                _ = CountingWriter.ReadCopy(target);
                File.Delete(target);
            }

            if (writer is null) Assert.Equal($"{explanation}\n{before}", $"{explanation}\n{databases.State()}");
            else writer.WaitFor(5);
            Assert.True(SqliteCopyProcess.StagesOf(target).Length <= 1, $"{explanation}: what was left by the one before is still there");
        }

        Assert.True(killed > rounds / 4, $"seed {seed}: only {killed} of {rounds} were killed");
        long acknowledged = writer?.Acknowledged ?? 0;
        new DatabaseCheckpointer(Host.CreateReal()).Checkpoint(DatabaseEngines.Get("sqlite").Find(databases.Database), target);
        Assert.InRange(CountingWriter.ReadCopy(target), acknowledged, writer?.Sent ?? 0);
        Assert.Empty(SqliteCopyProcess.StagesOf(target));
        Assert.Equal(["copy.db", "live"], Directory.EnumerateFileSystemEntries(databases.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    /// Somebody reads it who does not roll back what a writer left that died: nobody can read it anew, and no attempt will change that.
    [Fact]
    public void ATransactionThatNobodyRollsBackIsToldAtOnce()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 10_000);
        using (var reader = new SqliteShell(databases.Database, "BEGIN; SELECT n FROM counter;"))
        {
            // Its journal counts from the first page on, before readers have gone: it is never synced.
            using (var writer = new SqliteShell(databases.Database, "PRAGMA synchronous=OFF; BEGIN; UPDATE counter SET n = 99;")) writer.Kill();
            HoldfastException e = Assert.Throws<HoldfastException>(() => databases.Capture(new CaptureOptions { MaxAttempts = int.MaxValue }));
            Assert.Equal(ErrorKind.Busy, e.Kind);
            Assert.Contains($"process {reader.ProcessId} (sqlite3) has it open", e.Message, StringComparison.Ordinal);
            Assert.Contains("rolled back", e.Message, StringComparison.Ordinal);
        }

        (string copy, Capture capture) = databases.Capture();
        Assert.Equal(CaptureWay.Closed, capture.Way);
        Assert.Equal(0, CountingWriter.ReadCopy(copy));
    }
}
