using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// Checks a copy: the files that its manifest names are there, with their lengths; its logs are whole; tables and blob files are read whole,
/// all or some; and RocksDB opens it, read-only. Writes nothing into the copy.
/// </summary>
/// <param name="disk">Where it lies.</param>
/// <param name="path">The copy.</param>
/// <param name="only">Files that are read whole; null for all.</param>
internal sealed class RocksCheck(IDisk disk, string path, IReadOnlySet<string>? only)
{
    private const string BuiltInComparator = "leveldb.BytewiseComparator";

    // Opened tables keep their index in memory; this bounds what an open of many tables reads.
    private const int MaxOpenFiles = 32;
    private const int ReadAheadBytes = 1 << 20;

    private readonly List<string> problems = [];
    private long bytesRead;
    private string? limits;

    public DatabaseCheck Run(CancellationToken cancellationToken)
    {
        RocksManifest manifest;
        try
        {
            string name = RocksManifest.NameOf(disk, path)!;
            manifest = RocksManifest.Read(disk, $"{path}/{name}");
        }
        catch (HoldfastException damaged) when (damaged.Kind == ErrorKind.Damage)
        {
            return new DatabaseCheck([damaged.Message], 0);
        }

        using var scratch = new ScratchDirectory(disk);
        bytesRead += RocksWals.Check(disk, path, problems);
        foreach (LiveFile file in manifest.Files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            CheckFile(file, scratch);
        }

        limits = LimitsOf(manifest);
        // RocksDB would stop at the first of them, with less to say.
        if (problems.Count == 0 && limits is null) Open(manifest, scratch, cancellationToken);
        return new DatabaseCheck(problems, bytesRead, limits);
    }

    private void CheckFile(LiveFile file, ScratchDirectory scratch)
    {
        string filePath = $"{path}/{file.Name}";
        using IDiskFile? open = disk.TryOpen(filePath, DiskAccess.Read);
        if (open is null || open.Length != file.Bytes)
        {
            problems.Add(open is null
                ? $"{file.Name}: is missing, the manifest names it"
                : $"{file.Name}: has {open.Length} bytes, {file.Bytes} by the manifest");
            return;
        }

        if (only is not null && !only.Contains(file.Name)) return;
        bytesRead += file.Bytes;
        string? problem = file.IsBlob ? BlobFileCheck.FindProblem(open, file.FamilyId) : TableCheck.FindProblem(open, filePath, scratch);
        if (problem is not null) problems.Add($"{file.Name}: {problem}");
    }

    private static string? LimitsOf(RocksManifest manifest)
    {
        foreach (LiveFamily family in manifest.Families)
        {
            if (family.Comparator is BuiltInComparator or "") continue;
            return $"column family '{family.Name}' is ordered by '{family.Comparator}', which this program lacks: its files were checked, "
                + "but the database was not opened";
        }

        return null;
    }

    private void Open(RocksManifest manifest, ScratchDirectory scratch, CancellationToken cancellationToken)
    {
        var options = new RocksOptions { CacheBytes = 1 << 20, MaxOpenFiles = MaxOpenFiles, WalDirectory = path, InfoLogDirectory = scratch.Path };
        try
        {
            string[] names = [.. manifest.Families.Select(family => family.Name)];
            using RocksDatabase database = RocksDatabase.Open(path, options, names, readOnly: true, native =>
            {
                LibRocksDb.SetParanoidChecks(native, 1);
                LibRocksDb.SetInfoLogLevel(native, LibRocksDb.LogHeadersOnly);
                // Of so few tables, threads to open them take longer than opening them.
                LibRocksDb.SetMaxFileOpeningThreads(native, 1);
            });
            foreach (RocksColumnFamily family in database.ColumnFamilies) Read(database, family, cancellationToken);
        }
        catch (HoldfastException failed) when (failed.Kind is ErrorKind.Damage or ErrorKind.Failed or ErrorKind.NotThere)
        {
            problems.Add($"RocksDB does not open it: {failed.Message}");
        }
    }

    // Some files: they were read whole above; that the column family answers is enough. All: that each key leads to its value too.
    private void Read(RocksDatabase database, RocksColumnFamily family, CancellationToken cancellationToken)
    {
        using RocksIterator iterator = database.Iterate(family, fillCache: false, readAheadBytes: ReadAheadBytes);
        try
        {
            for (bool isThere = iterator.SeekToFirst(); isThere && only is null; isThere = iterator.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            iterator.SeekToLast();
        }
        catch (HoldfastException failed) when (failed.Kind == ErrorKind.Damage && !IsOfMerging(failed))
        {
            problems.Add($"column family '{family.Name}': {failed.Message}");
        }
        catch (HoldfastException failed) when (IsOfMerging(failed))
        {
            limits = $"column family '{family.Name}' has values that only its program's merge operator can join: its files were checked";
        }
    }

    private static bool IsOfMerging(HoldfastException failed) =>
        failed.Message.Contains("merge_operator", StringComparison.Ordinal) || failed.Message.Contains("merge operator", StringComparison.Ordinal);
}
