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
            if (SqlitePath.FindCut(connection, length) is { } cut) problems.Add(cut);
            string? limits = null;
            try
            {
                AddProblems(connection, "PRAGMA integrity_check", problems);
            }
            catch (SqliteException e) when (e.IsRefusal)
            {
                // A collation or function that only the database's own program has.
                limits = CheckEachTable(connection, problems);
            }

            cancellationToken.ThrowIfCancellationRequested();
            return new DatabaseCheck(problems, length, limits);
        }
        catch (SqliteException e) when (e.IsDamage || e.IsRefusal)
        {
            problems.Add(e.Reason);
            return new DatabaseCheck(problems, length);
        }
        catch (SqliteException e) when (e.Code == LibSqlite.Interrupt)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    /// <summary>Checks tables one by one, those that SQLite cannot compare with their indexes without.</summary>
    /// <returns>What was not checked.</returns>
    private static string? CheckEachTable(SqliteConnection connection, List<string> problems)
    {
        var limited = new List<string>();
        foreach (string table in connection.Query("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0", int.MaxValue))
        {
            string name = $"\"{table.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            try
            {
                AddProblems(connection, $"PRAGMA integrity_check({name})", problems);
            }
            catch (SqliteException e) when (e.IsRefusal)
            {
                limited.Add($"{table} ({e.Reason})");
                TryReadThrough(connection, name, problems);
            }
        }

        return limited.Count == 0
            ? null
            : $"tables whose rows were counted but not compared with their indexes, which takes what only their program has: {string.Join(", ", limited)}";
    }

    private static void TryReadThrough(SqliteConnection connection, string name, List<string> problems)
    {
        try
        {
            _ = connection.Query($"SELECT count(*) FROM {name} NOT INDEXED");
        }
        catch (SqliteException e) when (e.IsDamage)
        {
            problems.Add($"{name}: {e.Reason}");
        }
        catch (SqliteException e) when (e.IsRefusal)
        {
            // Not even that without the program: it is among the limits.
        }
    }

    private static void AddProblems(SqliteConnection connection, string statement, List<string> problems)
    {
        foreach (string row in connection.Query(statement, MaxProblems))
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
