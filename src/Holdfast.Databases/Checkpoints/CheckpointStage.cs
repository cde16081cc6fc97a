using Holdfast.Log;

namespace Holdfast.Databases.Checkpoints;

/// <summary>
/// A place for a copy that gets its name only when it is whole: a hidden directory beside its target, locked while it is in use. What an
/// earlier run left, the next one for the same target removes. Not for several threads at once.
/// </summary>
internal sealed class CheckpointStage : IDisposable
{
    private const string Infix = ".holdfast-";
    private const string LockName = "lock";
    private const string ContentName = "content";
    private const string OldName = "old";

    private readonly IDisk disk;
    private readonly string root;
    private IDiskLock? holder;

    private CheckpointStage(IDisk disk, string root, string target, IDiskLock holder)
    {
        this.disk = disk;
        this.root = root;
        this.holder = holder;
        Target = target;
    }

    /// <summary>What it will be named.</summary>
    public string Target { get; }

    /// <summary>Where the files of the copy go: a directory that is to be made, without subdirectories.</summary>
    public string Content => $"{root}/{ContentName}";

    /// <summary>Begins, and removes what earlier runs left.</summary>
    /// <param name="host">Disk and randomness.</param>
    /// <param name="target">Absolute path; its parent exists.</param>
    public static CheckpointStage Begin(Host host, string target)
    {
        string parent = Path.GetDirectoryName(target) ?? "/";
        if (host.Disk.TryStat(parent) is not { IsDirectory: true })
        {
            throw new HoldfastException(ErrorKind.Failed, $"{parent}: there is no such directory", "make it first");
        }

        string prefix = $".{Path.GetFileName(target)}{Infix}";
        foreach (DiskEntry entry in host.Disk.TryList(parent) ?? [])
        {
            if (entry.IsDirectory && entry.Name.StartsWith(prefix, StringComparison.Ordinal)) Sweep(host.Disk, $"{parent}/{entry.Name}", target);
        }

        Span<byte> random = stackalloc byte[8];
        host.Entropy.Fill(random);
        string root = $"{parent.TrimEnd('/')}/{prefix}{Convert.ToHexStringLower(random)}";
        if (!host.Disk.TryCreateDirectory(root)) throw new InvalidOperationException($"{root} exists");
        IDiskLock holder = host.Disk.TryLock($"{root}/{LockName}", $"process {Environment.ProcessId}", out _)
            ?? throw new HoldfastException(ErrorKind.Busy, $"{root}: taken by another process", "run it again");
        return new CheckpointStage(host.Disk, root, target, holder);
    }

    /// <summary>Begins one for a copy that gets no name: where the database lies, so that links can be made, unless another directory is given.</summary>
    public static CheckpointStage BesideDatabase(Host host, string database, string? directory) =>
        Begin(host, $"{(directory ?? Path.GetDirectoryName(database) ?? "/").TrimEnd('/')}/{Path.GetFileName(database)}");

    /// <summary>Gives the whole directory its name. Durable when it returns; its files were synced before.</summary>
    /// <param name="replace">Whether a directory that has the name may go: it does so once the new one is in its place.</param>
    public void CommitDirectory(bool replace)
    {
        disk.SyncDirectory(Content);
        if (!replace || disk.TryStat(Target) is null)
        {
            disk.Rename(Content, Target);
        }
        else if (!disk.TryExchange(Content, Target))
        {
            // For a moment nothing has the name; who comes next after a crash puts the old one back.
            disk.Rename(Target, $"{root}/{OldName}");
            disk.Rename(Content, Target);
        }

        SyncNames();
    }

    /// <summary>Gives one of the files the name, in the place of a file that has it. Durable when it returns; it was synced before.</summary>
    /// <param name="name">Its name in <see cref="Content"/>.</param>
    public void CommitFile(string name)
    {
        disk.Rename($"{Content}/{name}", Target);
        SyncNames();
    }

    /// <summary>Removes what is left: all of it, if nothing was committed.</summary>
    public void Dispose()
    {
        if (holder is null) return;
        try
        {
            DirectoryRemoval.Remove(disk, $"{root}/{ContentName}");
            DirectoryRemoval.Remove(disk, $"{root}/{OldName}");
            _ = disk.TryDelete($"{root}/{LockName}");
            _ = disk.TryDeleteDirectory(root);
        }
        catch (DiskException)
        {
            // The failure that led here is the one to be told; the rest is removed by the next run.
        }

        holder.Dispose();
        holder = null;
    }

    private void SyncNames()
    {
        disk.SyncDirectory(Path.GetDirectoryName(Target) ?? "/");
        disk.SyncDirectory(root);
    }

    private static void Sweep(IDisk disk, string stage, string target)
    {
        using IDiskLock? mine = disk.TryLock($"{stage}/{LockName}", $"process {Environment.ProcessId}", out _);
        if (mine is null) return;
        if (disk.TryStat($"{stage}/{OldName}") is not null && disk.TryStat(target) is null)
        {
            disk.Rename($"{stage}/{OldName}", target);
            disk.SyncDirectory(Path.GetDirectoryName(target) ?? "/");
        }

        DirectoryRemoval.Remove(disk, $"{stage}/{ContentName}");
        DirectoryRemoval.Remove(disk, $"{stage}/{OldName}");
        _ = disk.TryDelete($"{stage}/{LockName}");
        _ = disk.TryDeleteDirectory(stage);
    }
}
