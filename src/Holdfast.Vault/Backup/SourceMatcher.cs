using System.Threading.Channels;
using Holdfast.Files;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Backup;

/// <summary>
/// Goes through the listed source in the order of names, side by side with the base, and says for each entry whether it is as
/// it was: what is, it passes on as the base has it; what is not goes to the workers. Runs ahead of the assembler as far as
/// the bounds of its channels allow.
/// </summary>
internal sealed class SourceMatcher(
    BackupContext context, WriteSession? session, SourceScanner scanner, WalkPages order, ChannelWriter<FileBatch> work)
{
    // Enough for a worker to find neighbours for its groups, few enough to spread small trees over the workers.
    private const int BatchFiles = 64;
    private const long BatchBytes = 4 << 20;

    private readonly BackupRequest request = context.Request;
    private readonly Dictionary<(ulong Device, ulong Inode), SourceFile> linked = [];
    private readonly Queue<(ulong Device, ulong Inode)> linkedByAge = [];
    private readonly Stack<Level> levels = new();
    private FileBatch batch = new();
    private long found;
    private long foundBytes;

    private CancellationToken Cancellation => context.Caller.Cancellation;

    /// <summary>Goes through all roots. <paramref name="baseRoots"/> are the entries of the base's root directory.</summary>
    public async Task RunAsync(IReadOnlyList<TreeEntry> baseRoots)
    {
        foreach (BackupRoot root in request.Roots)
        {
            TreeEntry? known = baseRoots.FirstOrDefault(entry => entry.Name.AsSpan().SequenceEqual(root.Path.Span));
            if (!await TryTakeRootAsync(root, known).ConfigureAwait(false) && known is not null) await SendDeletedAsync(known).ConfigureAwait(false);
        }

        await SendBatchAsync().ConfigureAwait(false);
        await order.FlushAsync(Cancellation).ConfigureAwait(false);
    }

    private async Task<bool> TryTakeRootAsync(BackupRoot root, TreeEntry? known)
    {
        byte[] name = root.Path.ToArray();
        if (root.Only.IsEmpty)
        {
            if (await scanner.TakeAsync().ConfigureAwait(false) is not { } scanned) return false;
            await EnterAsync(scanned, name, known).ConfigureAwait(false);
            await DrainAsync().ConfigureAwait(false);
            return true;
        }

        UnixTime nextChange = context.NextChangeTime();
        Result<Node> node = await root.Tree.LookupAsync(context.Caller, root.Tree.Root, root.Only).ConfigureAwait(false);
        if (!node.Ok)
        {
            context.Fail(name, node.Error.Describe());
            return false;
        }

        root.Tree.Forget(node.Value.Id, 1);
        ReadOnlySpan<byte> parent = name.AsSpan(0, Math.Max(1, name.AsSpan().LastIndexOf((byte)'/')));
        var holder = new SourceDirectory(root.Tree, root.Tree.Root, parent.ToArray(), owned: false);
        var listed = new ListedNode(holder, node.Value.Attributes, nextChange);
        return await TakeAsync(listed, name, root.Only.ToArray(), known).ConfigureAwait(false);
    }

    /// <summary>Goes through the levels until all are done. A stack of our own: trees may be deeper than a thread's.</summary>
    private async Task DrainAsync()
    {
        while (levels.TryPeek(out Level? level))
        {
            Cancellation.ThrowIfCancellationRequested();
            if (level.Next == level.Scanned.Scan.Count)
            {
                levels.Pop();
                while (level.NextBase < level.Base.Count) await SendDeletedAsync(level.Base[level.NextBase++]).ConfigureAwait(false);
                await SendAsync(new WalkItem(WalkStep.Leave, null, null)).ConfigureAwait(false);
                level.Scanned.Directory.Release();
                continue;
            }

            await StepAsync(level, level.Next++).ConfigureAwait(false);
        }
    }

    private async ValueTask StepAsync(Level level, int index)
    {
        DirectoryScan scan = level.Scanned.Scan;
        TreeEntry? known = null;
        while (level.NextBase < level.Base.Count)
        {
            TreeEntry candidate = level.Base[level.NextBase];
            int place = candidate.Name.AsSpan().SequenceCompareTo(scan.NameOf(index).Span);
            if (place > 0) break;
            level.NextBase++;
            if (place == 0)
            {
                known = candidate;
                break;
            }

            await SendDeletedAsync(candidate).ConfigureAwait(false);
        }

        // The entry is not in the new tree: if the base has it, it counts as deleted.
        if (!await TryTakeAsync(level, index, known).ConfigureAwait(false) && known is not null) await SendDeletedAsync(known).ConfigureAwait(false);
    }

    private async ValueTask<bool> TryTakeAsync(Level level, int index, TreeEntry? known)
    {
        ScannedDirectory scanned = level.Scanned;
        if (scanned.LeftOut[index]) return false;
        SourceDirectory directory = scanned.Directory;
        DirectoryScan scan = scanned.Scan;
        if (SourceScanner.FindFault(scanned.Directory, scan, index) is { } fault)
        {
            context.Fail(directory.PathOf(scan.NameOf(index).Span), fault);
            return false;
        }

        byte[] name = known?.Name ?? scan.NameOf(index).ToArray();
        if (scan.AttributesOf(index).IsDirectory)
        {
            if (await scanner.TakeAsync().ConfigureAwait(false) is not { } child) return false;
            await EnterAsync(child, name, known).ConfigureAwait(false);
            return true;
        }

        bool isIdentical = known is not null && context.IsIdentical(scan.AttributesOf(index), known);
        if (isIdentical && await TrySendAsItWasAsync(known!).ConfigureAwait(false)) return true;
        return await TakeAsync(new ListedNode(directory, scan.AttributesOf(index), scanned.NextChange), name, name, known).ConfigureAwait(false);
    }

    /// <summary>Passes on an entry that nothing happened to; false for one that takes more than a look.</summary>
    private async ValueTask<bool> TrySendAsItWasAsync(TreeEntry known)
    {
        if (known.IsHardLinked) return false;
        if (known.Attributes.Kind == NodeKind.Regular)
        {
            // Long content is in lists, which the workers go through; so is what is to be read in any case.
            if (request.Checksum || known.Content!.Depth > 0) return false;
            if (session is not null && !await session.TryReferenceAsync(known.Content.Items, ObjectKind.DataPack, Cancellation).ConfigureAwait(false)) return false;
            Expect(known.Attributes.Size);
            context.Progress.AddDone(1, known.Attributes.Size);
        }

        await SendAsync(new WalkItem(WalkStep.Ready, known, known)).ConfigureAwait(false);
        return true;
    }

    private async ValueTask EnterAsync(ScannedDirectory scanned, byte[] name, TreeEntry? known)
    {
        SourceDirectory directory = scanned.Directory;
        TreeEntry entry;
        if (known is not null && context.IsIdentical(scanned.Attributes, known))
        {
            entry = known;
        }
        else
        {
            entry = context.NewEntry(name, scanned.Attributes);
            await FillAsync(directory.Tree, directory.Node, entry, known, directory.Path, scanned.NextChange).ConfigureAwait(false);
        }

        await SendAsync(new WalkItem(WalkStep.Enter, entry, known)).ConfigureAwait(false);
        levels.Push(new Level
        {
            Scanned = scanned,
            Base = known is { IsDirectory: true } ? await ReadBaseAsync(known, directory.Path).ConfigureAwait(false) : [],
        });
    }

    private async ValueTask<List<TreeEntry>> ReadBaseAsync(TreeEntry known, byte[] directoryPath)
    {
        try
        {
            return await context.BaseTrees.ReadDirectoryAsync(known.Content!, isPointRoot: false, Cancellation).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            // Then there is nothing to compare with: all of the directory is read, which heals it.
            context.Note(directoryPath, $"{context.BaseName} is damaged here, reading everything: {damage.Message}");
            return [];
        }
    }

    /// <summary>A file, link, pipe or device. True when it went on its way.</summary>
    private async ValueTask<bool> TakeAsync(ListedNode listed, byte[] name, byte[] openName, TreeEntry? known)
    {
        (SourceDirectory directory, NodeAttributes attributes, _) = listed;
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

        return await TakeOtherAsync(listed, openName, entry, known).ConfigureAwait(false);
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
            Base = known is { Attributes.Kind: NodeKind.Regular } ? known : null,
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
            Remember((attributes.Device, attributes.Inode), file);
        }

        if (linkOf is null)
        {
            directory.Use();
            batch.Files.Add(file);
            if (file.Unchanged is null) batch.Bytes = TreeAllowance.Sum(batch.Bytes, attributes.Size);
        }

        Expect(attributes.Size);
        FileBatch mine = batch;
        if (batch.Files.Count >= BatchFiles || batch.Bytes >= BatchBytes) await SendBatchAsync().ConfigureAwait(false);
        await SendAsync(new WalkItem(WalkStep.File, entry, known, file, linkOf is null ? mine : null)).ConfigureAwait(false);
    }

    /// <summary>
    /// Further names of the file are expected. Not of very many files, since they may all lie elsewhere: of one that was let go a further
    /// name is taken like a file of its own, and is restored as a link all the same.
    /// </summary>
    private void Remember((ulong Device, ulong Inode) node, SourceFile file)
    {
        linked[node] = file;
        linkedByAge.Enqueue(node);
        if (linkedByAge.Count > request.MaxLinkedFiles) linked.Remove(linkedByAge.Dequeue());
    }

    private async ValueTask<bool> TakeOtherAsync(ListedNode listed, byte[] openName, TreeEntry entry, TreeEntry? known)
    {
        (SourceDirectory directory, NodeAttributes attributes, UnixTime nextChange) = listed;
        IFileTree tree = directory.Tree;
        bool isSame = context.IsUnchanged(attributes, known)
            && known!.Attributes.ChangeTime == attributes.ChangeTime && known.Attributes.Inode == attributes.Inode;
        if (isSame)
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

            await FillAsync(tree, node.Value.Id, entry, known, directory.PathOf(openName), nextChange).ConfigureAwait(false);
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
    private async ValueTask FillAsync(IFileTree tree, NodeId node, TreeEntry entry, TreeEntry? known, byte[] itemPath, UnixTime nextChange)
    {
        if (context.Compares && known is not null && known.Attributes.Inode == entry.Attributes.Inode
            && known.Attributes.ChangeTime == entry.Attributes.ChangeTime && BackupContext.IsTrusted(known.Attributes))
        {
            entry.Xattrs = known.Xattrs;
            return;
        }

        (entry.Xattrs, Errno error) = await XattrReader.ReadAsync(tree, context.Caller, node).ConfigureAwait(false);
        if (error != Errno.None) context.Fail(itemPath, $"extended attributes: {error.Describe()}");
        if (BackupContext.MayChangeUnseen(entry.Attributes.ChangeTime, nextChange)) entry.Attributes = entry.Attributes with { ChangeTime = default };
    }

    private void Expect(long bytes)
    {
        WorkProgress progress = context.Progress;
        progress.Expect(Math.Max(progress.ItemsExpected, ++found), Math.Max(progress.BytesExpected, foundBytes = TreeAllowance.Sum(foundBytes, bytes)));
    }

    private ValueTask SendDeletedAsync(TreeEntry known) => SendAsync(new WalkItem(WalkStep.Deleted, known, null));

    private async ValueTask SendAsync(WalkItem item)
    {
        if (order.TryAdd(item)) return;
        // The assembler may be waiting for a file of the batch that is still with us.
        await SendBatchAsync().ConfigureAwait(false);
        await order.FlushAsync(Cancellation).ConfigureAwait(false);
        order.TryAdd(item);
    }

    private async ValueTask SendBatchAsync()
    {
        if (batch.Files.Count == 0) return;
        FileBatch full = batch;
        batch = new FileBatch();
        await work.WriteAsync(full, Cancellation).ConfigureAwait(false);
    }

    /// <summary>A node as its directory listed it.</summary>
    private readonly record struct ListedNode(SourceDirectory Directory, NodeAttributes Attributes, UnixTime NextChange);

    /// <summary>A directory on the way down.</summary>
    private sealed class Level
    {
        public required ScannedDirectory Scanned { get; init; }

        /// <summary>The same directory in the base.</summary>
        public required List<TreeEntry> Base { get; init; }

        public int Next { get; set; }

        public int NextBase { get; set; }
    }
}
