using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>
/// Walks the point's tree side by side with the target: makes directories, links, pipes and devices, clears what is in the
/// way, and hands regular files to batches. Directories get their attributes when all is done.
/// </summary>
internal sealed class RestorePlanner
{
    private readonly RestoreContext context;
    private readonly RestoreRequest request;
    private readonly IFileTree target;
    private readonly EntryWriter writer;
    private readonly RestoreBatch batch;
    private readonly bool isSingleRoot;
    private readonly Stack<Level> levels = new();
    private readonly List<RestoreFolder> folders = [];
    private readonly Dictionary<(ulong Device, ulong Inode), LinkedName> firstNames = [];
    private readonly List<(LinkedName First, LinkedName Name, bool Exists)> links = [];

    public RestorePlanner(RestoreContext context, EntryWriter writer, RestoreBatch batch, bool isSingleRoot)
    {
        this.context = context;
        this.writer = writer;
        this.batch = batch;
        this.isSingleRoot = isSingleRoot;
        request = context.Request;
        target = context.Target;
    }

    /// <summary>Restores all of a point.</summary>
    public async Task RunAsync(RestorePoint point)
    {
        List<TreeEntry> roots = await context.Vault.Trees.ReadDirectoryAsync(point.Tree, isPointRoot: true, context.Cancellation).ConfigureAwait(false);
        foreach (TreeEntry root in roots) await TakeRootAsync(root).ConfigureAwait(false);
        await batch.RunAsync().ConfigureAwait(false);
        foreach ((LinkedName first, LinkedName name, bool exists) in links) await LinkAsync(first, name, exists).ConfigureAwait(false);
        for (int i = folders.Count - 1; i >= 0; i--) await FinishFolderAsync(folders[i]).ConfigureAwait(false);
    }

    private async Task TakeRootAsync(TreeEntry root)
    {
        var top = new RestoreFolder { Node = target.Root, Entry = null, Path = [], IsNew = false, IsTaken = false };
        PathChoice choice = request.Selection.Root;
        if (isSingleRoot && root.IsDirectory)
        {
            Result<NodeAttributes> now = await target.GetAttributesAsync(context.Caller, target.Root).ConfigureAwait(false);
            if (!now.Ok)
            {
                context.Fail([], now.Error.Describe());
                return;
            }

            var folder = new RestoreFolder { Node = target.Root, Entry = root, Path = [], IsNew = false, IsTaken = choice == PathChoice.Take };
            folders.Add(folder);
            context.CountDirectory();
            await PushAsync(folder, root, choice, isThere: true).ConfigureAwait(false);
            await DrainAsync().ConfigureAwait(false);
            return;
        }

        // Under its own absolute path: the directories on the way are made where they are missing.
        byte[][] components = BytePath.Split(root.Name);
        byte[] name = components.Length == 0 ? [] : components[^1];
        if (!isSingleRoot)
        {
            for (int i = 0; i < components.Length - 1; i++)
            {
                if (await OnTheWayAsync(top, components[i]).ConfigureAwait(false) is not { } next) return;
                top = next;
            }
        }

        byte[] path = isSingleRoot ? name : root.Name;
        choice = request.Selection.Choose(path, isSingleRoot ? 0 : 1, root.IsDirectory, choice);
        if (choice == PathChoice.Skip) return;
        if (name.Length == 0)
        {
            // "/" beside other roots: its content goes to the top itself.
            var folder = new RestoreFolder { Node = target.Root, Entry = root, Path = root.Name, IsNew = false, IsTaken = choice == PathChoice.Take };
            folders.Add(folder);
            await PushAsync(folder, root, choice, isThere: true).ConfigureAwait(false);
        }
        else
        {
            await TakeAsync(top, root, name, path, choice, await FindAsync(top, name).ConfigureAwait(false)).ConfigureAwait(false);
        }

        await DrainAsync().ConfigureAwait(false);
    }

