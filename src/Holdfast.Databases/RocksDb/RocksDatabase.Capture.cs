using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Checkpoints, by the owner.</summary>
public sealed unsafe partial class RocksDatabase
{
    private static readonly HostDisk Disk = new();

    private readonly RocksFileIdentities identities = new(Disk);

    /// <inheritdoc/>
    /// <remarks>
    /// By RocksDB's own checkpoint, beside writes from any thread: tables and blob files are links on the same file system, else copies;
    /// the manifest and the newest write-ahead log are copies. Writes of <see cref="RocksDurability.Unlogged"/> are in it only with a flush. Rate and
    /// progress of the options are not heeded, since RocksDB knows neither; nor is cancelling, until it is done.
    /// </remarks>
    public Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        nint checkpointer = LibRocksDb.CreateCheckpointer(Handle, out nint error);
        RocksError.Check(error, Path);
        try
        {
            LibRocksDb.CreateCheckpoint(checkpointer, directory, options.Flush ? 0 : ulong.MaxValue, out error);
            RocksError.Check(error, Path);
        }
        finally
        {
            LibRocksDb.DestroyCheckpointer(checkpointer);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return Complete(directory, cancellationToken);
    }

    private Capture Complete(string directory, CancellationToken cancellationToken)
    {
        // RocksDB leaves out the database's id, and a copy without it would take another at its first open.
        if (Disk.TryStat($"{directory}/{RocksFiles.Identity}") is null)
        {
            _ = new StageFiles(Disk, TimeProvider.System, directory, new CaptureOptions())
                .TryCopy($"{Path}/{RocksFiles.Identity}", RocksFiles.Identity, null, isPaced: false, cancellationToken);
        }

        foreach (DiskEntry entry in Disk.TryList(directory) ?? [])
        {
            if (RocksFiles.IsOptions(entry.Name, out _)) RocksOptionsFile.DropWalDirectory(Disk, $"{directory}/{entry.Name}");
        }

        string manifest = RocksManifest.NameOf(Disk, directory)
            ?? throw new HoldfastException(ErrorKind.Failed, $"{directory}: RocksDB made no checkpoint there", "another program removes files there");
        RocksManifest live = RocksManifest.Read(Disk, $"{directory}/{manifest}");
        ulong? sequence = RocksWals.Settle(Disk, directory, live.LastSequence);
        return RocksCopies.Describe(Disk, directory, Path, sequence, CaptureWay.Owner, identities, name => TransferOf(directory, name));
    }

    // RocksDB does not tell: it links what never changes where both lie on one file system.
    private FileTransfer TransferOf(string directory, string name)
    {
        if (Disk.TryStat($"{directory}/{name}") is not { } file) return FileTransfer.Copied;
        bool isFixed = RocksFiles.IsTable(name) || RocksFiles.IsBlob(name, out _);
        // The database may have dropped its own name for it since.
        bool isLink = file.LinkCount > 1 || (isFixed && file.DeviceId == Disk.TryStat(Path)?.DeviceId);
        return isLink ? FileTransfer.Linked : FileTransfer.Copied;
    }
}
