using Holdfast.Databases.Sqlite;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>Copies of a database that another process writes at full speed.</summary>
public sealed class SqliteLiveTests
{
    private const int BallastBytes = 6_000_000;

    public static TheoryData<string, int> FewRounds => new()
    {
        { "WAL", 8 }, { "DELETE", 5 }, { "TRUNCATE", 3 }, { "PERSIST", 3 }, { "MEMORY", 3 },
    };

    public static TheoryData<string, int> ManyRounds => new()
    {
        { "WAL", 200 }, { "DELETE", 100 }, { "TRUNCATE", 50 }, { "PERSIST", 50 },
    };

    [Theory, MemberData(nameof(FewRounds))]
    public void EachCopyIsTheDatabaseAtOneInstantOfTheCall(string journalMode, int rounds) => Run(journalMode, rounds);

    [Theory, MemberData(nameof(ManyRounds)), Trait("Category", "Long")]
    public void EachOfManyCopiesIsTheDatabaseAtOneInstantOfTheCall(string journalMode, int rounds) => Run(journalMode, rounds);

    [Fact]
    public void AWriterInWalModeGoesOnDuringACopyThatIsSlow()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 200_000);
        using var writer = new CountingWriter(databases.Database);
        long first = 0;
        var options = new CaptureOptions
        {
            OnCopied = (copied, total) =>
            {
                // In the midst of the copy: if writers had to wait, this would never come true.
                if (copied < total && first == 0) first = copied;
                if (copied < total) writer.WaitFor(50);
            },
            MaxBytesPerSecond = 1_000_000,
        };
        writer.WaitFor(10);
        long before = writer.Acknowledged;
        (string copy, Capture capture) = databases.Capture(options);
        Assert.Equal(CaptureWay.Shared, capture.Way);
        Assert.True(first > 0, "it was copied in one step");
        // The instant is that of the beginning: it was never begun anew.
        Assert.InRange(CountingWriter.ReadCopy(copy), before, before + 100);
    }

    [Fact]
    public void AWriterInRollbackModeGoesOnBetweenSteps()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 400_000);
        // With it, it is never taken for a database that nobody has open.
        using SqliteConnection own = SqliteConnection.OpenForReading(databases.Database);
        using var writer = new CountingWriter(databases.Database);
        int steps = 0;
        var options = new CaptureOptions
        {
            MaxBytesPerSecond = 4_000_000,
            OnCopied = (copied, total) =>
            {
                if (steps++ < 3 && copied < total) writer.WaitFor(1);
            },
        };
        writer.WaitFor(3);
        (string copy, _) = databases.Capture(options);
        Assert.True(CountingWriter.ReadCopy(copy) > 0);
    }

    [Fact]
    public void ADatabaseThatIsWrittenAllTheTimeIsCopiedAfterABoundedNumberOfAttempts()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 3_000_000);
        using var writer = new CountingWriter(databases.Database);
        long begun = 0, last = 0;
        var options = new CaptureOptions
        {
            MaxAttempts = 2,
            MaxBytesPerSecond = 20_000_000,
            OnCopied = (copied, total) =>
            {
                if (copied < last) begun++;
                last = copied;
            },
        };
        writer.WaitFor(3);
        (string copy, _) = databases.Capture(options);
        Assert.True(CountingWriter.ReadCopy(copy) > 0);
        Assert.InRange(begun, 0, 4);
    }

    [Fact]
    public void ADatabaseThatIsOpenButIdleIsCopiedAndItsLogIsLeft()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 100_000);
        using var shell = new SqliteShell(databases.Database, "UPDATE counter SET n = 7;");
        string before = StateOfContent(databases);
        using SqliteConnection copy = SqliteConnection.OpenImmutable(databases.Capture().Path);
        Assert.Equal(7, copy.QueryNumber("SELECT n FROM counter"));
        Assert.Equal(before, StateOfContent(databases));
        Assert.Equal("8", shell.Run("UPDATE counter SET n = 8; SELECT n FROM counter;"));
    }

    [Fact]
    public void TheCopyKeepsTheJournalModeAndIsOneFile()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 100_000);
        using var shell = new SqliteShell(databases.Database, "UPDATE counter SET n = 7;");
        (string copy, _) = databases.Capture();
        Assert.Equal("wal\n7\nok", SqliteShell.Once(copy, "PRAGMA journal_mode; SELECT n FROM counter; PRAGMA integrity_check;"));
    }

    [Fact]
    public void ADatabaseThatThisProcessHasOpenIsCopiedAndItsLocksStay()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 100_000);
        using SqliteConnection own = SqliteConnection.OpenForWriting(databases.Database);
        own.Run("BEGIN IMMEDIATE");
        own.Run("UPDATE counter SET n = 3");
        (string copy, Capture capture) = databases.Capture();
        Assert.Equal(CaptureWay.Shared, capture.Way);
        Assert.Equal(0, CountingWriter.ReadCopy(copy));
        Assert.Throws<InvalidOperationException>(() => SqliteShell.Once(databases.Database, ".timeout 20\nBEGIN IMMEDIATE;"));
        own.Run("COMMIT");
    }

    [Fact]
    public void SeveralCopiesAreTakenAtOnceByOneProcess()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 2_000_000);
        using var writer = new CountingWriter(databases.Database);
        writer.WaitFor(3);
        Parallel.For(0, 4, i =>
        {
            string target = $"{databases.Root}/several{i}";
            databases.Engine.Find(databases.Database).Capture(target, new CaptureOptions(), CancellationToken.None);
            Assert.True(CountingWriter.ReadCopy($"{target}/app.db") >= 3);
        });
    }

    // Of the index of the log only that it is there: readers enter themselves in it.
    private static string StateOfContent(SqliteDatabases databases) => databases.State(
        path => path.EndsWith("-shm", StringComparison.Ordinal)
            ? path
            : $"{path} {File.GetLastWriteTimeUtc(path):O} {Convert.ToHexString(SqliteDatabases.ContentOf(path))}");

    private static void Run(string journalMode, int rounds)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, journalMode, BallastBytes);
        using var writer = new CountingWriter(databases.Database, $"PRAGMA journal_mode={journalMode};");
        long last = 0;
        for (int round = 1; round <= rounds; round++)
        {
            writer.WaitFor(1);
            long before = writer.Acknowledged;
            (string copy, Capture capture) = databases.Capture();
            long after = writer.Sent;
            long found = CountingWriter.ReadCopy(copy);
            Assert.True(found >= before && found <= after && found >= last, $"round {round}: {found} in the copy, {before} to {after} in the call");
            Assert.True(journalMode != "WAL" || capture.Way == CaptureWay.Shared, $"round {round}: {capture.Way}");
            last = found;
            Directory.Delete(Path.GetDirectoryName(copy)!, recursive: true);
        }

        writer.WaitFor(1);
    }
}
