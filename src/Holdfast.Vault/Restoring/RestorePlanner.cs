using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>
/// Walks the point's tree side by side with the target: makes directories, links, pipes and devices, clears what is in the
/// way, and hands regular files on. A directory gets its attributes when all that is to lie in it is there.
/// </summary>
internal sealed partial class RestorePlanner
{
    private readonly RestoreContext context;
    private readonly RestoreRequest request;
    private readonly IFileTree target;
    private readonly EntryWriter writer;
    private readonly RestorePipeline pipeline;
    private readonly FolderFinisher folders;
    private readonly OtherEntries others;
    private readonly HardLinks links;
    private readonly bool isSingleRoot;
    private TreeReader trees;
    private readonly Stack<Level> levels = new();

    public RestorePlanner(
        RestoreContext context, EntryWriter writer, RestorePipeline pipeline, FolderFinisher folders, bool isSingleRoot)
    {
        this.context = context;
        this.writer = writer;
        this.pipeline = pipeline;
        this.folders = folders;
        this.isSingleRoot = isSingleRoot;
        request = context.Request;
        target = context.Target;
        trees = context.Vault.Trees;
        others = new OtherEntries(context, writer);
        links = new HardLinks(context, writer, folders);
    }

    /// <summary>Restores all of a point.</summary>
    public async Task RunAsync(RestorePoint point)
    {
        trees = context.Vault.Trees.Within(point);
        List<TreeEntry> roots = await trees.ReadRootsAsync(
            point, context.Cancellation, damage => context.FailDamaged([], $"some of its roots cannot be read: {damage.Message}")).ConfigureAwait(false);
        foreach (TreeEntry root in roots) await TakeRootAsync(root).ConfigureAwait(false);
        await pipeline.EndAsync().ConfigureAwait(false);
        await links.MakeAsync().ConfigureAwait(false);
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
                await folders.EndUseAsync(level.Folder).ConfigureAwait(false);
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

        byte[] path;
        try
        {
            path = TreePath.Join(level.Folder.Path, entry.Name);
        }
        catch (DamageException damage)
        {
            context.FailDamaged(level.Folder.Path, damage.Message);
            return;
        }

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
        else if ((there is null || request.Overwrite != OverwriteMode.Never) && links.IsFurtherName(folder, entry, name, path, there is not null)) return;
        else if (entry.Attributes.Kind == NodeKind.Regular) await TakeFileAsync(folder, entry, name, path, there).ConfigureAwait(false);
        else await others.TakeAsync(folder, entry, name, path, there).ConfigureAwait(false);
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
            var waiting = new RestoreFolder
            {
                Node = default,
                Parent = folder.Use(),
                IsWaiting = true,
                Name = name,
                Entry = entry,
                Path = path,
                IsNew = true,
                IsTaken = false,
                HandsDown = folder.HandsDown,
            };
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
        var made = new RestoreFolder
        {
            Node = node,
            Parent = folder.Use(),
            Entry = entry,
            Path = path,
            IsNew = !isThere,
            IsTaken = choice == PathChoice.Take,
            HandsDown = isThere && node != default ? await writer.HandsDownAsync(node).ConfigureAwait(false) : folder.HandsDown,
        };
        context.CountDirectory();
        await PushAsync(made, entry, choice, isThere).ConfigureAwait(false);
    }

    /// <summary>Makes a directory that was waiting, and those above it; false when one cannot be made.</summary>
    private async ValueTask<bool> MakeAsync(RestoreFolder folder)
    {
        if (!folder.IsWaiting) return true;
        if (!await MakeAsync(folder.Parent!).ConfigureAwait(false)) return false;
        Result<CreatedNode> created = await target.CreateDirectoryAsync(context.Caller, folder.Parent!.Node, folder.Name, 0x1C0).ConfigureAwait(false);
        if (!created.Ok)
        {
            context.Fail(folder.Path, created.Error.Describe());
            return false;
        }

        folder.Node = created.Value.Node.Id;
        folder.IsWaiting = false;
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
                await folders.EndUseAsync(folder).ConfigureAwait(false);
                return;
            }

            scan.SortByName();
        }

        List<TreeEntry> entries;
        bool isWhole = true;
        try
        {
            entries = await trees.ReadDirectoryAsync(entry.Content!, isPointRoot: false, context.Cancellation, damage =>
            {
                isWhole = false;
                context.FailDamaged(folder.Path, $"some of what is in it cannot be read: {damage.Message}");
            }).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            context.FailDamaged(folder.Path, $"what is in it cannot be read: {damage.Message}");
            await folders.EndUseAsync(folder).ConfigureAwait(false);
            return;
        }

        levels.Push(new Level { Folder = folder, Entries = entries, Scan = scan, Choice = choice, IsWhole = isWhole });
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

        await pipeline.AddAsync(new RestoreFile
        {
            Folder = folder,
            Entry = entry,
            Name = name,
            Path = path,
            There = there,
        }).ConfigureAwait(false);
    }

    private static Result<Node> NodeOf(Result<CreatedNode> created) => created.Ok ? created.Value.Node : created.Error;

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