    private async ValueTask<RestoreFolder?> OnTheWayAsync(RestoreFolder parent, byte[] name)
    {
        byte[] path = BytePath.Join(parent.Path, name);
        Result<Node> node = await target.LookupAsync(context.Caller, parent.Node, name).ConfigureAwait(false);
        if (node.Error == Errno.NoEntry && !request.DryRun)
        {
            Result<CreatedNode> created = await target.CreateDirectoryAsync(context.Caller, parent.Node, name, 0x1ED).ConfigureAwait(false);
            node = created.Ok ? created.Value.Node : created.Error;
        }

        if (node.Ok && node.Value.Attributes.IsDirectory)
        {
            var folder = new RestoreFolder { Node = node.Value.Id, Entry = null, Path = path, IsNew = false, IsTaken = false };
            folders.Add(folder);
            return folder;
        }

        if (node.Error == Errno.NoEntry) return new RestoreFolder { Node = default, Entry = null, Path = path, IsNew = true, IsTaken = false };
        context.Fail(path, node.Ok ? "is in the way: not a directory" : node.Error.Describe());
        return null;
    }

    private async ValueTask<NodeAttributes?> FindAsync(RestoreFolder folder, byte[] name)
    {
        if (folder.Node == default) return null;
        Result<Node> node = await target.LookupAsync(context.Caller, folder.Node, name).ConfigureAwait(false);
        if (!node.Ok) return null;
        target.Forget(node.Value.Id, 1);
        return node.Value.Attributes;
    }

