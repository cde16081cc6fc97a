using System.Globalization;
using Holdfast.Databases.Sqlite;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>
/// Another process that commits at full speed: each transaction adds one to a counter and the rows of that number. It knows what was
/// acknowledged.
/// </summary>
internal sealed class CountingWriter : IDisposable
{
    private const int RowsEach = 3;
    private const int Kept = 500;
    private const int MaxUnanswered = 16;

    private readonly SqliteShell shell;
    private readonly Thread sender;
    private readonly Thread reader;
    private readonly SemaphoreSlim unanswered = new(MaxUnanswered);
    private volatile bool isStopped;
    private long sent;
    private long acknowledged;

    /// <param name="database">Of <see cref="Prepare"/>.</param>
    /// <param name="pragmas">Run first.</param>
    public CountingWriter(string database, params string[] pragmas)
    {
        shell = new SqliteShell(database, pragmas);
        sent = acknowledged = long.Parse(shell.Run("SELECT n FROM counter;"), CultureInfo.InvariantCulture);
        sender = new Thread(SendAll) { IsBackground = true };
        reader = new Thread(ReadAll) { IsBackground = true };
        sender.Start();
        reader.Start();
    }

    /// <summary>The number of the last transaction that was acknowledged.</summary>
    public long Acknowledged => Volatile.Read(ref acknowledged);

    /// <summary>The number of the last transaction that may have been made.</summary>
    public long Sent => Volatile.Read(ref sent);

    /// <summary>Makes the database.</summary>
    /// <param name="database">Path.</param>
    /// <param name="journalMode">WAL, DELETE, TRUNCATE, PERSIST or MEMORY.</param>
    /// <param name="ballastBytes">How much lies in it beside what is written.</param>
    /// <param name="pragmas">Run first.</param>
    public static void Prepare(string database, string journalMode, int ballastBytes, string pragmas = "") =>
        _ = SqliteShell.Once(
            database,
            $"""
            {pragmas}
            PRAGMA journal_mode={journalMode};
            CREATE TABLE ballast(id INTEGER PRIMARY KEY, content BLOB);
            WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {Math.Max(1, ballastBytes / 1000)})
              INSERT INTO ballast SELECT i, randomblob(1000) FROM c;
            CREATE TABLE counter(n INTEGER);
            INSERT INTO counter VALUES(0);
            CREATE TABLE log(tx INTEGER, part INTEGER, content BLOB, PRIMARY KEY(tx, part));
            """);

    /// <summary>The number of the last transaction in a copy, of which all or nothing is there.</summary>
    public static long ReadCopy(string copy)
    {
        using SqliteConnection connection = SqliteConnection.OpenImmutable(copy);
        Assert.Equal(["ok"], connection.Query("PRAGMA integrity_check"));
        long last = connection.QueryNumber("SELECT n FROM counter");
        Assert.Equal(0, connection.QueryNumber($"SELECT count(*) FROM (SELECT tx FROM log GROUP BY tx HAVING count(*) <> {RowsEach})"));
        Assert.Equal(Math.Min(last, Kept), connection.QueryNumber("SELECT count(DISTINCT tx) FROM log"));
        if (last > 0) Assert.Equal(last, connection.QueryNumber("SELECT max(tx) FROM log"));
        return last;
    }

    /// <summary>Ends its process without a word; what was not answered may have been committed or not.</summary>
    public void Kill()
    {
        isStopped = true;
        shell.Kill();
        unanswered.Release(1);
        sender.Join();
        reader.Join();
    }

    /// <summary>Waits until some more transactions were acknowledged.</summary>
    public void WaitFor(int transactions)
    {
        long wanted = Acknowledged + transactions;
        Assert.True(SpinWait.SpinUntil(() => Acknowledged >= wanted, TimeSpan.FromSeconds(60)), "the writer stands still");
    }

    public void Dispose()
    {
        isStopped = true;
        unanswered.Release(1);
        sender.Join();
        shell.Dispose();
        reader.Join();
    }

    private void SendAll()
    {
        try
        {
            while (true)
            {
                unanswered.Wait();
                if (isStopped) return;
                Interlocked.Increment(ref sent);
                shell.Send(
                    $"""
                    BEGIN IMMEDIATE; UPDATE counter SET n = n + 1;
                    INSERT INTO log SELECT n, 1, randomblob(300) FROM counter; INSERT INTO log SELECT n, 2, randomblob(30) FROM counter;
                    DELETE FROM log WHERE tx <= (SELECT n - {Kept} FROM counter);
                    INSERT INTO log SELECT n, 3, randomblob(100) FROM counter; COMMIT; SELECT n FROM counter;
                    """);
            }
        }
        catch (IOException)
        {
            // Killed.
        }
    }

    private void ReadAll()
    {
        while (shell.Output.ReadLine() is { } line)
        {
            Volatile.Write(ref acknowledged, long.Parse(line, CultureInfo.InvariantCulture));
            unanswered.Release();
        }
    }
}
