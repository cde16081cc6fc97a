using Holdfast.Databases.Sqlite;

namespace Holdfast.Benchmarks.Databases;

/// A process that commits to a SQLite database at a steady pace until its input ends, and prints how long commits took.
internal static class SqliteWriter
{
    public const string Verb = "db-writer";
    public const int RowBytes = 1024;

    public static TimeSpan Pace { get; } = TimeSpan.FromMilliseconds(2);

    /// The command line of the process.
    public static IEnumerable<string> Arguments(string database)
    {
        // Run by the runtime, the program is its first argument.
        string program = Environment.GetCommandLineArgs()[0];
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") yield return program;
        yield return Verb;
        yield return database;
    }

    public static void Run(string database)
    {
        using SqliteConnection connection = SqliteConnection.OpenForWriting(database);
        _ = connection.Query("PRAGMA busy_timeout=60000");
        _ = connection.Query("PRAGMA synchronous=normal");
        var random = new Random(1);
        using var writer = new PacedWriter(Pace, _ => connection.Query($"UPDATE t SET value = randomblob(1000) WHERE id = {random.Next(1, 10_000)}"));
        writer.Start();
        Console.WriteLine("ready");
        while (Console.In.ReadLine() is not null)
        {
            // Only its end means something.
        }

        StallSample stall = writer.Stop("", "");
        Console.WriteLine(FormattableString.Invariant($"{stall.P50} {stall.P99} {stall.Highest}"));
    }
}
