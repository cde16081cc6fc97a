using System.Threading.Channels;
using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Backup;

/// <summary>
/// Walks the source in the order of names, side by side with the base, and says for each entry whether it is as it was. The
/// only stage that lists directories; runs ahead of the others as far as the bounds of its channels allow.
/// </summary>
internal sealed class SourceWalker(BackupContext context, ChannelWriter<WalkItem> order, ChannelWriter<FileBatch> work)
{
    // Enough for a worker to find neighbours for its groups, few enough to spread small trees over the workers.
    private const int BatchFiles = 64;
    private const long BatchBytes = 4 << 20;

    private readonly BackupRequest request = context.Request;
    private readonly Dictionary<(ulong Device, ulong Inode), SourceFile> linked = [];
    private readonly Stack<Level> levels = new();
    private readonly Stack<DirectoryScan> idleScans = new();
    private byte[] path = new byte[4096];
    private FileBatch batch = new();
    private long found;
    private long foundBytes;

    private CancellationToken Cancellation => context.Caller.Cancellation;

    /// <summary>Walks all roots. <paramref name="baseRoots"/> are the entries of the base's root directory.</summary>
    public async Task WalkAsync(IReadOnlyList<TreeEntry> baseRoots)
    {
        foreach (BackupRoot root in request.Roots)
        {
            TreeEntry? known = baseRoots.FirstOrDefault(entry => entry.Name.AsSpan().SequenceEqual(root.Path.Span));
            await WalkRootAsync(root, known).ConfigureAwait(false);
        }

        await SendBatchAsync().ConfigureAwait(false);
    }

    private async Task WalkRootAsync(BackupRoot root, TreeEntry? known)
    {
        byte[] name = root.Path.ToArray();
        if (root.Only.IsEmpty)
        {
            Result<NodeAttributes> attributes = await root.Tree.GetAttributesAsync(context.Caller, root.Tree.Root).ConfigureAwait(false);
            if (!attributes.Ok)
            {
                context.Fail(name, attributes.Error.Describe());
                return;
            }

            var directory = new SourceDirectory(root.Tree, root.Tree.Root, name, owned: false);
            TreeEntry entry = context.NewEntry(name, attributes.Value);
            int relativeStart = name.Length == 1 ? 1 : name.Length + 1;
            name.CopyTo(Room(name.Length));
            await EnterAsync(directory, entry, known, relativeStart, name.Length, attributes.Value.Device).ConfigureAwait(false);
            await DrainAsync().ConfigureAwait(false);
            return;
        }

        Result<Node> node = await root.Tree.LookupAsync(context.Caller, root.Tree.Root, root.Only).ConfigureAwait(false);
        if (!node.Ok)
        {
            context.Fail(name, node.Error.Describe());
            return;
        }

        root.Tree.Forget(node.Value.Id, 1);
        ReadOnlySpan<byte> parent = name.AsSpan(0, Math.Max(1, name.AsSpan().LastIndexOf((byte)'/')));
        var holder = new SourceDirectory(root.Tree, root.Tree.Root, parent.ToArray(), owned: false);
        await TakeAsync(holder, name, root.Only.ToArray(), node.Value.Attributes, known).ConfigureAwait(false);
    }

    /// <summary>Goes through the levels until all are done. A stack of our own: trees may be deeper than a thread's.</summary>
    private async Task DrainAsync()
    {
        while (levels.TryPeek(out Level? level))
        {
            Cancellation.ThrowIfCancellationRequested();
            if (level.Next == level.Scan.Count)
            {
                levels.Pop();
                while (level.NextBase < level.Base.Count) await SendAsync(new WalkItem(WalkStep.Deleted, level.Base[level.NextBase++], null)).ConfigureAwait(false);
                await SendAsync(new WalkItem(WalkStep.Leave, null, null)).ConfigureAwait(false);
                level.Directory.Release();
                level.Scan.Clear();
                idleScans.Push(level.Scan);
                continue;
            }

            await StepAsync(level, level.Next++).ConfigureAwait(false);
        }
    }

