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

/// <summary>Takes a copy of a database, has it checked while it goes into a vault, and removes it: there is a point once both are done.</summary>
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
    /// <exception cref="HoldfastException">Kind Damage: the engine found the copy damaged, so there is no point of it.</exception>
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
        TakenCopy copy = await Task.Run(() => checkpointer.Take(stage, source, request.Checkpoint, cancellationToken), cancellationToken).ConfigureAwait(false);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Both only read the copy; the point waits for the check.
        Task<CheckpointManifest> checking = CheckAsync(checkpointer, copy, engine, request.Checkpoint, stop);
        Task removing = Task.CompletedTask;
        try
        {
            BackupRequest backup = request.Backup with
            {
                Stream = null,
                Database = new PointDatabase(address.Engine, copy.Capture.Database, copy.Capture.Sequence, DepthOf(request.Checkpoint)),
                BeforeCommit = async () =>
                {
                    _ = await checking.ConfigureAwait(false);
                    // All of it was read.
                    removing = Task.Run(stage.Dispose, CancellationToken.None);
                },
            };
            BackupSummary summary = await StoreAsync(copy, engine, vault, backup, stop.Token).ConfigureAwait(false);
            return new DatabaseBackupSummary(await checking.ConfigureAwait(false), summary);
        }
        catch (OperationCanceledException) when (checking.IsFaulted)
        {
            _ = await checking.ConfigureAwait(false);
            throw;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)checking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await removing.ConfigureAwait(false);
        }
    }

    /// <summary>Stops what goes on beside it when it fails.</summary>
    private static async Task<CheckpointManifest> CheckAsync(
        DatabaseCheckpointer checkpointer, TakenCopy copy, IDatabaseEngine engine, CheckpointOptions options, CancellationTokenSource stop)
    {
        try
        {
            return await Task.Run(() => checkpointer.Complete(copy, engine, options, isKept: false, stop.Token), stop.Token).ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<BackupSummary> StoreAsync(
        TakenCopy copy, IDatabaseEngine engine, OpenVault vault, BackupRequest request, CancellationToken cancellationToken)
    {
        string path = copy.Source.Path;
        using var facts = new DatabaseFacts(path, engine.IsFile);
        await facts.ReadAsync().ConfigureAwait(false);
        using DirectoryTree tree = OpenTree(copy.Stage.Content);
        CheckpointTree files = await CheckpointTree.OpenAsync(tree, copy.Capture.Files, facts.Find).ConfigureAwait(false);
        byte[] only = engine.IsFile ? Encoding.UTF8.GetBytes(copy.Capture.Files[0].Name) : [];
        BackupRequest backup = request with { Roots = [new BackupRoot(Encoding.UTF8.GetBytes(path), files, only)] };
        return await BackupRun.RunAsync(vault, backup, cancellationToken).ConfigureAwait(false);
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
