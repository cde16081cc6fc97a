using Holdfast.Databases.Checkpoints;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// A database that is copied by its files, without RocksDB: nothing of it is opened for writing, locked or run through recovery.
/// </summary>
/// <remarks>
/// <para>
/// The copy is what would be there if the owner had been killed at one instant of the call: the tables and blob files of one
/// version, that version's manifest, and the write-ahead logs since. It is accepted only when the manifest (name and length), the
/// options and the set of logs are the same before and after. Then the tables that the manifest names make up the one version there was,
/// and all writes since are in the logs, of which the copy has the beginning: the newest log is copied first, so whatever it
/// holds came after all that the older ones hold, and it is cut at its last whole record. What RocksDB recovers from that is a prefix of the
/// writes that were logged. (Writes that were not logged, or wait in the owner's memory for FlushWAL, are not in it.)
/// </para>
/// <para>
/// To open the live database as secondary or read-only and take RocksDB's checkpoint of that is no safer: it reads the same files
/// with the same races, and under load 14 of 103 such copies lacked writes in the middle without an error.
/// </para>
/// </remarks>
internal sealed class RocksOutsideSource(IDisk disk, string path, RocksFileIdentities identities) : ICheckpointSource
{
    private const int FirstPauseMilliseconds = 1;
    private const int LastPauseMilliseconds = 100;

    public DatabaseAddress Address { get; } = new(RocksDbEngine.EngineName, path);

    public Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken)
    {
        if (!disk.TryCreateDirectory(directory)) throw new InvalidOperationException($"{directory} exists");
        var brought = new Dictionary<string, (FileStamp Stamp, FileTransfer Transfer)>(StringComparer.Ordinal);
        var files = new StageFiles(disk, TimeProvider.System, directory, options);
        bool isClosed = !RocksLock.IsHeld(path);
        int pause = FirstPauseMilliseconds;
        for (int attempt = 1; ; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryCapture(directory, files, brought, cancellationToken) is { } layout)
            {
                isClosed &= !RocksLock.IsHeld(path);
                return Finish(directory, layout, brought, isClosed ? CaptureWay.Closed : CaptureWay.Guarded);
            }

            if (attempt >= options.MaxAttempts)
            {
                throw new HoldfastException(
                    ErrorKind.Busy, $"{path}: changed during each of {attempt} attempts to copy it from outside",
                    "let its program listen for checkpoints (one line: RocksDatabase and a checkpoint agent), or stop it meanwhile");
            }

            cancellationToken.WaitHandle.WaitOne(pause);
            pause = Math.Min(2 * pause, LastPauseMilliseconds);
        }
    }

    // Null when the database changed meanwhile. Tables that were brought stay: the next attempt is quicker.
    private RocksLayout? TryCapture(
        string directory, StageFiles files, Dictionary<string, (FileStamp Stamp, FileTransfer Transfer)> brought,
        CancellationToken cancellationToken)
    {
        if (RocksLayout.TryRead(disk, path) is not { } before) return null;
        HoldfastException? wrong = null;
        bool isAllThere = false;
        try
        {
            RocksManifest manifest = RocksManifest.Read(disk, $"{path}/{before.ManifestName}", before.ManifestBytes);
            wrong = BringTables(manifest, directory, files, brought, cancellationToken);
            isAllThere = wrong is null && TryBringRest(before, files, cancellationToken);
        }
        catch (HoldfastException failed) when (failed.Kind == ErrorKind.Damage)
        {
            wrong = failed;
        }

        RocksLayout? after = RocksLayout.TryRead(disk, path);
        if (after?.Guard != before.Guard) return null;
        // Nothing changed, and still it is wrong: so it is with the database itself.
        if (wrong is not null) throw wrong;
        return isAllThere ? before : null;
    }

    private HoldfastException? BringTables(
        RocksManifest manifest, string directory, StageFiles files, Dictionary<string, (FileStamp Stamp, FileTransfer Transfer)> brought,
        CancellationToken cancellationToken)
    {
        files.Expected = manifest.Files.Sum(file => file.Bytes);
        foreach (LiveFile file in manifest.Files)
        {
            string source = $"{path}/{file.Name}";
            FileStamp? stamp = LibC.TryStat(source);
            if (stamp is null || stamp.Value.Length != file.Bytes)
            {
                return new HoldfastException(
                    ErrorKind.Damage,
                    stamp is null
                        ? $"{source}: is missing, the manifest names it"
                        : $"{source}: has {stamp.Value.Length} bytes, {file.Bytes} by the manifest",
                    "restore the database from a restore point; where its files are spread over directories, let its program take the checkpoint");
            }

            if (brought.TryGetValue(file.Name, out (FileStamp Stamp, FileTransfer Transfer) known))
            {
                if (known.Stamp == stamp) continue;
                disk.TryDelete($"{directory}/{file.Name}");
                brought.Remove(file.Name);
            }

            if (files.TryBring(source, file.Name, cancellationToken) is not { } transfer)
            {
                return new HoldfastException(ErrorKind.Damage, $"{source}: is missing, the manifest names it", "restore the database from a restore point");
            }

            brought[file.Name] = (stamp.Value, transfer);
        }

        return null;
    }

    private bool TryBringRest(RocksLayout layout, StageFiles files, CancellationToken cancellationToken)
    {
        // The newest log first, see above; its length is that of this moment.
        foreach (ulong wal in layout.Wals)
        {
            string name = RocksLayout.WalName(wal);
            if (files.TryCopy($"{layout.WalDirectory}/{name}", name, null, isPaced: false, cancellationToken) is null) return false;
        }

        foreach (string? name in (string?[])[layout.OptionsName, RocksFiles.Identity])
        {
            // A database may be without either.
            if (name is not null) _ = files.TryCopy($"{path}/{name}", name, null, isPaced: false, cancellationToken);
        }

        return files.TryCopy($"{path}/{layout.ManifestName}", layout.ManifestName, layout.ManifestBytes, isPaced: false, cancellationToken) is not null
            && files.TryCopy($"{path}/{RocksFiles.Current}", RocksFiles.Current, null, isPaced: false, cancellationToken) is not null;
    }

    private Capture Finish(
        string directory, RocksLayout layout, Dictionary<string, (FileStamp Stamp, FileTransfer Transfer)> brought, CaptureWay way)
    {
        RocksManifest manifest = RocksManifest.Read(disk, $"{directory}/{layout.ManifestName}");
        var names = new HashSet<string>(manifest.Files.Select(file => file.Name), StringComparer.Ordinal)
        {
            layout.ManifestName, RocksFiles.Current,
        };
        if (layout.OptionsName is { } options)
        {
            names.Add(options);
            RocksOptionsFile.DropWalDirectory(disk, $"{directory}/{options}");
        }

        names.Add(RocksFiles.Identity);
        foreach (ulong wal in layout.Wals) names.Add(RocksLayout.WalName(wal));
        // Left by attempts that were given up.
        foreach (DiskEntry entry in disk.TryList(directory) ?? [])
        {
            if (!names.Contains(entry.Name)) disk.TryDelete($"{directory}/{entry.Name}");
        }

        ulong? sequence = RocksWals.Settle(disk, directory, manifest.LastSequence);
        return RocksCopies.Describe(
            disk, directory, path, sequence, way, identities, name => brought.TryGetValue(name, out var file) ? file.Transfer : FileTransfer.Copied);
    }
}