    private async ValueTask StepAsync(Level level, int index)
    {
        ReadOnlyMemory<byte> name = level.Scan.NameOf(index);
        // Who lists a directory while names in it are changed may see one twice.
        if (index > 0 && level.Scan.NameOf(index - 1).Span.SequenceEqual(name.Span)) return;
        TreeEntry? known = null;
        while (level.NextBase < level.Base.Count)
        {
            TreeEntry candidate = level.Base[level.NextBase];
            int order = candidate.Name.AsSpan().SequenceCompareTo(name.Span);
            if (order > 0) break;
            level.NextBase++;
            if (order == 0)
            {
                known = candidate;
                break;
            }

            await SendAsync(new WalkItem(WalkStep.Deleted, candidate, null)).ConfigureAwait(false);
        }

        NodeAttributes attributes = level.Scan.AttributesOf(index);
        Errno error = level.Scan.ErrorOf(index);
        if (error != Errno.None)
        {
            context.Fail(level.Directory.PathOf(name.Span), error.Describe());
        }
        else if (!DirectoryCodec.IsValidName(name.Span, isPointRoot: false) || !DirectoryCodec.IsValid(attributes))
        {
            context.Fail(level.Directory.PathOf(name.Span), "the file system tells of a name, mode or time that there cannot be");
        }
        else if (!IsExcluded(level, name.Span, attributes))
        {
            byte[] owned = name.ToArray();
            if (attributes.IsDirectory)
            {
                if (await TryEnterAsync(level, owned, attributes, known).ConfigureAwait(false)) return;
            }
            else if (await TakeAsync(level.Directory, owned, owned, attributes, known).ConfigureAwait(false))
            {
                return;
            }
        }

        // The entry is not in the new tree: if the base has it, it counts as deleted.
        if (known is not null) await SendAsync(new WalkItem(WalkStep.Deleted, known, null)).ConfigureAwait(false);
    }

    private bool IsExcluded(Level level, ReadOnlySpan<byte> name, in NodeAttributes attributes)
    {
        if (level.OnlyName is not null && !name.SequenceEqual(level.OnlyName)) return true;
        if (attributes.Kind == NodeKind.Regular && attributes.Size > request.MaxFileBytes) return true;
        if (request.Rules.Patterns.Count == 0) return false;
        return request.Rules.IsExcluded(PathTo(level, name), level.RelativeStart, attributes.IsDirectory);
    }

    private ReadOnlySpan<byte> PathTo(Level level, ReadOnlySpan<byte> name)
    {
        int start = level.PathLength == 1 ? 1 : level.PathLength + 1;
        Span<byte> room = Room(start + name.Length);
        room[start - 1] = (byte)'/';
        name.CopyTo(room[start..]);
        return room[..(start + name.Length)];
    }

    private async ValueTask<bool> TryEnterAsync(Level level, byte[] name, NodeAttributes attributes, TreeEntry? known)
    {
        IFileTree tree = level.Directory.Tree;
        Result<Node> node = await tree.LookupAsync(context.Caller, level.Directory.Node, name).ConfigureAwait(false);
        if (!node.Ok || !node.Value.Attributes.IsDirectory)
        {
            if (node.Ok) tree.Forget(node.Value.Id, 1);
            context.Fail(level.Directory.PathOf(name), node.Ok ? "was replaced while it was listed" : node.Error.Describe());
            return false;
        }

        // Asked of the directory itself: the listing tells the number of a mount point, not of what is mounted there.
        if (new DirectoryIdentity(node.Value.Attributes.Device, node.Value.Attributes.Inode) == request.LeftOut)
        {
            tree.Forget(node.Value.Id, 1);
            context.Note(level.Directory.PathOf(name), "is the vault itself, which is left out");
            return false;
        }

        int pathLength = PathTo(level, name).Length;
        var directory = new SourceDirectory(tree, node.Value.Id, level.Directory.PathOf(name), owned: true);
        TreeEntry entry = context.NewEntry(name, attributes);
        await EnterAsync(directory, entry, known, level.RelativeStart, pathLength, level.RootDevice).ConfigureAwait(false);
        return true;
    }

    private async ValueTask EnterAsync(
        SourceDirectory directory, TreeEntry entry, TreeEntry? known, int relativeStart, int pathLength, ulong rootDevice)
    {
        await FillAsync(directory.Tree, directory.Node, entry, known, directory.Path).ConfigureAwait(false);
        DirectoryScan scan = idleScans.TryPop(out DirectoryScan? idle) ? idle : new DirectoryScan();
        bool isForeign = request.OneFileSystem && await DeviceOfAsync(directory).ConfigureAwait(false) != rootDevice;
        if (!isForeign)
        {
            Result<int> scanned = await directory.Tree.ScanAsync(context.Caller, directory.Node, scan).ConfigureAwait(false);
            if (!scanned.Ok) context.Fail(directory.Path, scanned.Error.Describe());
            scan.SortByName();
        }

        context.Progress.Show(directory.Path);
        await SendAsync(new WalkItem(WalkStep.Enter, entry, known)).ConfigureAwait(false);
        levels.Push(new Level
        {
            Directory = directory,
            Scan = scan,
            Base = known is { IsDirectory: true } ? await ReadBaseAsync(known, directory.Path).ConfigureAwait(false) : [],
            RelativeStart = relativeStart,
            PathLength = pathLength,
            RootDevice = rootDevice,
            OnlyName = await FindMarkAsync(directory, scan).ConfigureAwait(false),
        });
    }

