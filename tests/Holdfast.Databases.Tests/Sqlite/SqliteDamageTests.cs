using Holdfast.Log;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>Damage of a source is told when it is copied or checked, never when it is restored.</summary>
public sealed class SqliteDamageTests
{
    private const int PageBytes = 4096;

    public static TheoryData<string> Damages => ["magic", "header", "page size", "cut", "cut in a page", "cut to nothing but a header", "zero page", "flip in a b-tree", "zero schema"];

    [Theory, MemberData(nameof(Damages))]
    public void DamageOfASourceIsToldByItsCopyOrTheCheckOfThat(string damage)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 200_000);
        Apply(databases.Database, damage);
        string before = databases.State();
        AssertToldByCopyOrCheck(databases);
        Assert.Equal(before, databases.State());
    }

    [Theory, MemberData(nameof(Damages))]
    public void DamageOfALiveSourceIsTold(string damage)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 200_000);
        using var shell = new SqliteShell(databases.Database, "SELECT n FROM counter;");
        Apply(databases.Database, damage);
        AssertToldByCopyOrCheck(databases);
    }

    [Theory, MemberData(nameof(Damages))]
    public void DamageOfACopyIsToldByItsCheckWhichChangesNothing(string damage)
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "WAL", 200_000);
        Assert.Empty(databases.Engine.Check(databases.Database, null, CancellationToken.None).Problems);
        Apply(databases.Database, damage);
        string before = databases.State();
        DatabaseCheck check = databases.Engine.Check(databases.Database, null, CancellationToken.None);
        Assert.NotEmpty(check.Problems);
        Assert.InRange(check.Problems.Count, 1, 100);
        Assert.All(check.Problems, problem => Assert.DoesNotContain('\n', problem));
        Assert.Equal(before, databases.State());
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void ADamagedFrameBeforeACommitIsToldNotPassedOver(int seed)
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        string log = $"{databases.Database}-wal";
        var random = new Random(seed);
        // Anywhere but in the last transactions, behind which nothing was committed.
        long offset = random.NextInt64(0, new FileInfo(log).Length / 4);
        Flip(log, offset);
        HoldfastException e = Assert.ThrowsAny<HoldfastException>(() => databases.Capture());
        Assert.True(e.Kind == ErrorKind.Damage, $"seed {seed}, offset {offset}: {e}");
        Assert.Contains("-wal", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALogThatEndsInATornFrameIsNoDamage()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        string log = $"{databases.Database}-wal";
        using (FileStream file = File.OpenWrite(log)) file.SetLength(file.Length - 1000);
        Flip(log, new FileInfo(log).Length - 3000);
        Assert.Equal(5, CountingWriter.ReadCopy(databases.Capture().Path));
    }

    [Fact]
    public void ADamagedJournalIsToldNotPassedOver()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("DELETE");
        string journal = $"{databases.Database}-journal";
        // One of the bytes that a record's checksum covers: each 200th, from the page's end.
        const int sector = 512, record = PageBytes + 8;
        Flip(journal, sector + record + 4 + PageBytes - 400);
        HoldfastException e = Assert.ThrowsAny<HoldfastException>(() => databases.Capture());
        Assert.Equal(ErrorKind.Damage, e.Kind);
        Assert.Contains("record 2 of", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACutJournalIsTold()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("DELETE");
        using (FileStream file = File.OpenWrite($"{databases.Database}-journal")) file.SetLength(10_000);
        Assert.Equal(ErrorKind.Damage, Assert.ThrowsAny<HoldfastException>(() => databases.Capture()).Kind);
    }

    [Fact]
    public void OnlyTheSchemaIsReadOfAFileThatIsNotToBeReadWhole()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 200_000);
        Apply(databases.Database, "flip in a b-tree");
        DatabaseCheck check = databases.Engine.Check(databases.Database, new HashSet<string>(), CancellationToken.None);
        Assert.Empty(check.Problems);
        Assert.True(check.BytesRead < PageBytes);
        Assert.NotEmpty(databases.Engine.Check(databases.Database, new HashSet<string> { "app.db" }, CancellationToken.None).Problems);
    }

    [Fact]
    public void ACopyWithALogBesideItIsAProblem()
    {
        using var databases = new SqliteDatabases();
        databases.LeaveByAKilledWriter("WAL");
        string before = databases.State();
        Assert.Contains("-wal", Assert.Single(databases.Engine.Check(databases.Database, null, CancellationToken.None).Problems), StringComparison.Ordinal);
        Assert.Equal(before, databases.State());
    }

    [Theory]
    [InlineData("CREATE TABLE t(x TEXT COLLATE own); CREATE INDEX i ON t(x); INSERT INTO t VALUES('a'),('b');", "COLLATE own", "COLLATE rtrim")]
    [InlineData("CREATE TABLE t(x TEXT); CREATE INDEX i ON t(own(x));", "own(x)", "abs(x)")]
    public void WhatOnlyItsProgramKnowsLimitsTheCheckAndIsNoProblem(string schema, string wanted, string known)
    {
        using var databases = new SqliteDatabases();
        string row = wanted.StartsWith("own", StringComparison.Ordinal) ? "INSERT INTO t VALUES('1');" : "";
        _ = SqliteShell.Once(
            databases.Database,
            $"""
            {schema.Replace(wanted, known, StringComparison.Ordinal)} {row}
            PRAGMA writable_schema=ON;
            UPDATE sqlite_schema SET sql = replace(sql, '{known}', '{wanted}');
            """);
        DatabaseCheck check = databases.Engine.Check(databases.Capture().Path, null, CancellationToken.None);
        Assert.Empty(check.Problems);
        Assert.Contains("own", check.Limits, StringComparison.Ordinal);
    }

    [Fact]
    public void AVirtualTableWithoutItsModuleIsNoProblem()
    {
        using var databases = new SqliteDatabases();
        _ = SqliteShell.Once(
            databases.Database,
            """
            CREATE VIRTUAL TABLE words USING fts5(text); INSERT INTO words VALUES('some words');
            PRAGMA writable_schema=ON;
            UPDATE sqlite_schema SET sql = replace(sql, 'fts5', 'own_module');
            """);
        Assert.Empty(databases.Engine.Check(databases.Capture().Path, null, CancellationToken.None).Problems);
    }

    [Fact]
    public void ACheckIsCancelled()
    {
        using var databases = new SqliteDatabases();
        CountingWriter.Prepare(databases.Database, "DELETE", 3_000_000);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => databases.Engine.Check(databases.Database, null, cancelled.Token));
    }

    private static void AssertToldByCopyOrCheck(SqliteDatabases databases)
    {
        string copy;
        try
        {
            copy = databases.Capture().Path;
        }
        catch (HoldfastException e)
        {
            Assert.True(e.Kind is ErrorKind.Damage or ErrorKind.NotThere, $"{e.Kind}: {e.Message}");
            return;
        }

        Assert.NotEmpty(databases.Engine.Check(copy, null, CancellationToken.None).Problems);
    }

    private static void Apply(string path, string damage)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        switch (damage)
        {
            case "magic":
                file.WriteByte((byte)'X');
                break;
            case "header":
                file.Write(new byte[100]);
                break;
            case "page size":
                file.Position = 16;
                file.Write([0x12, 0x34]);
                break;
            case "cut":
                file.SetLength(file.Length / PageBytes / 2 * PageBytes);
                break;
            case "cut in a page":
                file.SetLength(file.Length - 100);
                break;
            case "cut to nothing but a header":
                file.SetLength(100);
                break;
            case "zero page":
                file.Position = 20 * PageBytes;
                file.Write(new byte[PageBytes]);
                break;
            case "flip in a b-tree":
                file.Position = 10 * PageBytes;
                file.Write([0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
                break;
            case "zero schema":
                file.Position = 100;
                file.Write(new byte[PageBytes - 100]);
                break;
            default:
                throw new ArgumentException(damage, nameof(damage));
        }
    }

    private static void Flip(string path, long offset)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        int old = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(old ^ 0x10));
    }
}
