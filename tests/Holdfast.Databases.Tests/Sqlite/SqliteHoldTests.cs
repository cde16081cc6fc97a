using Holdfast.Databases.Sqlite;
using Holdfast.Log;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>A database that is about to be replaced by another file.</summary>
public sealed class SqliteHoldTests
{
    /// The trap: a log or journal of the old database beside the new one is applied to it and destroys it.
    [Theory]
    [InlineData("WAL"), InlineData("DELETE"), InlineData("PERSIST"), InlineData("TRUNCATE")]
    public void NothingOfTheOldDatabaseIsAppliedToTheNewOne(string journalMode)
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter(journalMode);
        string fresh = MakeOther(databases);
        byte[] content = File.ReadAllBytes(fresh);
        using (databases.Engine.Hold(databases.Database))
        {
            Assert.Equal([databases.Database], Beside(databases));
            Replace(databases, fresh);
        }

        Assert.Equal([databases.Database], Beside(databases));
        Assert.Equal(content, File.ReadAllBytes(databases.Database));
        Assert.Equal("ok\nnew", SqliteShell.Once(databases.Database, "PRAGMA integrity_check; SELECT * FROM other;"));
    }

    [Theory]
    [InlineData("WAL"), InlineData("DELETE"), InlineData("PERSIST")]
    public void ADatabaseThatIsNotReplacedAfterAllIsWhole(string journalMode)
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter(journalMode);
        databases.Engine.Hold(databases.Database).Dispose();
        Assert.Equal("ok\n5", SqliteShell.Once(databases.Database, "PRAGMA integrity_check; SELECT n FROM counter;"));
    }

    [Fact]
    public void NobodyGetsInWhileItIsHeld()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 10_000);
        using (databases.Engine.Hold(databases.Database))
        {
            Assert.Throws<InvalidOperationException>(() => SqliteShell.Once(databases.Database, ".timeout 20\nSELECT * FROM counter;"));
            Assert.Equal(ErrorKind.Busy, Assert.Throws<HoldfastException>(() => databases.Engine.Hold(databases.Database)).Kind);
        }

        Assert.Equal("0", SqliteShell.Once(databases.Database, "SELECT n FROM counter;"));
    }

    [Theory]
    [InlineData("WAL", "SELECT 1;"), InlineData("WAL", "SELECT n FROM counter;"), InlineData("DELETE", "SELECT n FROM counter;")]
    [InlineData("DELETE", "BEGIN EXCLUSIVE;"), InlineData("DELETE", "PRAGMA locking_mode=EXCLUSIVE; SELECT n FROM counter;")]
    public void ADatabaseThatSomebodyHasOpenIsNotHeld(string journalMode, string statement)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, journalMode, 10_000);
        // The shell opens the file with the first statement that needs it.
        using var shell = new SqliteShell(databases.Database, "SELECT count(*) FROM counter;", statement);
        HoldfastException e = Assert.Throws<HoldfastException>(() => SqliteDatabases.Impatient.Hold(databases.Database));
        Assert.Equal(ErrorKind.Busy, e.Kind);
        Assert.Contains($"process {shell.ProcessId} (sqlite3)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADatabaseThatCannotBeRecoveredIsReplacedAllTheSame()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        Corrupt(databases);
        string fresh = MakeOther(databases);
        byte[] log = File.ReadAllBytes($"{databases.Database}-wal");
        using (databases.Engine.Hold(databases.Database)) Replace(databases, fresh);
        Assert.Equal("ok\nnew", SqliteShell.Once(databases.Database, "PRAGMA integrity_check; SELECT * FROM other;"));
        // No program has seen what was in the log: it stays, with its database.
        string[] aside = [.. Beside(databases).Where(path => path.Contains(".damaged-", StringComparison.Ordinal))];
        Assert.Equal(2, aside.Length);
        Assert.Equal(log, File.ReadAllBytes(aside[1]));
    }

    [Fact]
    public void ADatabaseThatCannotBeRecoveredIsPutBackWhenItIsNotReplaced()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        Corrupt(databases);
        string Content() => databases.State(path => $"{path} {Convert.ToHexString(SqliteDatabases.ContentOf(path))}");
        File.Delete($"{databases.Database}-shm");
        string before = Content();
        using (databases.Engine.Hold(databases.Database)) Assert.False(File.Exists(databases.Database));
        Assert.Equal(before, Content());
    }

    [Fact]
    public void AtEachStepOfMovingItAwayItIsWholeUnderOneOfItsNames()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        byte[] file = File.ReadAllBytes(databases.Database);
        byte[] log = File.ReadAllBytes($"{databases.Database}-wal");
        int steps = 0;
        var disk = new WatchedDisk(() =>
        {
            steps++;
            string[] main = [.. Beside(databases).Where(path => !path.EndsWith("-wal", StringComparison.Ordinal) && !path.EndsWith("-shm", StringComparison.Ordinal))];
            Assert.Single(main);
            Assert.Equal(file, File.ReadAllBytes(main[0]));
            Assert.Equal(log, File.ReadAllBytes(main[0] + "-wal"));
        });
        SetAsideDatabase aside = SetAsideDatabase.SetAside(disk, databases.Database);
        aside.Dispose();
        Assert.True(steps > 10, $"{steps} steps");
        Assert.Equal(5, CountingWriter.ReadCopy(databases.Capture().Path));
    }

    [Fact]
    public void WhatADatabaseThatIsGoneLeftKeepsANewOneAway()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        File.Delete(databases.Database);
        Assert.Equal(ErrorKind.Refused, Assert.Throws<HoldfastException>(() => databases.Engine.RefuseLeftovers(databases.Database)).Kind);
        File.Delete($"{databases.Database}-wal");
        databases.Engine.RefuseLeftovers(databases.Database);
    }

    [Fact]
    public void WhatIsSurelyNoDatabaseIsNotReplaced()
    {
        using var databases = new SqliteDatabases();
        File.WriteAllText(databases.Database, "somebody's text that is not to go");
        Assert.Equal(ErrorKind.NotThere, Assert.Throws<HoldfastException>(() => databases.Engine.Hold(databases.Database)).Kind);
        Assert.Equal(ErrorKind.NotThere, Assert.Throws<HoldfastException>(() => databases.Engine.Hold($"{databases.Root}/missing")).Kind);
        File.CreateSymbolicLink($"{databases.Root}/link", databases.Database);
        Assert.Equal(ErrorKind.Refused, Assert.Throws<HoldfastException>(() => databases.Engine.Hold($"{databases.Root}/link")).Kind);
    }

    // The page size says nothing that SQLite could read.
    private static void Corrupt(SqliteDatabases databases)
    {
        using FileStream file = File.OpenWrite(databases.Database);
        file.Position = 16;
        file.Write([0xFF, 0x03, 0x07]);
        using FileStream log = File.OpenWrite($"{databases.Database}-wal");
        log.Position = 0;
        log.WriteByte(0xFF);
    }

    private static string MakeOther(SqliteDatabases databases)
    {
        string path = $"{databases.Root}/other.db";
        _ = SqliteShell.Once(path, "PRAGMA journal_mode=WAL; CREATE TABLE other(x); INSERT INTO other VALUES('new');");
        return path;
    }

    private static void Replace(SqliteDatabases databases, string fresh) => File.Move(fresh, databases.Database, overwrite: true);

    private static string[] Beside(SqliteDatabases databases) =>
        [.. Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(databases.Database)!).Order(StringComparer.Ordinal)];

    /// <summary>The real disk; looks before each change of a name.</summary>
    private sealed class WatchedDisk(Action look) : PassingDisk(new HostDisk())
    {
        public override void Rename(string from, string to)
        {
            look();
            base.Rename(from, to);
            look();
        }

        public override bool TryLink(string existing, string path)
        {
            look();
            return base.TryLink(existing, path);
        }

        public override bool TryDelete(string path)
        {
            look();
            return base.TryDelete(path);
        }

        public override void SyncDirectory(string path)
        {
            base.SyncDirectory(path);
            look();
        }
    }
}
