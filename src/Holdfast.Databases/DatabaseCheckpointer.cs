using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases;

/// <summary>Makes checkpoints: consistent, openable copies of live databases. May be used from any thread.</summary>
/// <param name="host">Disk, clock and randomness.</param>
/// <param name="stateDirectory">
/// Where hashes of files that never change are remembered from run to run, so that each is read once; made when it is missing. Null:
/// in memory only.
/// </param>
public sealed class DatabaseCheckpointer(Host host, string? stateDirectory = null)
{
    private readonly ConcurrentDictionary<string, KnownHashes> known = new(StringComparer.Ordinal);

    /// <summary>
    /// Makes a checkpoint. Complete and durable when it returns, under its name; until then nothing is there, or what was there before.
    /// </summary>
    /// <param name="source">The database.</param>
    /// <param name="target">
    /// Absolute path: a directory to make, or a file where the engine's databases are files. Hard links need it to be on the database's file system.
    /// </param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Cancelling leaves nothing.</param>
    /// <exception cref="HoldfastException">It could not be made; nothing of it is left, and the database is as it was.</exception>
    public CheckpointManifest Checkpoint(
        ICheckpointSource source, string target, CheckpointOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new CheckpointOptions();
        IDatabaseEngine engine = DatabaseEngines.Get(source.Address.Engine);
        string path = TargetOf(target);
        using IDisposable? held = CheckpointTargets.Claim(host.Disk, engine, source.Address.Path, path, options.Replace);
        using CheckpointStage stage = CheckpointStage.Begin(host, path);
        CheckpointManifest manifest = Fill(stage, source, engine, options, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (engine.IsFile)
        {
            stage.CommitFile(manifest.Files[0].Name);
        }
        else
        {
            ManifestText.Write(host.Disk, stage.Content, manifest);
            stage.CommitDirectory(options.Replace);
        }

        return manifest;
    }

    /// <summary>The manifest of a checkpoint; null where there is none.</summary>
    /// <param name="directory">Absolute path.</param>
    public CheckpointManifest? ReadManifest(string directory) => ManifestText.TryRead(host.Disk, directory);

    /// <summary>Takes a copy into a stage; its files are durable, their names are not.</summary>
    internal CheckpointManifest Fill(
        CheckpointStage stage, ICheckpointSource source, IDatabaseEngine engine, CheckpointOptions options, CancellationToken cancellationToken) =>
        Complete(Take(stage, source, options, cancellationToken), engine, options, isKept: true, cancellationToken);

    /// <summary>Takes a copy into a stage: its files are there, but neither durable nor checked.</summary>
    internal TakenCopy Take(CheckpointStage stage, ICheckpointSource source, CheckpointOptions options, CancellationToken cancellationToken)
    {
        DateTimeOffset created = host.Clock.GetUtcNow();
        long started = host.Clock.GetTimestamp();
        return new TakenCopy(stage, source.Address, source.Capture(stage.Content, options.Capture, cancellationToken), created, started);
    }

    /// <summary>Hashes and checks a copy; only reads it.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="engine">Its engine.</param>
    /// <param name="options">What is checked.</param>
    /// <param name="isKept">
    /// Whether it will get a name, so that all its files are made durable; else only those are whose hashes are remembered, since a later copy relies on that.
    /// </param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="HoldfastException">Kind Damage: it is not whole.</exception>
    internal CheckpointManifest Complete(TakenCopy copy, IDatabaseEngine engine, CheckpointOptions options, bool isKept, CancellationToken cancellationToken)
    {
        Capture capture = copy.Capture;
        KnownHashes hashes = HashesOf(copy.Source, capture);
        var files = new CheckpointFile[capture.Files.Count];
        var fresh = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        ForEach(files.Length, i => files[i] = Describe(copy.Stage.Content, capture.Files[i], hashes, fresh, options.ReadAll, isKept), cancellationToken);
        string? limits = null;
        if (options.Verify) limits = Verify(engine, copy, files, options.ReadAll ? null : fresh.Keys.ToHashSet(StringComparer.Ordinal), cancellationToken);
        // What was not found whole is not known: the next checkpoint reads it again.
        foreach (CheckpointFile file in files)
        {
            if (file.Identity is not null && fresh.ContainsKey(file.Name)) hashes.Add(file.Identity, file.Bytes, file.Hash);
        }

        hashes.KeepOnly(files);
        Save(copy.Source, capture, hashes);
        return new CheckpointManifest
        {
            Source = copy.Source,
            Database = capture.Database,
            Sequence = capture.Sequence,
            Way = capture.Way,
            Created = copy.Created,
            Duration = host.Clock.GetElapsedTime(copy.Started),
            Limits = limits,
            Files = files,
        };
    }

    private static void ForEach(int count, Action<int> action, CancellationToken cancellationToken)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount }, action);
        }
        catch (AggregateException failures)
        {
            // The first is enough to act on.
            ExceptionDispatchInfo.Throw(failures.Flatten().InnerExceptions[0]);
        }
    }

    /// <summary>What could not be checked; null for nothing.</summary>
    private static string? Verify(
        IDatabaseEngine engine, TakenCopy copy, CheckpointFile[] files, IReadOnlySet<string>? only, CancellationToken cancellationToken)
    {
        string path = engine.IsFile ? $"{copy.Stage.Content}/{files[0].Name}" : copy.Stage.Content;
        DatabaseCheck check = engine.Check(path, only, cancellationToken);
        if (check.Problems.Count == 0) return check.Limits;
        throw new HoldfastException(
            ErrorKind.Damage, $"{copy.Source}: damaged: {check.Problems[0]}{(check.Problems.Count > 1 ? $" (and {check.Problems.Count - 1} more)" : "")}",
            "restore it from a restore point, or repair it with the engine's own tools");
    }

    private CheckpointFile Describe(
        string directory, CapturedFile file, KnownHashes hashes, ConcurrentDictionary<string, bool> fresh, bool readAll, bool isKept)
    {
        string path = $"{directory}/{file.Name}";
        using IDiskFile open = host.Disk.TryOpen(path, DiskAccess.Read)
            ?? throw new HoldfastException(ErrorKind.Failed, $"{path}: vanished", "another program removes files there");
        long bytes = open.Length;
        string? remembered = file.Identity is null ? null : hashes.Find(file.Identity, bytes);
        // A link that was there before was made durable then.
        bool isDurable = remembered is not null && file.Transfer == FileTransfer.Linked;
        if (!isDurable && (isKept || file.Identity is not null)) open.Sync();
        if (remembered is not null && !readAll) return new CheckpointFile(file.Name, bytes, remembered, file.Identity, file.Transfer);

        string hash = Convert.ToHexStringLower(ContentHash.Of(open, bytes));
        if (remembered is not null && remembered != hash)
        {
            throw new HoldfastException(
                ErrorKind.Damage, $"{file.Name}: its content has the hash {hash}, it was {remembered} before, and it never changes",
                "the disk has lost it: restore the database from a restore point");
        }

        fresh[file.Name] = true;
        return new CheckpointFile(file.Name, bytes, hash, file.Identity, file.Transfer);
    }

    private KnownHashes HashesOf(DatabaseAddress address, Capture capture) =>
        capture.Database is null || !capture.Files.Any(file => file.Identity is not null)
            ? new KnownHashes()
            : known.GetOrAdd(NameOf(address, capture.Database), name =>
                stateDirectory is null ? new KnownHashes() : KnownHashes.Load(host.Disk, $"{stateDirectory}/{name}"));

    private void Save(DatabaseAddress address, Capture capture, KnownHashes hashes)
    {
        if (stateDirectory is null || capture.Database is null || hashes.IsSaved) return;
        try
        {
            MakeDirectory(stateDirectory);
            hashes.Save(host, $"{stateDirectory}/{NameOf(address, capture.Database)}");
        }
        catch (DiskException)
        {
            // Only a cache: the next checkpoint reads more.
        }
    }

    private void MakeDirectory(string path)
    {
        if (path == "/" || host.Disk.TryStat(path) is not null) return;
        MakeDirectory(Path.GetDirectoryName(path)!);
        _ = host.Disk.TryCreateDirectory(path);
    }

    // An id comes from a file of the database: it leads nowhere else.
    private static string NameOf(DatabaseAddress address, string database) =>
        $"{address.Engine}-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(database)).AsSpan(0, 16))}.hashes";

    private static string TargetOf(string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        if (!target.StartsWith('/')) throw new ArgumentException($"not an absolute path: '{target}'", nameof(target));
        return target.Length > 1 ? target.TrimEnd('/') : target;
    }
}
