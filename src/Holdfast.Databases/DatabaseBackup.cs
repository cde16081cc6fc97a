using System.Text;
using Holdfast.Databases.Backup;
using Holdfast.Databases.Checkpoints;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Databases;

/// <summary>How a database goes into a vault.</summary>
public sealed record DatabaseBackupRequest
{
    /// <summary>How the copy is taken and checked.</summary>
    public CheckpointOptions Checkpoint { get; init; } = new();

    /// <summary>
    /// Absolute path of the directory in which the copy lies meanwhile; null for the one that the database lies in, where links can be made.
    /// </summary>
    public string? StagingDirectory { get; init; }

    /// <summary>What else the backup is asked for: host, tags, compression, progress. Its roots, and what it is of, are filled in.</summary>
    public required BackupRequest Backup { get; init; }
}

/// <summary>What the backup of a database did.</summary>
/// <param name="Checkpoint">The copy that went into the vault.</param>
/// <param name="Backup">The restore point.</param>
public sealed record DatabaseBackupSummary(CheckpointManifest Checkpoint, BackupSummary Backup);

/// <summary>Takes a checkpoint of a database, has it checked, puts it into a vault and removes it.</summary>
public static class DatabaseBackup
{
    /// <summary>Makes a restore point of a database as it is at one instant of the call.</summary>
    /// <param name="checkpointer">Takes the copy.</param>
    /// <param name="host">Disk and randomness.</param>
    /// <param name="source">The database.</param>
    /// <param name="vault">Where to.</param>
    /// <param name="request">How.</param>
    /// <param name="cancellationToken">Cancelling leaves no point and no copy.</param>
    /// <returns>What was done. When it returns, the point is durable and the copy is gone.</returns>
    /// <exception cref="HoldfastException">Kind Damage: the engine found the copy damaged, so it did not go into the vault.</exception>
    public static async Task<DatabaseBackupSummary> RunAsync(
        DatabaseCheckpointer checkpointer, Host host, ICheckpointSource source, OpenVault vault, DatabaseBackupRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(checkpointer);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(request);
        vault.Require(VaultUse.Backup);
        DatabaseAddress address = source.Address;
        IDatabaseEngine engine = DatabaseEngines.Get(address.Engine);
        using CheckpointStage stage = CheckpointStage.BesideDatabase(host, address.Path, request.StagingDirectory);
        CheckpointManifest manifest = await Task.Run(
            () => checkpointer.Fill(stage, source, engine, request.Checkpoint, cancellationToken), cancellationToken).ConfigureAwait(false);
        using var facts = new DatabaseFacts(address.Path, engine.IsFile);
        await facts.ReadAsync().ConfigureAwait(false);
        using DirectoryTree tree = OpenTree(stage.Content);
        CheckpointTree copy = await CheckpointTree.OpenAsync(tree, manifest.Files, facts.Find).ConfigureAwait(false);
        byte[] only = engine.IsFile ? Encoding.UTF8.GetBytes(manifest.Files[0].Name) : [];
        BackupRequest backup = request.Backup with
        {
            Roots = [new BackupRoot(Encoding.UTF8.GetBytes(address.Path), copy, only)],
            Stream = null,
            Database = new PointDatabase(address.Engine, manifest.Database, manifest.Sequence, DepthOf(request.Checkpoint)),
        };
        BackupSummary summary = await BackupRun.RunAsync(vault, backup, cancellationToken).ConfigureAwait(false);
        return new DatabaseBackupSummary(manifest, summary);
    }

    private static CheckDepth DepthOf(CheckpointOptions options) => options switch
    {
        { Verify: false } => CheckDepth.None,
        { ReadAll: true } => CheckDepth.All,
        _ => CheckDepth.New,
    };

    private static DirectoryTree OpenTree(string path)
    {
        Result<DirectoryTree> opened = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(path));
        return opened.Ok ? opened.Value : throw new HoldfastException(ErrorKind.Failed, $"{path}: {opened.Error.Describe()}", "check the file system");
    }
}
