namespace Holdfast.Databases.Sqlite;

/// <summary>Has SQLite check a copy, without changing it.</summary>
internal static class SqliteCheck
{
    private const int MaxProblems = 100;
    private const int HeaderBytes = 100;

    /// <summary>See <see cref="IDatabaseEngine.Check"/>.</summary>
    public static DatabaseCheck Run(string path, bool whole, CancellationToken cancellationToken)
    {
        List<string> problems = [];
        Sidecars beside = Sidecars.Of(path);
        if (beside.HasLog) problems.Add($"{path}{Sidecars.LogSuffix} lies beside it: it was opened since it was made, or this is another database's");
        if (beside.Journal is { Length: > 0 }) problems.Add($"{path}{Sidecars.JournalSuffix} lies beside it: a transaction broke off, or this is another database's");
        if (problems.Count > 0) return new DatabaseCheck(problems, 0);

        long length = SqlitePath.Require(path).Length;
        try
        {
            using SqliteConnection connection = SqliteConnection.OpenImmutable(path);
            using CancellationTokenRegistration stop = cancellationToken.Register(connection.Interrupt);
            _ = connection.Query("SELECT count(*) FROM sqlite_schema WHERE sql LIKE 'CREATE%'");
            if (!whole) return new DatabaseCheck([], Math.Min(length, HeaderBytes));
            string? limits = null;
            try
            {
                AddProblems(connection, "integrity_check", problems);
            }
            catch (SqliteException e) when (e.Code == LibSqlite.Error)
            {
                // A collation or function that only the database's own program has.
                limits = $"{e.Reason}: only tables were checked, not whether the indexes agree with them";
                limits = TryCheckTables(connection, problems) ?? limits;
            }

            cancellationToken.ThrowIfCancellationRequested();
            return new DatabaseCheck(problems, length, limits);
        }
        catch (SqliteException e) when (e.IsDamage || e.Code == LibSqlite.Error)
        {
            problems.Add(e.Reason);
            return new DatabaseCheck(problems, length);
        }
        catch (SqliteException e) when (e.Code == LibSqlite.Interrupt)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    /// <summary>Null when it could be done; else why not.</summary>
    private static string? TryCheckTables(SqliteConnection connection, List<string> problems)
    {
        try
        {
            AddProblems(connection, "quick_check", problems);
            return null;
        }
        catch (SqliteException e) when (e.Code == LibSqlite.Error)
        {
            return $"{e.Reason}: SQLite cannot check this database without the program that it belongs to; its schema can be read";
        }
    }

    private static void AddProblems(SqliteConnection connection, string pragma, List<string> problems)
    {
        foreach (string row in connection.Query($"PRAGMA {pragma}({MaxProblems})", MaxProblems))
        {
            if (row == "ok") continue;
            foreach (string line in row.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                // A heading of SQLite's that names no problem.
                if (!line.StartsWith("***", StringComparison.Ordinal) && problems.Count < MaxProblems) problems.Add(line);
            }
        }
    }
}
