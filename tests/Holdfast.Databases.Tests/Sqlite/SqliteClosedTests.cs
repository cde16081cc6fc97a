using Holdfast.Databases.Sqlite;
using Holdfast.Log;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>Copies of a database that nobody uses: it is only read.</summary>
public sealed class SqliteClosedTests
{
    [Theory]
    [InlineData("DELETE"), InlineData("TRUNCATE"), InlineData("PERSIST"), InlineData("WAL")]
    public void WhatAKilledWriterCommittedIsInTheCopyAndTheSourceIsUntouched(string journalMode)
    {
        using var databases = new SqliteDatabases();
        long committed = databases.LeaveByAKilledWriter(journalMode);
        string beside = databases.Database + (journalMode == "WAL" ? "-wal" : "-journal");
        Assert.True(new FileInfo(beside).Length > 100_000, "there is nothing to recover");
        string before = databases.State();
        (string copy, Capture capture) = databases.Capture();
        Assert.Equal(before, databases.State());
        Assert.Equal(CaptureWay.Closed, capture.Way);
        Assert.Equal(committed, CountingWriter.ReadCopy(copy));
        Assert.Equal("ok\n5", SqliteShell.Once(copy, "PRAGMA integrity_check; SELECT n FROM counter;"));
        // And whoever opens the source next recovers the same.
        Assert.Equal("ok\n5", SqliteShell.Once(databases.Database, "PRAGMA integrity_check; SELECT n FROM counter;"));
    }

    [Theory]
    [InlineData("DELETE", 512), InlineData("WAL", 512), InlineData("PERSIST", 65536), InlineData("WAL", 65536)]
    public void AnyPageSizeIsRecovered(string journalMode, int pageBytes)
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter(journalMode, $"PRAGMA page_size={pageBytes}; PRAGMA auto_vacuum=INCREMENTAL;");
        Assert.Equal(5, CountingWriter.ReadCopy(databases.Capture().Path));
    }

    [Theory]
    [InlineData("DELETE"), InlineData("PERSIST"), InlineData("TRUNCATE"), InlineData("WAL")]
    public void ACopyOfAClosedDatabaseIsItsBytes(string journalMode)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, journalMode, 3_000_000);
        string before = databases.State();
        (string copy, Capture capture) = databases.Capture();
        Assert.Equal(before, databases.State());
        Assert.Equal(CaptureWay.Closed, capture.Way);
        Assert.Equal(File.ReadAllBytes(databases.Database), File.ReadAllBytes(copy));
    }

    [Fact]
    public void AnEmptyFileIsAnEmptyDatabase()
    {
        using var databases = new SqliteDatabases();
        File.Create(databases.Database).Dispose();
        (string copy, _) = databases.Capture();
        Assert.Equal(0, new FileInfo(copy).Length);
        Assert.Empty(databases.Engine.Check(copy, null, CancellationToken.None).Problems);
    }

    [Theory]
    [InlineData("a?mode=memory.db"), InlineData("50%25.db"), InlineData("#1 'x' \"y\".db"), InlineData("Größe Ω 名.db"), InlineData("file:x.db")]
    [InlineData("a\nb.db"), InlineData("-init.db")]
    public void AnyNameIsTakenAsItIs(string name)
    {
        using var databases = new SqliteDatabases(name);
        databases.LeaveByAKilledWriter("WAL");
        (string copy, _) = databases.Capture();
        Assert.Equal(5, CountingWriter.ReadCopy(copy));
        Assert.Empty(databases.Engine.Check(copy, null, CancellationToken.None).Problems);
        using var shell = new SqliteShell(databases.Database, "SELECT * FROM counter;");
        Assert.Equal(CaptureWay.Shared, databases.Capture().Capture.Way);
    }

    [Fact]
    public void ALinkLeadsToTheDatabaseAndWhatLiesBesideIt()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        Directory.CreateDirectory($"{databases.Root}/links");
        File.CreateSymbolicLink($"{databases.Root}/links/second", databases.Database);
        File.CreateSymbolicLink($"{databases.Root}/links/first", "second");
        string target = $"{databases.Root}/copy";
        databases.Engine.Find($"{databases.Root}/links/first").Capture(target, new CaptureOptions(), CancellationToken.None);
        Assert.Equal(5, CountingWriter.ReadCopy($"{target}/first"));
    }

    [Fact]
    public void WhatIsNotThereOrNoDatabaseIsRefused()
    {
        using var databases = new SqliteDatabases();
        AssertNotThere($"{databases.Root}/missing");
        AssertNotThere(databases.Root);
        File.WriteAllText(databases.Database, "only text, but long enough to have a header of a hundred bytes, if it had one, which it has not");
        Assert.Contains("encrypted", AssertNotThere(databases.Database).Hint, StringComparison.Ordinal);

        HoldfastException AssertNotThere(string path)
        {
            HoldfastException e = Assert.Throws<HoldfastException>(() => databases.Engine.Find(path));
            Assert.Equal(ErrorKind.NotThere, e.Kind);
            return e;
        }
    }

    [Fact]
    public void AThrottledCopyIsToldToTheClock()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 1_000_000);
        var clock = new StepClock();
        databases.Engine = new SqliteEngine(new HostDisk(), clock, TimeSpan.FromSeconds(20));
        long bytes = new FileInfo(databases.Database).Length;
        var seen = new List<long>();
        databases.Capture(new CaptureOptions { MaxBytesPerSecond = bytes / 10, OnCopied = (copied, _) => seen.Add(copied) });
        Assert.InRange(clock.Elapsed.TotalSeconds, 9.9, 10.2);
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(bytes, seen[^1]);
        Assert.True(seen.Count > 100, $"{seen.Count} steps");
    }

    [Fact]
    public void AWriterThatComesDuringASlowCopyNeedNotWaitForItsEnd()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 2_000_000);
        using var shell = new SqliteShell(databases.Database);
        bool written = false;
        var options = new CaptureOptions
        {
            MaxBytesPerSecond = 8_000_000,
            OnCopied = (copied, total) =>
            {
                if (written || copied == total) return;
                written = true;
                shell.Send("UPDATE counter SET n = 0;");
            },
        };
        (string copy, _) = databases.Capture(options);
        Assert.True(written);
        Assert.Equal(0, CountingWriter.ReadCopy(copy));
        Assert.Equal("ok", shell.Run("SELECT 'ok';"));
    }

    [Fact]
    public void CancellingLeavesTheSourceAsItWas()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        string before = databases.State();
        using var cancelled = new CancellationTokenSource();
        var options = new CaptureOptions { OnCopied = (_, _) => cancelled.Cancel() };
        Assert.Throws<OperationCanceledException>(() => databases.Capture(options, cancelled.Token));
        Assert.Equal(before, databases.State());
        Assert.Equal(5, CountingWriter.ReadCopy(databases.Capture().Path));
    }

    /// <summary>A clock on which timers ring at once, and time passes by them alone.</summary>
    private sealed class StepClock : TimeProvider
    {
        public TimeSpan Elapsed { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Elapsed += dueTime;
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
