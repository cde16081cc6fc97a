using System.Buffers.Binary;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Backup;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// Goes through an export side by side with the tree that it is laid over, and passes on what the new tree is made of, as a backup does
/// of what it finds. For one thread, once.
/// </summary>
internal sealed class Importer : IDisposable
{
    private enum FolderState
    {
        /// <summary>It is part of the new tree.</summary>
        Stays,

        /// <summary>It goes, with all that is in it.</summary>
        Goes,
    }

    private readonly BackupContext context;
    private readonly ExportSurvey survey;
    private readonly FileImporter files;
    private readonly ImportedLinks links;
    private readonly ImportedRoots roots;
    private readonly WalkPages order;
    private readonly PointTop? baseTop;
    private readonly UnchangedRun unchanged = new();
    private readonly Stack<Folder> folders = new();
    private IAsyncEnumerator<TreePair> walk = null!;
    private bool hasPair;

    /// <summary>Makes an importer.</summary>
    /// <param name="context">Reads the base's tree, too.</param>
    /// <param name="survey">Of the same export.</param>
    /// <param name="files">Stores content.</param>
    /// <param name="order">Receives the tree.</param>
    /// <param name="baseTop">What it is laid over; null for nothing.</param>
    public Importer(BackupContext context, ExportSurvey survey, FileImporter files, WalkPages order, PointTop? baseTop)
    {
        this.context = context;
        this.survey = survey;
        this.files = files;
        this.order = order;
        this.baseTop = baseTop;
        roots = new ImportedRoots(survey.Point);
        links = new ImportedLinks(survey, DeviceOf(survey.Manifest.Point), context.BaseTrees, baseTop);
    }

    private CancellationToken Cancellation => context.Caller.Cancellation;

    private TreePair Pair => walk.Current;

    private StepPlace PairPlace => new(Pair.Path, Pair.IsLeave);

    private bool IsInGoing => folders.TryPeek(out Folder folder) && folder.State == FolderState.Goes;

    /// <summary>Takes all records.</summary>
    public async Task RunAsync(RecordCursor records)
    {
        TreeNode before = baseTop?.ToRestoredNode() ?? TreeNode.TopOf([]);
        walk = TreePairs.WalkAsync(context.BaseTrees, before, TreeNode.TopOf([]), [], skipSame: false, Cancellation).GetAsyncEnumerator(Cancellation);
        await using (walk.ConfigureAwait(false))
        {
            await NextPairAsync().ConfigureAwait(false);
            while (await records.MoveNextAsync().ConfigureAwait(false))
            {
                Cancellation.ThrowIfCancellationRequested();
                if (records.Current is UnchangedRecord run) await TakeAsync(run).ConfigureAwait(false);
                else if (records.Current is StepRecord step) await TakeAsync(step, records).ConfigureAwait(false);
            }

            while (hasPair) await TakeUnchangedAsync().ConfigureAwait(false);
        }

        if (unchanged.Count > 0 || folders.Count > 0) throw survey.Malformed("says nothing of some paths");
        await order.FlushAsync(Cancellation).ConfigureAwait(false);
    }

    public void Dispose() => unchanged.Dispose();

    private async ValueTask NextPairAsync() => hasPair = await walk.MoveNextAsync().ConfigureAwait(false);

    private async ValueTask TakeAsync(UnchangedRecord run)
    {
        var last = new StepPlace(run.Last, IsLeave: false);
        while (hasPair && PairPlace.CompareTo(last) <= 0) await TakeUnchangedAsync().ConfigureAwait(false);
        long count = unchanged.Count;
        if (unchanged.Finish().AsSpan().SequenceEqual(run.Digest) && count == run.Count) return;
        throw new HoldfastException(
            ErrorKind.Damage, $"{BytePath.Display(run.Last)}: this path or one before it is not as in the point that the export is laid over",
            "import an export without --since");
    }

    /// <summary>A path of the base of which no step tells.</summary>
    private async ValueTask TakeUnchangedAsync()
    {
        TreePair pair = Pair;
        if (!pair.IsLeave && pair.Path.Length > 0)
        {
            NodeAttributes attributes = pair.Before.Entry?.Attributes ?? new NodeAttributes { Kind = NodeKind.Directory };
            unchanged.Add(pair.Path, attributes.Kind, attributes.Size, attributes.ModifyTime);
        }

        if (IsInGoing) throw survey.Malformed($"{BytePath.Display(pair.Path)}: stays in a directory that goes");
        if (pair.IsLeave) await LeaveAsync(pair.Path).ConfigureAwait(false);
        else if (pair.Before.IsDirectory) await EnterAsync(pair.Path, pair.Before.Entry).ConfigureAwait(false);
        else await KeepAsync(pair.Path, pair.Before.Entry!, pair.Before.Entry!).ConfigureAwait(false);
        await NextPairAsync().ConfigureAwait(false);
    }