    private async ValueTask<ulong> DeviceOfAsync(SourceDirectory directory)
    {
        Result<NodeAttributes> attributes = await directory.Tree.GetAttributesAsync(context.Caller, directory.Node).ConfigureAwait(false);
        return attributes.Ok ? attributes.Value.Device : 0;
    }

    private async ValueTask<List<TreeEntry>> ReadBaseAsync(TreeEntry known, byte[] directoryPath)
    {
        try
        {
            return await context.Vault.Trees.ReadDirectoryAsync(known.Content!, isPointRoot: false, Cancellation).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            // Then there is nothing to compare with: all of the directory is read, which heals it.
            context.Note(directoryPath, $"the restore point compared with is damaged here, reading everything: {damage.Message}");
            return [];
        }
    }

    /// <summary>A file, link, pipe or device. True when it went on its way.</summary>
    private async ValueTask<bool> TakeAsync(
        SourceDirectory directory, byte[] name, byte[] openName, NodeAttributes attributes, TreeEntry? known)
    {
        if (attributes.Kind == NodeKind.Socket)
        {
            context.Note(directory.PathOf(openName), "is a socket, which is left out: the program that listens on it makes it anew");
            return false;
        }

        TreeEntry entry = context.NewEntry(name, attributes);
        if (attributes.Kind == NodeKind.Regular)
        {
            await TakeFileAsync(directory, openName, entry, attributes, known).ConfigureAwait(false);
            return true;
        }

        return await TakeOtherAsync(directory, openName, entry, attributes, known).ConfigureAwait(false);
    }

    private async ValueTask TakeFileAsync(SourceDirectory directory, byte[] openName, TreeEntry entry, NodeAttributes attributes, TreeEntry? known)
    {
        SourceFile? linkOf = null;
        bool isLinked = attributes.LinkCount > 1;
        if (isLinked) linked.TryGetValue((attributes.Device, attributes.Inode), out linkOf);
        var file = new SourceFile
        {
            Directory = directory,
            Entry = entry,
            OpenName = openName,
            Unchanged = !request.Checksum && context.IsUnchanged(attributes, known) ? known : null,
            LinkOf = linkOf,
        };
        if (linkOf is not null)
        {
            // Met under all its names: no need to remember it longer.
            if (--linkOf.NamesLeft == 0) linked.Remove((attributes.Device, attributes.Inode));
        }
        else if (isLinked)
        {
            file.NamesLeft = attributes.LinkCount - 1;
            linked[(attributes.Device, attributes.Inode)] = file;
        }

        if (linkOf is null)
        {
            directory.Use();
            batch.Files.Add(file);
            batch.Bytes += file.Unchanged is null ? attributes.Size : 0;
        }

        context.Progress.Expect(Math.Max(context.Progress.ItemsExpected, ++found), Math.Max(context.Progress.BytesExpected, foundBytes += attributes.Size));
        FileBatch mine = batch;
        if (batch.Files.Count >= BatchFiles || batch.Bytes >= BatchBytes) await SendBatchAsync().ConfigureAwait(false);
        await SendAsync(new WalkItem(WalkStep.File, entry, known, file, linkOf is null ? mine : null)).ConfigureAwait(false);
    }

    private async ValueTask<bool> TakeOtherAsync(
        SourceDirectory directory, byte[] openName, TreeEntry entry, NodeAttributes attributes, TreeEntry? known)
    {
        IFileTree tree = directory.Tree;
        if (context.IsUnchanged(attributes, known))
        {
            entry.Target = known!.Target;
            entry.Xattrs = known.Xattrs;
        }
        else
        {
            Result<Node> node = await tree.LookupAsync(context.Caller, directory.Node, openName).ConfigureAwait(false);
            if (!node.Ok)
            {
                context.Fail(directory.PathOf(openName), node.Error.Describe());
                return false;
            }

            await FillAsync(tree, node.Value.Id, entry, known, directory.PathOf(openName)).ConfigureAwait(false);
            Result<ReadOnlyMemory<byte>> target = attributes.Kind == NodeKind.Symlink
                ? await tree.ReadLinkAsync(context.Caller, node.Value.Id).ConfigureAwait(false)
                : ReadOnlyMemory<byte>.Empty;
            tree.Forget(node.Value.Id, 1);
            if (!target.Ok || node.Value.Attributes.Kind != attributes.Kind)
            {
                context.Fail(directory.PathOf(openName), target.Ok ? "was replaced while it was read" : target.Error.Describe());
                return false;
            }

            if (attributes.Kind == NodeKind.Symlink)
            {
                entry.Target = target.Value.ToArray();
                if (entry.Target.Length == 0 || entry.Target.Contains((byte)0))
                {
                    context.Fail(directory.PathOf(openName), "the file system tells of a target that there cannot be");
                    return false;
                }
            }
        }

        await SendAsync(new WalkItem(WalkStep.Ready, entry, known)).ConfigureAwait(false);
        return true;
    }

