using Holdfast.Log;
using Holdfast.Testing.Simulation;

namespace Holdfast.Testing;

/// The calls of <see cref="IDisk"/>.
public sealed partial class SimulatedDisk
{
    /// <inheritdoc/>
    public IDiskFile? TryOpen(string path, DiskAccess access) => Call(Describe(DiskCallKind.Open, path), () =>
        names.Find(path) is FileNode file
            ? new SimulatedDiskFile(this, file, path, writable: access == DiskAccess.ReadWrite)
            : null);

    /// <inheritdoc/>
    public IDiskFile CreateUnnamed(string directory) => Call(Describe(DiskCallKind.CreateUnnamed, directory), () =>
    {
        DirectoryNode parent = names.FindDirectory("open", directory);
        var node = new FileNode { Modified = Clock.GetUtcNow() };
        unnamed.Add(node);
        string? staging = StagesByName ? $"{directory}/{IDisk.StagingPrefix}{random.NextInt64():x16}" : null;
        if (staging is not null) names.Add(parent, staging[(directory.Length + 1)..], node);
        return new SimulatedDiskFile(this, node, staging ?? $"{directory}/(unnamed)", writable: true)
        {
            WasUnnamed = true,
            StagingPath = staging,
        };
    });

    /// <inheritdoc/>
    public bool TryPublish(IDiskFile file, string path) => Call(Describe(DiskCallKind.Publish, path), () =>
    {
        if (file is not SimulatedDiskFile { WasUnnamed: true, IsPublished: false } own || own.Disk != this)
        {
            throw new ArgumentException("not an unnamed file of this disk", nameof(file));
        }

        own.ThrowIfUnusable();
        (DirectoryNode directory, string name) = names.ResolveParent("linkat", path);
        if (directory.Current.ContainsKey(name)) return false;
        names.Add(directory, name, own.Node);
        Touch(directory);
        unnamed.Remove(own.Node);
        // As link and unlink: a crash may leave both names.
        if (own.StagingPath is not null) RemoveStaging(own.StagingPath, own.Node);
        own.Path = path;
        own.IsPublished = true;
        return true;
    });

    /// <inheritdoc/>
    public bool TryLink(string existing, string path) => Call(Describe(DiskCallKind.Link, path), () =>
    {
        (DirectoryNode existingDirectory, string existingName) = names.ResolveParent("linkat", existing);
        if (!existingDirectory.Current.TryGetValue(existingName, out Node? node))
        {
            throw new DiskException("linkat", existing, SimulatedErrno.NoEntry);
        }

        (DirectoryNode directory, string name) = names.ResolveParent("linkat", path);
        if (directory.Current.ContainsKey(name)) return false;
        if (node is not FileNode) throw new DiskException("linkat", existing, SimulatedErrno.NotPermitted);
        names.Add(directory, name, node);
        Touch(directory);
        return true;
    });

