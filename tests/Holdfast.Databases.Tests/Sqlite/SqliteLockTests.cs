using Holdfast.Databases.Sqlite;
using Holdfast.Log;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>Locks of other programs, space, and a copy that is killed.</summary>
public sealed class SqliteLockTests
{
    [Theory]
    [InlineData("DELETE", "PRAGMA locking_mode=EXCLUSIVE; UPDATE counter SET n = 1;")]
    [InlineData("WAL", "PRAGMA locking_mode=EXCLUSIVE; UPDATE counter SET n = 1;")]
    [InlineData("DELETE", "BEGIN EXCLUSIVE;")]
    public void AnExclusiveLockIsWaitedForNotForEverAndItsHolderIsNamed(string journalMode, string statement)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, journalMode, 10_000);
        using var shell = new SqliteShell(databases.Database, statement);
        databases.Engine = SqliteDatabases.Impatient;
        HoldfastException e = Assert.Throws<HoldfastException>(() => databases.Capture());
        Assert.Equal(ErrorKind.Busy, e.Kind);
        Assert.Contains($"process {shell.ProcessId} (sqlite3)", e.Message, StringComparison.Ordinal);
        Assert.Contains("waited 0.", e.Message, StringComparison.Ordinal);
        _ = shell.Run("SELECT 1;");
    }

    [Fact]
    public void ALockThatIsLetGoIsWaitedFor()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 10_000);
        using var shell = new SqliteShell(databases.Database, "BEGIN EXCLUSIVE; UPDATE counter SET n = 4;");
        var release = new Thread(() => shell.Send("COMMIT;"));
        release.Start();
        using SqliteConnection copy = SqliteConnection.OpenImmutable(databases.Capture().Path);
        release.Join();
        Assert.Equal(4, copy.QueryNumber("SELECT n FROM counter"));
    }

    [Theory, InlineData("DELETE", 0), InlineData("WAL", 0)]
    public void AnOpenTransactionIsNotInTheCopyAndGoesOn(string journalMode, int expected)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, journalMode, 10_000);
        using var shell = new SqliteShell(databases.Database, "BEGIN IMMEDIATE; UPDATE counter SET n = 9;");
        (string path, Capture capture) = databases.Capture();
        Assert.Equal(CaptureWay.Shared, capture.Way);
        using SqliteConnection copy = SqliteConnection.OpenImmutable(path);
        Assert.Equal(expected, copy.QueryNumber("SELECT n FROM counter"));
        Assert.Equal("9", shell.Run("COMMIT; SELECT n FROM counter;"));
    }

    [Fact]
    public void WhileAnotherReadsACopyIsTaken()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 10_000);
        using var shell = new SqliteShell(databases.Database, "BEGIN; SELECT * FROM counter;");
        Assert.Equal(0, CountingWriter.ReadCopy(databases.Capture().Path));
        Assert.Equal("1", shell.Run("COMMIT; UPDATE counter SET n = 1; SELECT n FROM counter;"));
    }

    [Fact]
    public void AnIdleConnectionInExclusiveModeThatOnlyReadIsNoHindrance()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 10_000);
        using var shell = new SqliteShell(databases.Database, "PRAGMA locking_mode=EXCLUSIVE; SELECT * FROM counter;");
        Assert.Equal(0, CountingWriter.ReadCopy(databases.Capture().Path));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void TooLittleSpaceIsToldBeforeAnythingIsCopied(bool isOpen)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 100_000);
        using SqliteShell? shell = isOpen ? new SqliteShell(databases.Database, "UPDATE counter SET n = 2;") : null;
        databases.Engine = new SqliteEngine(new SmallDisk(5000), TimeProvider.System, TimeSpan.FromSeconds(20));
        string before = databases.State(File.Exists(databases.Database) ? path => path : _ => "");
        HoldfastException e = Assert.Throws<HoldfastException>(() => databases.Capture());
        Assert.Contains("are missing", e.Message, StringComparison.Ordinal);
        Assert.Contains("5000 are free", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, databases.State(path => path));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void ADiskThatFillsUpDuringTheCopyIsTold(bool isOpen)
    {
        if (!SmallFileSystem.CanBeMounted) Assert.Skip("needs root, to mount a small file system");
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 3_000_000);
        using SqliteShell? shell = isOpen ? new SqliteShell(databases.Database, "UPDATE counter SET n = 2;") : null;
        using var small = new SmallFileSystem(1_000_000);
        var engine = new SqliteEngine(new SmallDisk(long.MaxValue), TimeProvider.System, TimeSpan.FromSeconds(20));
        HoldfastException e = Assert.ThrowsAny<HoldfastException>(
            () => engine.Find(databases.Database).Capture($"{small.Path}/copy", new CaptureOptions(), CancellationToken.None));
        Assert.Contains("free some space", e.Hint, StringComparison.Ordinal);
        if (shell is not null) Assert.Equal("3", shell.Run("UPDATE counter SET n = 3; SELECT n FROM counter;"));
    }

    [Theory, InlineData("WAL"), InlineData("DELETE")]
    public void ADatabaseOnAReadOnlyFileSystemIsCopied(string journalMode)
    {
        if (!SmallFileSystem.CanBeMounted) Assert.Skip("needs root, to mount a file system");
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter(journalMode);
        using var small = new SmallFileSystem(10_000_000);
        foreach (string path in Directory.EnumerateFiles(Path.GetDirectoryName(databases.Database)!))
        {
            if (!path.EndsWith("-shm", StringComparison.Ordinal)) File.Copy(path, $"{small.Path}/{Path.GetFileName(path)}");
        }

        small.MakeReadOnly();
        string target = $"{databases.Root}/copy";
        databases.Engine.Find($"{small.Path}/app.db").Capture(target, new CaptureOptions(), CancellationToken.None);
        Assert.Equal(5, CountingWriter.ReadCopy($"{target}/app.db"));
    }

    [Fact]
    public void LocksAreSeenAndTakenAsSqliteDoes()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 10_000);
        using DatabaseFile file = DatabaseFile.TryOpen(databases.Database, writable: true)!;
        using var shell = new SqliteShell(databases.Database, ".timeout 20");
        Assert.Null(file.FindUser());
        _ = shell.Run("BEGIN; SELECT * FROM counter;");
        Assert.Equal(shell.ProcessId, file.FindUser());
        Assert.False(file.TryLockAll());
        Assert.True(file.TryLockShared());
        _ = shell.Run("COMMIT; BEGIN IMMEDIATE;");
        Assert.Equal(shell.ProcessId, file.FindUser());
        _ = shell.Run("ROLLBACK;");
        Assert.True(file.TryLockAll());
        Assert.Throws<InvalidOperationException>(() => shell.Run("SELECT * FROM counter;"));
    }

    /// <summary>The real disk with a say in how much is free.</summary>
    private sealed class SmallDisk(long freeBytes) : PassingDisk(new HostDisk())
    {
        public override long FreeBytes(string path) => freeBytes;
    }
}