    private async ValueTask TakeAsync(StepRecord step, RecordCursor records)
    {
        while (hasPair && PairPlace.CompareTo(step.Place) < 0) await TakeUnchangedAsync().ConfigureAwait(false);
        if (unchanged.Count > 0) throw survey.Malformed($"{BytePath.Display(unchanged.Last)}: nothing is said of it");
        bool isMet = hasPair && PairPlace.CompareTo(step.Place) == 0;
        TreeNode before = isMet ? Pair.Before : default;
        if (isMet) await NextPairAsync().ConfigureAwait(false);
        context.Progress.Show(step.Path);
        switch (step.Action)
        {
            case StepAction.MakeDirectory:
                await EnterAsync(step.Path, before.Entry).ConfigureAwait(false);
                break;
            case StepAction.FinishDirectory:
                await LeaveAsync(step.Path).ConfigureAwait(false);
                break;
            case StepAction.EnterDirectory:
                if (!before.IsDirectory) throw Missing(step.Path);
                if (NameOf(step.Path) is not null) folders.Push(new Folder(FolderState.Goes, before.Entry, step.Path));
                break;
            case StepAction.DeleteDirectory:
                await DeleteAsync(step.Path, TakeGoing(step.Path)).ConfigureAwait(false);
                break;
            case StepAction.Delete:
                await DeleteAsync(step.Path, before.Entry ?? throw Missing(step.Path)).ConfigureAwait(false);
                break;
            case StepAction.Attributes:
                await ChangeAsync(step, before.Entry ?? throw Missing(step.Path)).ConfigureAwait(false);
                break;
            default:
                await MakeAsync(step, step.IsLeave ? TakeGoing(step.Path) : before.Entry, records).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>What the directory had that goes, and which ends here.</summary>
    private TreeEntry? TakeGoing(byte[] path) => folders.Count == 0 ? null : TakeFolder(path, FolderState.Goes).Base;

    private Folder TakeFolder(byte[] path, FolderState expected)
    {
        Folder folder = folders.Pop();
        if (folder.State == expected && folder.Path.AsSpan().SequenceEqual(path)) return folder;
        throw survey.Malformed($"{BytePath.Display(path)}: ends where {BytePath.Display(folder.Path)} is open, or goes where it stays");
    }

    private async ValueTask EnterAsync(byte[] path, TreeEntry? known)
    {
        if (NameOf(path) is not { } name) return;
        TreeEntry? after = survey.FindDirectory(path);
        if (after is null && known is not { IsDirectory: true }) throw survey.Malformed($"{BytePath.Display(path)}: a directory without attributes");
        TreeEntry? there = known is null ? null : Named(known, name);
        TreeEntry entry = after?.Named(name) ?? there!;
        if (after is not null) links.Number(path, entry);
        folders.Push(new Folder(FolderState.Stays, there, path));
        await SendAsync(new WalkItem(WalkStep.Enter, entry, there)).ConfigureAwait(false);
    }

    private async ValueTask LeaveAsync(byte[] path)
    {
        // What only leads to roots is not part of the tree.
        if (folders.Count == 0) return;
        TakeFolder(path, FolderState.Stays);
        await SendAsync(new WalkItem(WalkStep.Leave, null, null)).ConfigureAwait(false);
    }

    private async ValueTask DeleteAsync(byte[] path, TreeEntry? entry)
    {
        // Of a directory that goes, it is said when it ends; of what is no root any more, nothing.
        if (entry is null || IsInGoing || folders.Count == 0 || NameOf(path) is null) return;
        await SendAsync(new WalkItem(WalkStep.Deleted, entry, null)).ConfigureAwait(false);
    }

    private async ValueTask ChangeAsync(StepRecord step, TreeEntry known)
    {
        TreeEntry after = step.After!;
        var entry = new TreeEntry
        {
            Name = after.Name,
            Attributes = after.Attributes with { Device = known.Attributes.Device, Inode = known.Attributes.Inode, LinkCount = known.Attributes.LinkCount },
            UserName = after.UserName,
            GroupName = after.GroupName,
            Xattrs = after.Xattrs,
            Content = known.Content,
            Target = after.Target,
        };
        await KeepAsync(step.Path, entry, known).ConfigureAwait(false);
    }

    /// <summary>Something that is no directory and keeps its content.</summary>
    private async ValueTask KeepAsync(byte[] path, TreeEntry entry, TreeEntry known)
    {
        if (NameOf(path) is not { } name) return;
        if (entry.Content is { } content) await files.KeepAsync(content).ConfigureAwait(false);
        await SendAsync(new WalkItem(WalkStep.Ready, Named(links.Keep(path, entry), name), Named(known, name))).ConfigureAwait(false);
    }

    private async ValueTask MakeAsync(StepRecord step, TreeEntry? known, RecordCursor records)
    {
        byte[] name = NameOf(step.Path) ?? throw survey.Malformed($"{BytePath.Display(step.Path)}: lies in no root");
        if (IsInGoing) throw survey.Malformed($"{BytePath.Display(step.Path)}: is made in a directory that goes");
        TreeEntry entry = step.After!.Named(name);
        if (step.Action == StepAction.Link)
        {
            await links.LinkAsync(entry, step.LinkPath, Cancellation).ConfigureAwait(false);
        }
        else
        {
            links.Number(step.Path, entry);
            if (step.Action == StepAction.Write) await WriteAsync(entry, known, records).ConfigureAwait(false);
        }

        await SendAsync(new WalkItem(WalkStep.Ready, entry, known is null ? null : Named(known, name))).ConfigureAwait(false);
        context.Progress.AddDone(1, 0);
    }

    private async ValueTask WriteAsync(TreeEntry entry, TreeEntry? known, RecordCursor records)
    {
        if (entry.Content is null)
        {
            await files.WriteAsync(records, entry, known is { Attributes.Kind: NodeKind.Regular } ? known.Content : null).ConfigureAwait(false);
            return;
        }

        // It was needed before, for another of its names.
        while (records.Current is not ContentEndRecord) await records.MoveNextAsync().ConfigureAwait(false);
    }

    /// <summary>Stores the content of files that get names before they come themselves.</summary>
    public async Task WriteLaterAsync(RecordCursor records)
    {
        while (await records.MoveNextAsync().ConfigureAwait(false))
        {
            if (records.Current is not StepRecord { Action: StepAction.Write } step || !survey.WrittenLater.Contains(ExportSurvey.Key(step.Path))) continue;
            TreeEntry? known = baseTop is null ? null : (await baseTop.FindAsync(context.BaseTrees, step.Path, Cancellation).ConfigureAwait(false))?.Entry;
            TreeEntry entry = step.After!;
            await files.WriteAsync(records, entry, known is { Attributes.Kind: NodeKind.Regular } ? known.Content : null).ConfigureAwait(false);
            links.Number(step.Path, entry);
        }
    }

    /// <summary>A device that no backup has, and no other import that this one may be laid over.</summary>
    private static ulong DeviceOf(SessionId point)
    {
        Span<byte> id = stackalloc byte[SessionId.Size];
        point.Encode(id);
        return BinaryPrimitives.ReadUInt32LittleEndian(id) + (1UL << 32);
    }

    /// <summary>The name of a path in the new tree: of a root its absolute path; null for what lies in no root.</summary>
    private byte[]? NameOf(byte[] path)
    {
        if (!folders.TryPeek(out Folder folder)) return roots.NameOf(path);
        byte[] name = BytePath.FileName(path).ToArray();
        if (TreePath.Join(folder.Path, name).AsSpan().SequenceEqual(path)) return name;
        throw survey.Malformed($"{BytePath.Display(path)}: comes where {BytePath.Display(folder.Path)} is open");
    }

    private static TreeEntry Named(TreeEntry entry, byte[] name) => entry.Name.AsSpan().SequenceEqual(name) ? entry : entry.Named(name);

    private HoldfastException Missing(byte[] path) => survey.Malformed($"{BytePath.Display(path)}: is to be changed, but is not there");

    private async ValueTask SendAsync(WalkItem item)
    {
        if (order.TryAdd(item)) return;
        await order.FlushAsync(Cancellation).ConfigureAwait(false);
        order.TryAdd(item);
    }

    /// <summary>A directory whose end was not met yet.</summary>
    private readonly record struct Folder(FolderState State, TreeEntry? Base, byte[] Path);
}