    /// <inheritdoc/>
    public bool TryClone(IDiskFile source, IDiskFile target)
    {
        if (source is not SimulatedDiskFile from || from.Disk != this)
        {
            throw new ArgumentException("not a file of this disk", nameof(source));
        }

        if (target is not SimulatedDiskFile to || to.Disk != this)
        {
            throw new ArgumentException("not a file of this disk", nameof(target));
        }

        return Call(Describe(DiskCallKind.Clone, to.Path), () => to.TryClone(from, Clones));
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => Call(Describe(DiskCallKind.Rename, from), () =>
    {
        (DirectoryNode fromDirectory, string fromName) = names.ResolveParent("rename", from);
        (DirectoryNode toDirectory, string toName) = names.ResolveParent("rename", to);
        if (!fromDirectory.Current.TryGetValue(fromName, out Node? node))
        {
            throw new DiskException("rename", from, SimulatedErrno.NoEntry);
        }

        IReadOnlyList<DirectoryNode> path = names.DirectoriesOn(to);
        Node? replaced = toDirectory.Current.GetValueOrDefault(toName);
        // In the kernel's order: first whether one of the two is an ancestor of the other.
        int? errno = node is DirectoryNode moved && path.Contains(moved) ? SimulatedErrno.InvalidArgument
            : replaced is DirectoryNode target && names.DirectoriesOn(from).Contains(target) ? SimulatedErrno.NotEmpty
            // rename(2): two names of one file stay as they are.
            : replaced is null || replaced == node ? null
            : node is DirectoryNode && replaced is FileNode ? SimulatedErrno.NotDirectory
            : node is FileNode && replaced is DirectoryNode ? SimulatedErrno.IsDirectory
            : replaced is DirectoryNode { Current.Count: > 0 } ? SimulatedErrno.NotEmpty
            : null;
        if (errno is not null) throw new DiskException("rename", from, errno.Value);
        if (replaced == node) return;
        names.Rename(fromDirectory, fromName, toDirectory, toName, path);
        Touch(fromDirectory);
        Touch(toDirectory);
    });

    /// <inheritdoc/>
    public bool TryExchange(string first, string second) => Call(Describe(DiskCallKind.Exchange, first), () =>
    {
        (DirectoryNode firstDirectory, string firstName) = names.ResolveParent("renameat2", first);
        (DirectoryNode secondDirectory, string secondName) = names.ResolveParent("renameat2", second);
        foreach ((DirectoryNode directory, string name, string path) in new[] { (firstDirectory, firstName, first), (secondDirectory, secondName, second) })
        {
            if (!directory.Current.ContainsKey(name)) throw new DiskException("renameat2", path, SimulatedErrno.NoEntry);
        }

        bool isInside = first.StartsWith($"{second}/", StringComparison.Ordinal) || second.StartsWith($"{first}/", StringComparison.Ordinal);
        if (isInside || !Exchanges) return false;
        names.Exchange(firstDirectory, firstName, secondDirectory, secondName, [.. names.DirectoriesOn(first), .. names.DirectoriesOn(second)]);
        Touch(firstDirectory);
        Touch(secondDirectory);
        return true;
    });

    /// <inheritdoc/>
    public bool TryDelete(string path) => Call(Describe(DiskCallKind.Delete, path), () =>
        names.Find(path) is FileNode && Remove("unlink", path));

    /// <inheritdoc/>
    public bool TryCreateDirectory(string path) => Call(Describe(DiskCallKind.CreateDirectory, path), () =>
    {
        if (names.Find(path) is not null) return false;
        (DirectoryNode directory, string name) = names.ResolveParent("mkdir", path);
        names.Add(directory, name, new DirectoryNode { Modified = Clock.GetUtcNow() });
        Touch(directory);
        return true;
    });

    /// <inheritdoc/>
    public bool TryDeleteDirectory(string path) => Call(Describe(DiskCallKind.DeleteDirectory, path), () =>
        names.Find(path) is DirectoryNode { Current.Count: 0 } && Remove("rmdir", path));

    /// <inheritdoc/>
    public void SyncDirectory(string path) => Call(
        Describe(DiskCallKind.SyncDirectory, path),
        () => names.Sync(names.FindDirectory("open", path)));

    /// <inheritdoc/>
    public IReadOnlyList<DiskEntry>? TryList(string path) => Call(Describe(DiskCallKind.List, path), () =>
    {
        if (names.Find(path) is not DirectoryNode directory) return null;
        DiskEntry[] entries = [.. directory.Current.Select(e => new DiskEntry(e.Key, e.Value is DirectoryNode))];
        random.Shuffle(entries);
        return entries;
    });

    /// <inheritdoc/>
    public DiskStat? TryStat(string path) => Call<DiskStat?>(Describe(DiskCallKind.Stat, path), () =>
        names.Find(path) switch
        {
            FileNode file => new DiskStat(
                file.Content.Length, file.Modified, IsDirectory: false, names.CountNames(file), DeviceId),
            DirectoryNode directory => new DiskStat(0, directory.Modified, IsDirectory: true, 1, DeviceId),
            _ => null,
        });

    /// <inheritdoc/>
    public long FreeBytes(string path) => Call(Describe(DiskCallKind.FreeBytes, path), () =>
        names.Find(path) is null
            ? throw new DiskException("statvfs", path, SimulatedErrno.NoEntry)
            : Math.Max(0, Capacity - UsedBytes));

    /// <inheritdoc/>
    public IDiskLock? TryLock(string path, string note, out string holder)
    {
        string text = "";
        SimulatedDiskLock? taken = Call(Describe(DiskCallKind.Lock, path), () => Lock(path, note, out text));
        holder = text;
        return taken;
    }

    private SimulatedDiskLock? Lock(string path, string note, out string holder)
    {
        holder = "";
        (DirectoryNode directory, string name) = names.ResolveParent("open", path);
        switch (directory.Current.GetValueOrDefault(name))
        {
            case DirectoryNode: throw new DiskException("open", path, SimulatedErrno.IsDirectory);
            case FileNode { Lock: not null } locked:
                holder = locked.Content.Text(SimulatedDiskLock.MaxNoteBytes).Trim();
                return null;
            case FileNode free: return new SimulatedDiskLock(this, free, note);
            default:
                var made = new FileNode { Modified = Clock.GetUtcNow() };
                names.Add(directory, name, made);
                Touch(directory);
                return new SimulatedDiskLock(this, made, note);
        }
    }

    private bool Remove(string call, string path)
    {
        (DirectoryNode directory, string name) = names.ResolveParent(call, path);
        names.Remove(directory, name);
        Touch(directory);
        return true;
    }

    private void Touch(DirectoryNode directory) => directory.Modified = Clock.GetUtcNow();

    private static DiskCall Describe(DiskCallKind kind, string path) => new(0, kind, path, 0, 0);
}