    /// <summary>Reads a node's extended attributes, unless its ctime says that they are those of the base.</summary>
    private async ValueTask FillAsync(IFileTree tree, NodeId node, TreeEntry entry, TreeEntry? known, byte[] itemPath)
    {
        if (context.Compares && known is not null && known.Attributes.Inode == entry.Attributes.Inode
            && known.Attributes.ChangeTime == entry.Attributes.ChangeTime && BackupContext.IsTrusted(known.Attributes))
        {
            entry.Xattrs = known.Xattrs;
            return;
        }

        UnixTime nextChange = context.NextChangeTime();
        (entry.Xattrs, Errno error) = await XattrReader.ReadAsync(tree, context.Caller, node).ConfigureAwait(false);
        if (error != Errno.None) context.Fail(itemPath, $"extended attributes: {error.Describe()}");
        if (BackupContext.MayChangeUnseen(entry.Attributes.ChangeTime, nextChange)) entry.Attributes = entry.Attributes with { ChangeTime = default };
    }

    /// <summary>The name of the file by which the directory asks to be left out; null when it does not.</summary>
    private async ValueTask<byte[]?> FindMarkAsync(SourceDirectory directory, DirectoryScan scan)
    {
        if (request.Marks.Count == 0) return null;
        for (int i = 0; i < scan.Count; i++)
        {
            foreach (ExclusionMark mark in request.Marks)
            {
                if (!scan.NameOf(i).Span.SequenceEqual(mark.Name.Span)) continue;
                if (mark.Header.IsEmpty || await BeginsWithAsync(directory, mark).ConfigureAwait(false)) return mark.Name.ToArray();
            }
        }

        return null;
    }

    private async ValueTask<bool> BeginsWithAsync(SourceDirectory directory, ExclusionMark mark)
    {
        IFileTree tree = directory.Tree;
        Result<OpenedNode> opened = await tree.OpenAtAsync(
            context.Caller, directory.Node, mark.Name, new OpenRequest(OpenAccess.Read | OpenAccess.KeepAccessTime)).ConfigureAwait(false);
        if (!opened.Ok) return false;
        byte[] head = new byte[mark.Header.Length];
        Result<int> read = await tree.ReadAsync(context.Caller, opened.Value.File, 0, head).ConfigureAwait(false);
        tree.Close(opened.Value.File);
        tree.Forget(opened.Value.Node.Id, 1);
        return read.Ok && read.Value == head.Length && head.AsSpan().SequenceEqual(mark.Header.Span);
    }

    private async ValueTask SendAsync(WalkItem item)
    {
        if (order.TryWrite(item)) return;
        // The assembler may be waiting for a file of the batch that is still with us.
        await SendBatchAsync().ConfigureAwait(false);
        await order.WriteAsync(item, Cancellation).ConfigureAwait(false);
    }

    private async ValueTask SendBatchAsync()
    {
        if (batch.Files.Count == 0) return;
        FileBatch full = batch;
        batch = new FileBatch();
        await work.WriteAsync(full, Cancellation).ConfigureAwait(false);
    }

    private Span<byte> Room(int bytes)
    {
        if (bytes > path.Length) Array.Resize(ref path, Math.Max(bytes, path.Length * 2));
        return path;
    }

    /// <summary>A directory on the way down.</summary>
    private sealed class Level
    {
        public required SourceDirectory Directory { get; init; }

        public required DirectoryScan Scan { get; init; }

        /// <summary>The same directory in the base.</summary>
        public required List<TreeEntry> Base { get; init; }

        /// <summary>Where in a path below it the part relative to the root begins.</summary>
        public required int RelativeStart { get; init; }

        /// <summary>How much of the path buffer is this directory's.</summary>
        public required int PathLength { get; init; }

        public required ulong RootDevice { get; init; }

        /// <summary>The only entry that is taken, where the directory asks to be left out.</summary>
        public required byte[]? OnlyName { get; init; }

        public int Next { get; set; }

        public int NextBase { get; set; }
    }
}
