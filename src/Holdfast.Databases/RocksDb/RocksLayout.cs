using System.Globalization;
using System.Text;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// The files of a database at a moment, as seen from outside. Two that have the same <see cref="Guard"/> enclose a time in which the
/// database had one version: no flush, compaction, ingestion or column family was recorded, and no log was begun or dropped.
/// </summary>
internal sealed class RocksLayout
{
    private RocksLayout(string manifestName, long manifestBytes, string walDirectory, string? optionsName, IReadOnlyList<ulong> wals, string guard)
    {
        ManifestName = manifestName;
        ManifestBytes = manifestBytes;
        WalDirectory = walDirectory;
        OptionsName = optionsName;
        Wals = wals;
        Guard = guard;
    }

    /// <summary>The manifest that CURRENT names.</summary>
    public string ManifestName { get; }

    /// <summary>Its length.</summary>
    public long ManifestBytes { get; }

    /// <summary>Where write-ahead logs lie.</summary>
    public string WalDirectory { get; }

    /// <summary>The newest file with options; null for none.</summary>
    public string? OptionsName { get; }

    /// <summary>Numbers of the write-ahead logs, the newest first.</summary>
    public IReadOnlyList<ulong> Wals { get; }

    /// <summary>What must not change while a copy is taken.</summary>
    public string Guard { get; }

    /// <summary>Name of a write-ahead log.</summary>
    public static string WalName(ulong number) => $"{number:d6}.log";

    /// <summary>Looks at a database; null when it changes so fast that CURRENT leads nowhere.</summary>
    /// <exception cref="HoldfastException">Kind NotThere: there is none. Kind Failed: its logs cannot be found.</exception>
    public static RocksLayout? TryRead(IDisk disk, string directory)
    {
        string manifest = RocksManifest.NameOf(disk, directory)
            ?? throw new HoldfastException(ErrorKind.NotThere, $"{directory}: there is no RocksDB database", "check the path");
        IReadOnlyList<DiskEntry> entries = disk.TryList(directory) ?? [];
        string? options = NewestOptions(entries);
        string wals = options is null ? directory : WalDirectoryOf(disk, directory, options, entries);
        if (LibC.TryStat($"{directory}/{manifest}") is not { } manifestStamp) return null;

        var guard = new StringBuilder();
        guard.Append(CultureInfo.InvariantCulture, $"{manifest} {manifestStamp.Inode} {manifestStamp.Length} {options}");
        IReadOnlyList<DiskEntry>? walEntries = wals == directory ? entries : disk.TryList(wals);
        if (walEntries is null) return null;
        var numbers = new List<ulong>();
        foreach (DiskEntry entry in walEntries)
        {
            if (!entry.IsDirectory && RocksFiles.IsWal(entry.Name, out ulong number)) numbers.Add(number);
        }

        numbers.Sort((left, right) => right.CompareTo(left));
        for (int i = 0; i < numbers.Count; i++)
        {
            if (LibC.TryStat($"{wals}/{WalName(numbers[i])}") is not { } wal) return null;
            // The newest one grows; the others are complete.
            guard.Append(CultureInfo.InvariantCulture, $" {numbers[i]} {wal.Inode} {(i == 0 ? 0 : wal.Length)}");
        }

        return new RocksLayout(manifest, manifestStamp.Length, wals, options, numbers, guard.ToString());
    }

    private static string? NewestOptions(IReadOnlyList<DiskEntry> entries)
    {
        string? newest = null;
        ulong newestNumber = 0;
        foreach (DiskEntry entry in entries)
        {
            if (!RocksFiles.IsOptions(entry.Name, out ulong number) || number < newestNumber) continue;
            (newest, newestNumber) = (entry.Name, number);
        }

        return newest;
    }

    private static string WalDirectoryOf(IDisk disk, string directory, string options, IReadOnlyList<DiskEntry> entries)
    {
        if (RocksOptionsFile.WalDirectoryOf(disk, $"{directory}/{options}") is not { } named) return directory;
        string trimmed = named.Length > 1 ? named.TrimEnd('/') : named;
        if (trimmed.StartsWith('/') && disk.TryStat(trimmed) is { IsDirectory: true })
        {
            return LibC.TryStat(trimmed) is { } its && LibC.TryStat(directory) is { } own && its.IsFileOf(own) ? directory : trimmed;
        }

        // Old versions wrote the database's own path there, as the program gave it; and a database may have been moved. An open
        // database always has a log.
        if (entries.Any(entry => RocksFiles.IsWal(entry.Name, out _))) return directory;
        throw new HoldfastException(
            ErrorKind.Failed, $"{directory}: its options name '{named}' for write-ahead logs: there is no such directory",
            "let the program that owns the database take the checkpoint");
    }
}
