using System.Diagnostics;
using Holdfast.Benchmarks.Measuring;
using Holdfast.Databases;
using Holdfast.Databases.RocksDb;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault;

namespace Holdfast.Benchmarks.Databases;

/// RocksDB: checkpoints of a small and a large database beside its own, and incremental backups beside its backup engine.
internal sealed class RocksPart(DatabaseOptions options, string scratch, DatabaseFigures figures, ChildProcess processes, Action<string> tell)
{
    private const int ValueBytes = 1000;
    private const int SmallPart = 16;

    private static readonly CheckpointOptions Unverified = new() { Verify = false };
    private static readonly TimeSpan Pace = TimeSpan.FromMicroseconds(200);

    private readonly Host host = Host.CreateReal();

    /// Checkpoints while a writer is at work.
    public void RunCheckpoints()
    {
        foreach (int mebibytes in (int[])[Math.Max(1, options.Mebibytes / SmallPart), options.Mebibytes])
        {
            string work = $"checkpoint of RocksDB, {mebibytes} MiB, a put every {Pace.TotalMicroseconds:N0} µs";
            string place = Path.Combine(scratch, "rocks");
            using RocksDatabase database = Fill(place, mebibytes, out long keys);
            var checkpointer = new DatabaseCheckpointer(host);
            int made = 0;
            Measure(work, "idle", database, keys, null);
            // The first reads every table once; what is measured is every later one.
            _ = checkpointer.Checkpoint(database, Next());
            Measure(work, "holdfast", database, keys, () => checkpointer.Checkpoint(database, Next()).BytesCopied);
            Measure(work, "holdfast, not verified", database, keys, () => checkpointer.Checkpoint(database, Next(), Unverified).BytesCopied);
            Measure(work, "RocksDB checkpoint, not hashed or verified", database, keys, () =>
            {
                string target = Next();
                BackupEngine.Checkpoint(database, target);
                return Directory.GetFiles(target).Where(file => !file.EndsWith(".sst", StringComparison.Ordinal)).Sum(file => new FileInfo(file).Length);
            });
            string backups = Path.Combine(scratch, "backups");
            Measure(work, "RocksDB backup engine", database, keys, () => Growth(backups, () => BackupEngine.Run(database, backups)));
            Remove(backups);

            string Next() => Path.Combine(scratch, $"copy{++made}");
        }
    }

    /// Each round changes a hundredth of the keys, then both back up.
    public void RunIncrementals()
    {
        string place = Path.Combine(scratch, "rocks");
        string work = $"incremental backup of RocksDB, {options.Mebibytes} MiB, 1 % of the keys changed";
        using RocksDatabase database = Fill(place, options.Mebibytes, out long keys);
        string backups = Path.Combine(scratch, "backups"), vaultPlace = Path.Combine(scratch, "vault");
        using var secret = new VaultSecret("benchmark"u8);
        using OpenVault vault = Wait(OpenVault.InitAsync(host, ObjectStores.Open(vaultPlace, host), secret, "", CancellationToken.None));
        var checkpointer = new DatabaseCheckpointer(host);
        var request = new DatabaseBackupRequest { Backup = new BackupRequest { Roots = [], Host = "bench" } };
        BackUp();
        BackupEngine.Run(database, backups);
        var random = new Random(2);
        byte[] value = new byte[ValueBytes];
        for (int round = 1; round <= options.Rounds; round++)
        {
            for (long i = 0; i < keys / 100; i++) Put(database, random.NextInt64(keys), value, random);
            // Both flush; whoever comes first would do it for the other.
            database.Flush();
            if (round % 2 == 0) Take("RocksDB backup engine", backups, () => BackupEngine.Run(database, backups));
            Take("holdfast: checkpoint, verified, into a vault", vaultPlace, BackUp);
            if (round % 2 == 1) Take("RocksDB backup engine", backups, () => BackupEngine.Run(database, backups));
        }

        // What a script does: all of it, each time.
        string copy = Path.Combine(scratch, "copy"), archive = Path.Combine(scratch, "copy.tar.zst");
        Measurement script = processes.Run(Command.Shell("cp -r \"$1\" \"$2\" && tar -C \"$2\" -cf - . | zstd -q -3 -o \"$3\" && sync -f \"$3\"", place, copy, archive));
        figures.Copies.Add(new CopySample(work, "cp, tar, zstd -3 (not consistent)", script.WallSeconds, new FileInfo(archive).Length));
        Remove(copy);

        void BackUp() => Wait(DatabaseBackup.RunAsync(checkpointer, host, database, vault, request, CancellationToken.None));

        void Take(string way, string grows, Action action)
        {
            long started = Stopwatch.GetTimestamp();
            long written = Growth(grows, action);
            var sample = new CopySample(work, way, Stopwatch.GetElapsedTime(started).TotalSeconds, written);
            figures.Copies.Add(sample);
            tell($"{way}: {sample.Seconds:N3} s, {written / 1e6:N1} MB");
        }
    }

    private static T Wait<T>(Task<T> task) => Task.Run(() => task).GetAwaiter().GetResult();

    private static RocksDatabase Fill(string place, int mebibytes, out long keys)
    {
        Remove(place);
        keys = ((long)mebibytes << 20) / ValueBytes;
        var options = new RocksOptions
        {
            CreateIfMissing = true,
            Family = new RocksFamilyOptions { Compression = RocksCompression.None, WriteBufferBytes = 16 << 20, TableFileBytes = 16 << 20 },
        };
        RocksDatabase database = RocksDatabase.Open(place, options);
        var random = new Random(1);
        byte[] value = new byte[ValueBytes];
        for (long key = 0; key < keys; key++) Put(database, key, value, random);
        database.Compact();
        return database;
    }

    /// Half of a value is random.
    private static void Put(RocksDatabase database, long key, byte[] value, Random random)
    {
        random.NextBytes(value.AsSpan(0, ValueBytes / 2));
        Span<byte> name = stackalloc byte[sizeof(long)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(name, key);
        database.Put(name, value);
    }

    private static void Remove(string directory)
    {
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }

    /// How much longer the files of a directory are afterwards.
    private static long Growth(string directory, Action action)
    {
        long before = Length(directory);
        action();
        return Length(directory) - before;
    }

    private static long Length(string directory) =>
        Directory.Exists(directory) ? new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : 0;

    private void Measure(string work, string way, RocksDatabase database, long keys, Func<long>? copy)
    {
        var random = new Random(3);
        byte[] value = new byte[ValueBytes];
        using var writer = new PacedWriter(Pace, _ => Put(database, random.NextInt64(keys), value, random));
        writer.Start();
        for (int round = 1; round <= options.Rounds; round++)
        {
            long started = Stopwatch.GetTimestamp();
            if (copy is null)
            {
                using var idle = new ManualResetEventSlim();
                idle.Wait(TimeSpan.FromSeconds(1));
                continue;
            }

            long written = copy();
            figures.Copies.Add(new CopySample(work, way, Stopwatch.GetElapsedTime(started).TotalSeconds, written));
        }

        StallSample stall = writer.Stop(work, way);
        figures.Stalls.Add(stall);
        tell($"{way}: p50 {stall.P50 / 1000} µs, p99 {stall.P99 / 1000} µs, longest {stall.Highest / 1e6:N1} ms");
        foreach (string directory in Directory.GetDirectories(scratch, "copy*")) Remove(directory);
    }
}
