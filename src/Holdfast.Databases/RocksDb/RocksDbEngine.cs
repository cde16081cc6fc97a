using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>RocksDB, by the system's librocksdb.</summary>
/// <param name="findAgent">
/// Finds the agent of the program that has a database open, by its absolute path; null when none listens. Null: agents are not asked.
/// </param>
internal sealed class RocksDbEngine(Func<string, ICheckpointSource?>? findAgent = null) : IDatabaseEngine
{
    /// <summary>As in <see cref="DatabaseAddress"/>.</summary>
    public const string EngineName = "rocksdb";

    private static readonly HostDisk Disk = new();

    private readonly RocksFileIdentities identities = new(Disk);

    public string Name => EngineName;

    public bool IsFile => false;

    public ICheckpointSource Find(string path)
    {
        RequireDatabase(path);
        return findAgent?.Invoke(path) ?? new RocksOutsideSource(Disk, path, identities);
    }

    public IDisposable Hold(string path)
    {
        RequireDatabase(path);
        RocksLock held = RocksLock.TryTake(path)
            ?? throw new HoldfastException(ErrorKind.Busy, $"{path}: a program has it open", "close that program first");
        try
        {
            RequireOwnWals(path);
        }
        catch
        {
            // Whatever failed, the lock must not stay.
            held.Dispose();
            throw;
        }

        return held;
    }

    public DatabaseCheck Check(string path, IReadOnlySet<string>? only, CancellationToken cancellationToken)
    {
        RequireDatabase(path);
        RocksError.RequireLibrary();
        return new RocksCheck(Disk, path, only).Run(cancellationToken);
    }

    private static void RequireDatabase(string path)
    {
        if (Disk.TryStat($"{path}/{RocksFiles.Current}") is not { IsDirectory: false })
        {
            throw new HoldfastException(ErrorKind.NotThere, $"{path}: there is no RocksDB database", "check the path");
        }
    }

    // Logs that lie elsewhere would stay, and be applied to what replaces the database.
    private static void RequireOwnWals(string path)
    {
        if (RocksLayout.TryRead(Disk, path) is { } layout && layout.WalDirectory != path && layout.Wals.Count > 0)
        {
            throw new HoldfastException(
                ErrorKind.Refused, $"{path}: its write-ahead logs lie in {layout.WalDirectory}, and would be applied to what replaces it",
                "restore to another path; then move both away, and the restored one in place");
        }
    }
}
