using Holdfast.Log;

namespace Holdfast.Bitcask.Checkpoints;

/// <summary>A directory that gets its name only when it is complete.</summary>
internal sealed class CheckpointTarget : IDisposable
{
    private const string StagingSuffix = ".staging-";

    private readonly IDisk disk;
    private readonly string target;
    private readonly string parent;
    private bool isCommitted;

    private CheckpointTarget(IDisk disk, string target, string parent, string staged)
    {
        this.disk = disk;
        this.target = target;
        this.parent = parent;
        Staged = staged;
    }

    /// <summary>Where files are put meanwhile.</summary>
    public string Staged { get; private set; }

    /// <summary>Begins a directory.</summary>
    /// <param name="host">Disk and randomness.</param>
    /// <param name="directory">Absolute path; nothing is there, or an empty directory.</param>
    /// <param name="store">Directory of the store: no place for a copy of it.</param>
    public static CheckpointTarget Begin(Host host, string directory, string store)
    {
        string target = directory.Length > 1 ? directory.TrimEnd('/') : directory;
        if (!target.StartsWith('/')) throw new ArgumentException($"not an absolute path: '{directory}'", nameof(directory));
        if (target == store || target.StartsWith($"{store}/", StringComparison.Ordinal))
        {
            throw Refuse(target, $"lies inside the store {store}", "choose a directory outside of it");
        }

        if (store.StartsWith($"{target.TrimEnd('/')}/", StringComparison.Ordinal))
        {
            throw Refuse(target, $"contains the store {store}", "choose another directory");
        }

        if (host.Disk.TryStat(target) is { } there)
        {
            if (!there.IsDirectory) throw Refuse(target, "is there already and is no directory", "choose another name");
            if (host.Disk.TryList(target) is { Count: > 0 })
            {
                throw Refuse(target, "is there already and is not empty", "choose another name, or remove it first");
            }
        }

        string parent = Path.GetDirectoryName(target) ?? "/";
        if (host.Disk.TryStat(parent) is not { IsDirectory: true })
        {
            throw new HoldfastException(ErrorKind.Failed, $"{parent}: there is no such directory", "make it first");
        }

        Span<byte> random = stackalloc byte[8];
        host.Entropy.Fill(random);
        string staged = $"{parent}/.{Path.GetFileName(target)}{StagingSuffix}{Convert.ToHexStringLower(random)}";
        if (!host.Disk.TryCreateDirectory(staged)) throw new InvalidOperationException($"{staged} exists");
        return new CheckpointTarget(host.Disk, target, parent, staged);
    }

    /// <summary>Gives the directory its name. Durable when it returns; its files were synced before.</summary>
    public void Commit()
    {
        disk.SyncDirectory(Staged);
        disk.Rename(Staged, target);
        Staged = target;
        disk.SyncDirectory(parent);
        isCommitted = true;
    }

    /// <summary>Removes what is not complete.</summary>
    public void Dispose()
    {
        if (isCommitted) return;
        try
        {
            foreach (DiskEntry entry in disk.TryList(Staged) ?? []) _ = disk.TryDelete($"{Staged}/{entry.Name}");
            _ = disk.TryDeleteDirectory(Staged);
        }
        catch (DiskException)
        {
            // The failure that led here is the one to be told; the rest has a name that says what it is.
        }
    }

    private static HoldfastException Refuse(string target, string why, string hint) =>
        new(ErrorKind.Failed, $"{target}: {why}", hint);
}
