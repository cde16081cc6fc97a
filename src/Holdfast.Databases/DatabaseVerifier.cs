using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases;

/// <summary>What a verification of a database found.</summary>
/// <param name="Checkpoint">The copy that was verified.</param>
/// <param name="Problems">What is wrong, each in a line; empty when all is well.</param>
/// <param name="Limits">What could not be checked; null for none.</param>
/// <param name="ChangedSince">Of a checkpoint: whether a program opened it since it was made, so that its manifest says nothing of some files.</param>
public sealed record DatabaseVerification(CheckpointManifest Checkpoint, IReadOnlyList<string> Problems, string? Limits, bool ChangedSince);

/// <summary>Reads databases whole, live or not, and says what is wrong.</summary>
public static class DatabaseVerifier
{
    /// <summary>
    /// Takes a copy, which costs little where links can be made, reads every byte of it, has the engine check it, compares it with the manifest
    /// if it is a checkpoint that has one, and removes it. The database itself is never written to.
    /// </summary>
    /// <param name="host">Disk, clock and randomness.</param>
    /// <param name="source">The database.</param>
    /// <param name="stagingDirectory">As in <see cref="DatabaseBackupRequest"/>.</param>
    /// <param name="capture">How the copy is taken.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static DatabaseVerification Verify(
        Host host, ICheckpointSource source, string? stagingDirectory, CaptureOptions capture, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(source);
        DatabaseAddress address = source.Address;
        IDatabaseEngine engine = DatabaseEngines.Get(address.Engine);
        using CheckpointStage stage = CheckpointStage.BesideDatabase(host, address.Path, stagingDirectory);
        var options = new CheckpointOptions { Capture = capture, Verify = false, ReadAll = true };
        CheckpointManifest found = new DatabaseCheckpointer(host).Fill(stage, source, engine, options, cancellationToken);
        var problems = new List<string>();
        bool changedSince = !engine.IsFile && ManifestText.TryRead(host.Disk, address.Path) is { } made && Compare(made, found, problems);
        DatabaseCheck check = engine.Check(engine.IsFile ? $"{stage.Content}/{found.Files[0].Name}" : stage.Content, only: null, cancellationToken);
        problems.AddRange(check.Problems);
        return new DatabaseVerification(found, problems, check.Limits, changedSince);
    }

    /// <summary>Whether files differ that change when a program opens the database.</summary>
    private static bool Compare(CheckpointManifest made, CheckpointManifest found, List<string> problems)
    {
        var now = found.Files.ToDictionary(file => file.Name, StringComparer.Ordinal);
        // Who opens it makes files, or writes to those that may change; then what is gone or not the same need not be damage.
        var names = made.Files.Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        bool isOpened = found.Files.Any(file => !names.Contains(file.Name))
            || made.Files.Any(file => file.Identity is null && now.GetValueOrDefault(file.Name) is { } there && !IsSame(there, file));
        foreach (CheckpointFile file in made.Files)
        {
            CheckpointFile? there = now.GetValueOrDefault(file.Name);
            if (IsSame(there, file) || (isOpened && (there is null || file.Identity is null))) continue;
            problems.Add(there is null ? $"{file.Name}: is missing" : $"{file.Name}: {there.Bytes} bytes with the hash {there.Hash}, the checkpoint had {file.Bytes} with {file.Hash}");
        }

        return isOpened;
    }

    private static bool IsSame(CheckpointFile? now, CheckpointFile then) => now is not null && now.Bytes == then.Bytes && now.Hash == then.Hash;
}
