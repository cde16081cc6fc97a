using Holdfast.Files;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>Writes the steps from one tree to another. For one thread, once.</summary>
internal sealed class Exporter(OpenVault vault, FrameWriter frames, WorkProgress progress, CancellationToken cancellationToken) : IDisposable
{
    private readonly ContentExporter contents = new(vault, frames);
    private readonly UnchangedRun unchanged = new();
    private readonly LinkPlan links = new();
    private readonly Stack<bool> touched = new();
    private readonly Dictionary<(ulong Device, ulong Inode), byte[]> linkedDigests = [];
    private long steps;
    private long bytes;

    public long Added { get; private set; }

    public long Modified { get; private set; }

    public long Deleted { get; private set; }

    /// <param name="manifest">The first record.</param>
    /// <param name="point">The second.</param>
    /// <param name="points">Those that the trees are of.</param>
    /// <param name="before">The top of what is there.</param>
    /// <param name="after">The top of what is to be there.</param>
    public async Task RunAsync(ManifestRecord manifest, PointRecord point, RestorePoint[] points, TreeNode before, TreeNode after)
    {
        IAsyncEnumerable<TreePair> differing = TreePairs.WalkAsync(vault.Trees.Within(points), before, after, [], skipSame: true, cancellationToken);
        await foreach (TreePair pair in differing.ConfigureAwait(false)) links.Add(pair);
        ExportCodec.Encode(frames.Frame, manifest);
        ExportCodec.Encode(frames.Frame, point);
        await foreach (TreePair pair in TreePairs.WalkAsync(vault.Trees.Within(points), before, after, [], skipSame: false, cancellationToken).ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (pair.IsLeave) await LeaveAsync(pair).ConfigureAwait(false);
            else await TakeAsync(pair).ConfigureAwait(false);
        }

        EndUnchanged();
        ExportCodec.Encode(frames.Frame, new EndRecord(steps, bytes));
    }

    public void Dispose()
    {
        contents.Dispose();
        unchanged.Dispose();
    }

    private async ValueTask TakeAsync(TreePair pair)
    {
        bool isBefore = pair.Before.IsDirectory, isAfter = pair.After.IsDirectory;
        progress.Show(pair.Path);
        if (pair.Path.Length == 0)
        {
            touched.Push(false);
            return;
        }

        if (isBefore && isAfter)
        {
            await AddUnchangedAsync(pair.Path, NodeKind.Directory, default).ConfigureAwait(false);
        }
        else if (isAfter)
        {
            await StepAsync(new StepRecord(StepAction.MakeDirectory, pair.Path)
            {
                Change = pair.Before.Exists ? ChangeKind.Modified : ChangeKind.Added,
                Before = await StateOfAsync(pair.Before.Entry, needsDigest: true).ConfigureAwait(false),
                After = NewDirectory(pair.Path, pair.After.Entry is null),
            }).ConfigureAwait(false);
        }
        else if (isBefore)
        {
            await StepAsync(new StepRecord(StepAction.EnterDirectory, pair.Path)).ConfigureAwait(false);
        }
        else
        {
            await TakeFileAsync(pair).ConfigureAwait(false);
        }

        if (isBefore || isAfter) touched.Push(false);
    }

    private async ValueTask LeaveAsync(TreePair pair)
    {
        bool isTouched = touched.Pop();
        TreeEntry? old = pair.Before.Entry, now = pair.After.Entry;
        if (pair.After.IsDirectory)
        {
            // What only leads to roots has no attributes of its own.
            if (now is null) return;
            bool isAlike = old is { IsDirectory: true } && now.LooksLike(old);
            if (isAlike && !isTouched && old!.Attributes.ModifyTime == now.Attributes.ModifyTime) return;
            bool isChange = pair.Before.IsDirectory && !isAlike && pair.Path.Length > 0;
            ChangeKind change = isChange ? ChangeKind.Modified : ChangeKind.None;
            await StepAsync(new StepRecord(StepAction.FinishDirectory, pair.Path) { Change = change, After = now }, touches: false).ConfigureAwait(false);
        }
        else if (pair.Path.Length == 0)
        {
            // The top itself stays, whatever it was.
        }
        else if (now is null)
        {
            await StepAsync(new StepRecord(StepAction.DeleteDirectory, pair.Path) { Change = ChangeKind.Deleted }).ConfigureAwait(false);
        }
        else
        {
            await MakeAsync(pair.Path, old, now, new KnownState(NodeKind.Directory, 0, default, [], [])).ConfigureAwait(false);
        }
    }

