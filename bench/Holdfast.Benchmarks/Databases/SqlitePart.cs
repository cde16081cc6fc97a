using System.Diagnostics;
using System.Globalization;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Databases;
using Holdfast.Log;

namespace Holdfast.Benchmarks.Databases;

/// SQLite in WAL mode with a writer in another process: our copy beside the shell's .backup and VACUUM INTO.
internal sealed class SqlitePart(DatabaseOptions options, string scratch, DatabaseFigures figures, ChildProcess processes, Action<string> tell)
{
    /// Beside a steady writer the shell's backup begins anew at each commit.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public void Run()
    {
        string work = $"copy of SQLite, {options.Mebibytes} MiB, WAL, a commit every {SqliteWriter.Pace.TotalMilliseconds:N0} ms";
        string place = Path.Combine(scratch, "data.sqlite"), target = Path.Combine(scratch, "copy.sqlite");
        long rows = ((long)options.Mebibytes << 20) / SqliteWriter.RowBytes;
        processes.Run(Command.Shell(
            "sqlite3 \"$1\" \"PRAGMA journal_mode=wal; CREATE TABLE t(id INTEGER PRIMARY KEY, value BLOB); " +
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < $2) INSERT INTO t SELECT i, randomblob(1000) FROM n; PRAGMA wal_checkpoint(TRUNCATE);\"",
            place, rows.ToString(CultureInfo.InvariantCulture)));
        var checkpointer = new DatabaseCheckpointer(Host.CreateReal());
        Measure(work, "idle", place, null);
        Measure(work, "holdfast, not verified", place, () => Copy(new CheckpointOptions { Verify = false }));
        Measure(work, "holdfast, verified by integrity_check", place, () => Copy(new CheckpointOptions()));
        Measure(work, "sqlite3 .backup, sync", place, () => Shell("sqlite3 \"$1\" \".timeout 60000\" \".backup '$2'\" && sync \"$2\""));
        Measure(work, "VACUUM INTO, sync", place, () => Shell("sqlite3 \"$1\" \"VACUUM INTO '$2'\" && sync \"$2\""));

        void Copy(CheckpointOptions how) => checkpointer.Checkpoint(DatabaseEngines.Get("sqlite").Find(place), target, how);

        // Given up: there is no target.
        void Shell(string script) => processes.Run(Command.Shell(
            "timeout \"$3\" /bin/sh -c \"$4\" sh \"$1\" \"$2\"; code=$?; [ $code = 124 ] || exit $code; rm -f \"$2\" \"$2-journal\"",
            place, target, Limit.TotalSeconds.ToString(CultureInfo.InvariantCulture), script));

        void Measure(string work, string way, string database, Action? copy)
        {
            using var writer = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [.. SqliteWriter.Arguments(database)])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            _ = writer.StandardOutput.ReadLine();
            for (int round = 1; round <= options.Rounds; round++)
            {
                File.Delete(target);
                long started = Stopwatch.GetTimestamp();
                if (copy is null)
                {
                    using var idle = new ManualResetEventSlim();
                    idle.Wait(TimeSpan.FromSeconds(1));
                    continue;
                }

                copy();
                if (!File.Exists(target))
                {
                    way = $"{way}: not done after {Limit.TotalSeconds:N0} s";
                    break;
                }

                figures.Copies.Add(new CopySample(work, way, Stopwatch.GetElapsedTime(started).TotalSeconds, new FileInfo(target).Length));
            }

            writer.StandardInput.Close();
            long[] latencies = [.. writer.StandardOutput.ReadLine()!.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
            writer.WaitForExit();
            figures.Stalls.Add(new StallSample(work, way, latencies[0], latencies[1], latencies[2]));
            tell($"{way}: p50 {latencies[0] / 1000} µs, p99 {latencies[1] / 1000} µs, longest {latencies[2] / 1e6:N1} ms");
        }
    }
}
