using System.Text;
using Holdfast.Databases.Checkpoints;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault;

namespace Holdfast.Databases;

/// <summary>What the restore of a database did.</summary>
/// <param name="Restore">The files.</param>
/// <param name="Check">What the engine said of it.</param>
public sealed record DatabaseRestoreSummary(RestoreSummary Restore, DatabaseCheck Check);

/// <summary>Brings databases back out of a vault.</summary>
public static class DatabaseRestore
{
    /// <summary>
    /// Restores the database of a point, has the engine check it, and then gives it its name: until then nothing is there, or what was there before.
    /// </summary>
    /// <param name="host">Disk and randomness.</param>
    /// <param name="vault">Where the point is.</param>
    /// <param name="point">A point of a database.</param>
    /// <param name="target">Absolute path of the directory, or of the file, that the database will be.</param>
    /// <param name="replace">Whether a database that is there, and that nobody has open, goes once the new one is in its place.</param>
    /// <param name="request">How files are restored; the target in it is filled in.</param>
    /// <param name="cancellationToken">Cancelling leaves nothing.</param>
    /// <exception cref="HoldfastException">
    /// Kind Damage: the vault has lost something of it, or the engine finds it damaged. Kind Refused or Busy: the target may not be replaced.
    /// </exception>
    public static async Task<DatabaseRestoreSummary> RunAsync(
        Host host, OpenVault vault, RestorePoint point, string target, bool replace, Func<IFileTree, RestoreRequest> request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(point);
        ArgumentNullException.ThrowIfNull(request);
        PointDatabase database = point.Database
            ?? throw new HoldfastException(ErrorKind.Usage, $"restore point {point.Id.ToShortString()} is of files, not of a database", "use \"holdfast restore\"");
        if (!DatabaseEngines.Names.Contains(database.Engine))
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"restore point {point.Id.ToShortString()} is of a {database.Engine} database, which this program does not know",
                "use the version of holdfast that made it; \"holdfast restore\" brings back its files");
        }

        IDatabaseEngine engine = DatabaseEngines.Get(database.Engine);
        using IDisposable? held = CheckpointTargets.Claim(host.Disk, engine, source: null, target, replace);
        using CheckpointStage stage = CheckpointStage.Begin(host, target);
        if (!host.Disk.TryCreateDirectory(stage.Content)) throw new InvalidOperationException($"{stage.Content} exists");
        RestoreSummary summary = await RestoreAsync(vault, point, stage.Content, request, cancellationToken).ConfigureAwait(false);
        string restored = engine.IsFile ? $"{stage.Content}/{NameOf(point)}" : stage.Content;
        DatabaseCheck check = await Task.Run(() => engine.Check(restored, only: null, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (check.Problems.Count > 0)
        {
            throw new HoldfastException(
                ErrorKind.Damage, $"restore point {point.Id.ToShortString()}: the restored database is damaged: {check.Problems[0]}",
                "restore another point; \"holdfast restore\" brings back the files as they are");
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (engine.IsFile) stage.CommitFile(NameOf(point));
        else stage.CommitDirectory(replace);
        return new DatabaseRestoreSummary(summary, check);
    }

    private static async Task<RestoreSummary> RestoreAsync(
        OpenVault vault, RestorePoint point, string directory, Func<IFileTree, RestoreRequest> request, CancellationToken cancellationToken)
    {
        Result<DirectoryTree> opened = DirectoryTree.TryOpen(Encoding.UTF8.GetBytes(directory));
        if (!opened.Ok) throw new HoldfastException(ErrorKind.Failed, $"{directory}: {opened.Error.Describe()}", "check the file system");
        using DirectoryTree tree = opened.Value;
        RestoreSummary summary = await RestoreRun.RunAsync(vault, point, request(tree), cancellationToken).ConfigureAwait(false);
        if (summary.Errors == 0) return summary;
        throw new HoldfastException(
            summary.Damaged > 0 ? ErrorKind.Damage : ErrorKind.Failed,
            $"restore point {point.Id.ToShortString()}: {summary.Errors} items could not be restored, so there is no database",
            "what is missing was told above; restore another point");
    }

    private static string NameOf(RestorePoint point) => Path.GetFileName(Encoding.UTF8.GetString(point.Roots[0].Span));
}
