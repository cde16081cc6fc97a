using Holdfast.Databases.Sqlite;
using Holdfast.Log;
using Holdfast.Testing;

namespace Holdfast.Databases.Tests.Sqlite;

/// <summary>A directory with a database to copy and places for copies.</summary>
internal sealed class SqliteDatabases : IDisposable
{
    private readonly TemporaryDirectory directory = new(inMemory: true);
    private int copies;

    public SqliteDatabases(string name = "app.db")
    {
        Directory.CreateDirectory($"{directory.Path}/live");
        Database = $"{directory.Path}/live/{name}";
    }

    public string Root => directory.Path;

    public string Database { get; }

    public SqliteEngine Engine { get; set; } = new(new HostDisk(), TimeProvider.System, TimeSpan.FromSeconds(20));

    /// <summary>The engine that gives up soon.</summary>
    public static SqliteEngine Impatient => new(new HostDisk(), TimeProvider.System, TimeSpan.FromMilliseconds(50));

    /// <summary>Takes a copy; its directory holds nothing else.</summary>
    public (string Path, Capture Capture) Capture(CaptureOptions? options = null, CancellationToken cancellationToken = default)
    {
        string target = $"{directory.Path}/copy{++copies}";
        Capture capture = Engine.Find(Database).Capture(target, options ?? new CaptureOptions(), cancellationToken);
        string name = Path.GetFileName(Database);
        Assert.Equal([$"{target}/{name}"], Directory.EnumerateFileSystemEntries(target));
        Assert.Equal([name], capture.Files.Select(file => file.Name));
        return ($"{target}/{name}", capture);
    }

    /// <summary>All that lies in the database's directory: names, times and bytes.</summary>
    public string State() => State(path => $"{path} {FileMark.TryOf(path)} {Convert.ToHexString(ContentOf(path))}");

    /// <summary>Something of each file that lies in the database's directory.</summary>
    public string State(Func<string, string> describe) => string.Join(
        '\n', Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(Database)!).Order(StringComparer.Ordinal).Select(describe));

    /// <summary>
    /// Leaves the database as a writer does that is killed: in the midst of a transaction that has reached the file (rollback modes),
    /// or with a log that was not brought in (WAL).
    /// </summary>
    /// <returns>The number of the last transaction that was committed.</returns>
    public long LeaveByAKilledWriter(string journalMode, string pragmas = "")
    {
        CountingWriter.Prepare(Database, journalMode, 200_000, pragmas);
        using (var shell = new SqliteShell(Database, $"PRAGMA journal_mode={journalMode};", "PRAGMA wal_autocheckpoint=0;", "PRAGMA cache_size=5;"))
        {
            for (int i = 1; i <= 5; i++)
            {
                _ = shell.Run($"BEGIN; UPDATE counter SET n = {i}; INSERT INTO log VALUES({i}, 1, randomblob(9)), ({i}, 2, ''), ({i}, 3, ''); COMMIT;");
            }

            // More than its memory holds: pages go to the file, or the log, before there is a commit.
            _ = shell.Run("BEGIN; UPDATE ballast SET content = zeroblob(1000); UPDATE counter SET n = 99;");
            shell.Kill();
        }

        return 5;
    }

    public void Dispose() => directory.Dispose();

    public static byte[] ContentOf(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return System.Security.Cryptography.SHA256.HashData(file);
    }
}