    private async Task DrainAsync()
    {
        while (levels.TryPeek(out Level? level))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (level.Next == level.Entries.Count)
            {
                while (level.Scan is not null && level.NextThere < level.Scan.Count) await TakeExtraAsync(level, level.NextThere++).ConfigureAwait(false);
                levels.Pop();
                continue;
            }

            await StepAsync(level, level.Entries[level.Next++]).ConfigureAwait(false);
        }
    }

    private async ValueTask StepAsync(Level level, TreeEntry entry)
    {
        NodeAttributes? there = null;
        while (level.Scan is not null && level.NextThere < level.Scan.Count)
        {
            int order = level.Scan.NameOf(level.NextThere).Span.SequenceCompareTo(entry.Name);
            if (order > 0) break;
            int index = level.NextThere++;
            if (order == 0)
            {
                there = level.Scan.AttributesOf(index);
                break;
            }

            await TakeExtraAsync(level, index).ConfigureAwait(false);
        }

        byte[] path = level.Folder.Path.Length == 0 ? entry.Name : BytePath.Join(level.Folder.Path, entry.Name);
        PathChoice choice = request.Selection.Choose(path, isSingleRoot ? 0 : 1, entry.IsDirectory, level.Choice);
        if (choice != PathChoice.Skip) await TakeAsync(level.Folder, entry, entry.Name, path, choice, there).ConfigureAwait(false);
    }

    /// <summary>Something in the target that the point does not have.</summary>
    private async ValueTask TakeExtraAsync(Level level, int index)
    {
        if (!request.Delete || !level.IsWhole || level.Choice != PathChoice.Take) return;
        byte[] name = level.Scan!.NameOf(index).ToArray();
        byte[] path = level.Folder.Path.Length == 0 ? name : BytePath.Join(level.Folder.Path, name);
        NodeKind kind = level.Scan.AttributesOf(index).Kind;
        // What is left out of the restore is left alone in the target.
        if (request.Selection.Choose(path, isSingleRoot ? 0 : 1, kind == NodeKind.Directory, level.Choice) != PathChoice.Take) return;
        await RemoveAsync(level.Folder, name, kind, path).ConfigureAwait(false);
    }

    private async ValueTask<bool> RemoveAsync(RestoreFolder folder, byte[] name, NodeKind kind, byte[] path)
    {
        Errno error = await writer.RemoveAsync(folder.Node, name, kind, path, context.CountDeleted).ConfigureAwait(false);
        if (error != Errno.None) context.Fail(path, $"cannot be removed: {error.Describe()}");
        return error == Errno.None;
    }

    private async ValueTask TakeAsync(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, PathChoice choice, NodeAttributes? there)
    {
        context.Request.Progress.Show(path);
        if (choice == PathChoice.Take && !await MakeAsync(folder).ConfigureAwait(false)) return;
        if (there is { } found && found.Kind != entry.Attributes.Kind)
        {
            if (!await ClearAsync(folder, name, path, found).ConfigureAwait(false)) return;
            there = null;
        }

        if (entry.IsDirectory) await TakeDirectoryAsync(folder, entry, name, path, choice, there is not null).ConfigureAwait(false);
        else if (IsFurtherName(folder, entry, name, path, there is not null)) return;
        else if (entry.Attributes.Kind == NodeKind.Regular) await TakeFileAsync(folder, entry, name, path, there).ConfigureAwait(false);
        else await TakeOtherAsync(folder, entry, name, path, there).ConfigureAwait(false);
    }

    /// <summary>Makes room where something of another kind has the name. A directory that holds something goes only when deleting was asked for.</summary>
    private async ValueTask<bool> ClearAsync(RestoreFolder folder, byte[] name, byte[] path, NodeAttributes found)
    {
        if (request.Overwrite == OverwriteMode.Never)
        {
            context.CountSkipped();
            return false;
        }

        if (!found.IsDirectory || request.Delete) return await RemoveAsync(folder, name, found.Kind, path).ConfigureAwait(false);
        if (request.DryRun) return true;
        Result<Mutation> removed = await target.RemoveDirectoryAsync(context.Caller, folder.Node, name).ConfigureAwait(false);
        if (!removed.Ok) context.Fail(path, "a directory that is not empty is in the way: --delete would remove it");
        return removed.Ok;
    }

    private async ValueTask TakeDirectoryAsync(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, PathChoice choice, bool isThere)
    {
        NodeId node = default;
        if (choice == PathChoice.Pass && !isThere && !request.DryRun)
        {
            // Nothing may be wanted of what is below: it is made when something is.
            var waiting = new RestoreFolder { Node = default, WaitsIn = folder, Name = name, Entry = entry, Path = path, IsNew = true, IsTaken = false };
            await PushAsync(waiting, entry, choice, isThere: false).ConfigureAwait(false);
            return;
        }

        if (folder.Node != default && (isThere || !request.DryRun))
        {
            Result<Node> found = isThere
                ? await target.LookupAsync(context.Caller, folder.Node, name).ConfigureAwait(false)
                : NodeOf(await target.CreateDirectoryAsync(context.Caller, folder.Node, name, 0x1C0).ConfigureAwait(false));
            if (!found.Ok || !found.Value.Attributes.IsDirectory)
            {
                context.Fail(path, found.Ok ? "was replaced meanwhile" : found.Error.Describe());
                return;
            }

            node = found.Value.Id;
        }

        if (!isThere && choice == PathChoice.Take) request.OnChange?.Invoke(new TreeChange(ChangeKind.Added, path));
        var made = new RestoreFolder { Node = node, Entry = entry, Path = path, IsNew = !isThere, IsTaken = choice == PathChoice.Take };
        folders.Add(made);
        context.CountDirectory();
        await PushAsync(made, entry, choice, isThere).ConfigureAwait(false);
    }

    /// <summary>Makes a directory that was waiting, and those above it; false when one cannot be made.</summary>
    private async ValueTask<bool> MakeAsync(RestoreFolder folder)
    {
        if (folder.WaitsIn is not { } parent) return true;
        if (!await MakeAsync(parent).ConfigureAwait(false)) return false;
        Result<CreatedNode> created = await target.CreateDirectoryAsync(context.Caller, parent.Node, folder.Name, 0x1C0).ConfigureAwait(false);
        if (!created.Ok)
        {
            context.Fail(folder.Path, created.Error.Describe());
            return false;
        }

        folder.Node = created.Value.Node.Id;
        folder.WaitsIn = null;
        folders.Add(folder);
        context.CountDirectory();
        request.OnChange?.Invoke(new TreeChange(ChangeKind.Added, folder.Path));
        return true;
    }

    private async ValueTask PushAsync(RestoreFolder folder, TreeEntry entry, PathChoice choice, bool isThere)
    {
        DirectoryScan? scan = null;
        if (isThere && folder.Node != default)
        {
            scan = new DirectoryScan();
            Result<int> scanned = await target.ScanAsync(context.Caller, folder.Node, scan).ConfigureAwait(false);
            if (!scanned.Ok)
            {
                context.Fail(folder.Path, scanned.Error.Describe());
                return;
            }

            scan.SortByName();
        }

        List<TreeEntry> entries;
        bool isWhole = true;
        try
        {
            entries = await context.Vault.Trees.ReadDirectoryAsync(entry.Content!, isPointRoot: false, context.Cancellation, damage =>
            {
                isWhole = false;
                context.FailDamaged(folder.Path, $"some of what is in it cannot be read: {damage.Message}");
            }).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            context.FailDamaged(folder.Path, $"what is in it cannot be read: {damage.Message}");
            return;
        }

        levels.Push(new Level { Folder = folder, Entries = entries, Scan = scan, Choice = choice, IsWhole = isWhole });
    }

    /// <summary>Whether it is a further name of a file whose first name was met: a link, made when the files are there.</summary>
    private bool IsFurtherName(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, bool isThere)
    {
        if (!entry.IsHardLinked) return false;
        var linked = new LinkedName(folder, name, path);
        if (firstNames.TryAdd((entry.Attributes.Device, entry.Attributes.Inode), linked)) return false;
        links.Add((firstNames[(entry.Attributes.Device, entry.Attributes.Inode)], linked, isThere));
        return true;
    }

    private async ValueTask TakeFileAsync(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, NodeAttributes? there)
    {
        if (there is { } now)
        {
            bool isSkipped = request.Overwrite == OverwriteMode.Never;
            bool isBelieved = request.Overwrite == OverwriteMode.IfChanged && now.Size == entry.Attributes.Size && now.ModifyTime == entry.Attributes.ModifyTime;
            if (isSkipped)
            {
                context.CountSkipped();
                return;
            }

            if (isBelieved && writer.Fits(entry, now))
            {
                context.CountUnmodified();
                context.Request.Progress.AddDone(1, entry.Attributes.Size);
                return;
            }

        }

        await batch.AddAsync(new RestoreFile
        {
            Folder = folder,
            Entry = entry,
            Name = name,
            Path = path,
            There = there,
        }).ConfigureAwait(false);
    }

    private async ValueTask TakeOtherAsync(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, NodeAttributes? there)
    {
        if (there is { } now)
        {
            if (request.Overwrite == OverwriteMode.Never)
            {
                context.CountSkipped();
                return;
            }

            if (await IsSameOtherAsync(folder, entry, name, now).ConfigureAwait(false))
            {
                await FinishOtherAsync(folder, entry, name, path, now).ConfigureAwait(false);
                return;
            }

            Errno error = request.DryRun ? Errno.None : await writer.RemoveAsync(folder.Node, name, now.Kind, path, static _ => { }).ConfigureAwait(false);
            if (error != Errno.None)
            {
                context.Fail(path, $"cannot be replaced: {error.Describe()}");
                return;
            }
        }

        if (!request.DryRun)
        {
            Result<Node> node = await writer.CreateOtherAsync(folder.Node, entry, name).ConfigureAwait(false);
            if (!node.Ok)
            {
                context.Fail(path, node.Error.Describe());
                return;
            }

            string? trouble = await writer.FinishAsync(node.Value.Id, entry, node.Value.Attributes, isNew: true).ConfigureAwait(false);
            target.Forget(node.Value.Id, 1);
            if (trouble is not null) context.Fail(path, trouble);
        }

        context.Request.Progress.AddDone(1, 0);
        if (there is null) context.CountAdded(path);
        else context.CountModified(path);
    }

    private async ValueTask<bool> IsSameOtherAsync(RestoreFolder folder, TreeEntry entry, byte[] name, NodeAttributes now)
    {
        if (now.DeviceMajor != entry.Attributes.DeviceMajor || now.DeviceMinor != entry.Attributes.DeviceMinor) return false;
        if (now.LinkCount > 1 && !entry.IsHardLinked) return false;
        if (now.Kind != NodeKind.Symlink) return true;
        Result<Node> node = await target.LookupAsync(context.Caller, folder.Node, name).ConfigureAwait(false);
        if (!node.Ok) return false;
        Result<ReadOnlyMemory<byte>> link = await target.ReadLinkAsync(context.Caller, node.Value.Id).ConfigureAwait(false);
        target.Forget(node.Value.Id, 1);
        return link.Ok && link.Value.Span.SequenceEqual(entry.Target);
    }

    private async ValueTask FinishOtherAsync(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, NodeAttributes now)
    {
        context.Request.Progress.AddDone(1, 0);
        if (writer.Fits(entry, now)) context.CountUnmodified();
        else context.CountModified(path);
        if (request.DryRun) return;
        Result<Node> node = await target.LookupAsync(context.Caller, folder.Node, name).ConfigureAwait(false);
        string? trouble = node.Ok
            ? await writer.FinishAsync(node.Value.Id, entry, node.Value.Attributes, isNew: false).ConfigureAwait(false)
            : node.Error.Describe();
        if (node.Ok) target.Forget(node.Value.Id, 1);
        if (trouble is not null) context.Fail(path, trouble);
    }

    private async ValueTask LinkAsync(LinkedName first, LinkedName name, bool exists)
    {
        context.Request.Progress.AddDone(1, 0);
        if (request.DryRun)
        {
            if (exists) context.CountUnmodified();
            else context.CountAdded(name.Path);
            return;
        }

        Result<Node> node = await target.LookupAsync(context.Caller, first.Folder.Node, first.Name).ConfigureAwait(false);
        if (!node.Ok)
        {
            context.Fail(name.Path, $"its other name {BytePath.Display(first.Path)} could not be restored");
            return;
        }

        if (exists)
        {
            Result<Node> there = await target.LookupAsync(context.Caller, name.Folder.Node, name.Name).ConfigureAwait(false);
            if (there.Ok) target.Forget(there.Value.Id, 1);
            if (there.Ok && there.Value.Id == node.Value.Id)
            {
                target.Forget(node.Value.Id, 1);
                context.CountUnmodified();
                return;
            }

            if (there.Ok) await writer.RemoveAsync(name.Folder.Node, name.Name, there.Value.Attributes.Kind, name.Path, static _ => { }).ConfigureAwait(false);
        }

        Result<TwoDirectoryMutation> linked = await target.LinkAsync(context.Caller, node.Value.Id, name.Folder.Node, name.Name).ConfigureAwait(false);
        target.Forget(node.Value.Id, 1);
        if (!linked.Ok) context.Fail(name.Path, $"hard link to {BytePath.Display(first.Path)}: {linked.Error.Describe()}");
        else if (exists) context.CountModified(name.Path);
        else context.CountAdded(name.Path);
    }

    private async ValueTask FinishFolderAsync(RestoreFolder folder)
    {
        // A directory that was only passed through, and was there, stays as it is.
        if (folder.Node == default) return;
        if (folder.Entry is not null && !request.DryRun && (folder.IsNew || (folder.IsTaken && request.Overwrite != OverwriteMode.Never)))
        {
            Result<NodeAttributes> now = await target.GetAttributesAsync(context.Caller, folder.Node).ConfigureAwait(false);
            string? trouble = now.Ok
                ? await writer.FinishAsync(folder.Node, folder.Entry, now.Value, folder.IsNew).ConfigureAwait(false)
                : now.Error.Describe();
            if (trouble is not null) context.Fail(folder.Path, trouble);
        }

        if (folder.Node != target.Root) target.Forget(folder.Node, 1);
    }

    private static Result<Node> NodeOf(Result<CreatedNode> created) => created.Ok ? created.Value.Node : created.Error;

    private sealed record LinkedName(RestoreFolder Folder, byte[] Name, byte[] Path);

    private sealed class Level
    {
        public required RestoreFolder Folder { get; init; }

        public required List<TreeEntry> Entries { get; init; }

        /// <summary>What the target has there; null when the directory is new.</summary>
        public required DirectoryScan? Scan { get; init; }

        public required PathChoice Choice { get; init; }

        /// <summary>False when some entries are lost: then nothing in the target is known to be too many.</summary>
        public required bool IsWhole { get; init; }

        public int Next { get; set; }

        public int NextThere { get; set; }
    }
}