    private async ValueTask TakeFileAsync(TreePair pair)
    {
        TreeEntry? old = pair.Before.Entry, now = pair.After.Entry;
        if (now is null)
        {
            KnownState? gone = await StateOfAsync(old, needsDigest: true).ConfigureAwait(false);
            await StepAsync(new StepRecord(StepAction.Delete, pair.Path) { Change = ChangeKind.Deleted, Before = gone }).ConfigureAwait(false);
        }
        else if (!links.Keeps(pair.Path, old, now))
        {
            await MakeAsync(pair.Path, old, now, await StateOfAsync(old, needsDigest: true).ConfigureAwait(false)).ConfigureAwait(false);
        }
        else if (now.LooksLike(old!))
        {
            await AddUnchangedAsync(pair.Path, now.Attributes.Kind, now.Attributes).ConfigureAwait(false);
        }
        else
        {
            // Content stays: as of other paths that stay, kind, size and time tell whether it is the right file.
            KnownState? kept = await StateOfAsync(old, needsDigest: false).ConfigureAwait(false);
            var step = new StepRecord(StepAction.Attributes, pair.Path) { Change = ChangeKind.Modified, Before = kept, After = now };
            await StepAsync(step, touches: false).ConfigureAwait(false);
        }
    }

    private async ValueTask MakeAsync(byte[] path, TreeEntry? old, TreeEntry now, KnownState? before)
    {
        byte[]? link = links.LinkOf(path, old, now);
        bool isRegular = now.Attributes.Kind == NodeKind.Regular;
        await StepAsync(new StepRecord(link is not null ? StepAction.Link : isRegular ? StepAction.Write : StepAction.CreateOther, path)
        {
            // A name that only changes which other names it goes with looks the same to a person.
            Change = before is null ? ChangeKind.Added : old is not null && now.LooksLike(old) ? ChangeKind.None : ChangeKind.Modified,
            Before = before,
            After = now,
            LinkPath = link ?? [],
        }).ConfigureAwait(false);
        if (link is not null || !isRegular) return;
        bytes += now.Attributes.Size;
        Content? known = old is { Attributes.Kind: NodeKind.Regular } ? old.Content : null;
        await contents.WriteAsync(now.Content!, known, cancellationToken).ConfigureAwait(false);
        progress.AddDone(0, now.Attributes.Size);
    }

    private async ValueTask StepAsync(StepRecord step, bool touches = true)
    {
        EndUnchanged();
        if (touches)
        {
            touched.Pop();
            touched.Push(true);
        }

        Added += step.Change == ChangeKind.Added ? 1 : 0;
        Modified += step.Change == ChangeKind.Modified ? 1 : 0;
        Deleted += step.Change == ChangeKind.Deleted ? 1 : 0;
        steps++;
        progress.AddDone(1, 0);
        ExportCodec.Encode(frames.Frame, step);
        await frames.EndRecordAsync(cancellationToken).ConfigureAwait(false);
    }

    private ValueTask AddUnchangedAsync(byte[] path, NodeKind kind, NodeAttributes attributes)
    {
        unchanged.Add(path, kind, attributes.Size, attributes.ModifyTime);
        progress.AddDone(1, 0);
        if (unchanged.Count >= UnchangedRun.MaxPaths) EndUnchanged();
        return frames.EndRecordAsync(cancellationToken);
    }

    private void EndUnchanged()
    {
        if (unchanged.Count == 0) return;
        long count = unchanged.Count;
        byte[] last = unchanged.Last;
        ExportCodec.Encode(frames.Frame, new UnchangedRecord(last, count, unchanged.Finish()));
    }

    private async ValueTask<KnownState?> StateOfAsync(TreeEntry? entry, bool needsDigest)
    {
        if (entry is null) return null;
        NodeAttributes attributes = entry.Attributes;
        byte[] digest = needsDigest && attributes.Kind == NodeKind.Regular ? await DigestOfAsync(entry).ConfigureAwait(false) : [];
        return new KnownState(attributes.Kind, attributes.Size, attributes.ModifyTime, digest, entry.Target ?? []);
    }

    private async ValueTask<byte[]> DigestOfAsync(TreeEntry entry)
    {
        (ulong, ulong) key = (entry.Attributes.Device, entry.Attributes.Inode);
        if (entry.IsHardLinked && linkedDigests.TryGetValue(key, out byte[]? known)) return known;
        byte[] digest = await contents.DigestAsync(entry.Content!, cancellationToken).ConfigureAwait(false);
        if (entry.IsHardLinked) linkedDigests[key] = digest;
        return digest;
    }

    /// <summary>A directory as it is made: closed to others until it is finished, unless it only leads to roots.</summary>
    private static TreeEntry NewDirectory(byte[] path, bool isImplied) => new()
    {
        Name = path,
        Attributes = new NodeAttributes { Kind = NodeKind.Directory, Mode = isImplied ? 0x1EDu : 0x1C0u, LinkCount = 1 },
    };
}
