using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Backup;
using Holdfast.Vault.Restoring;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// Reads a whole export side by side with the target and makes sure, before anything is changed, that every path is as it was
/// in the base or as it is to become. For one thread, once.
/// </summary>
internal sealed class ApplyVerifier(IFileTree tree, Caller caller, EntryWriter writer, string name) : IAsyncDisposable
{
    private readonly TargetFolders folders = new(tree, caller);
    private readonly TargetContent contents = new(tree, caller);
    private readonly UnchangedRun run = new();

    // Entries that stand where a directory was to go: its export may have been applied already.
    private readonly Dictionary<string, NodeAttributes> replaced = new(StringComparer.Ordinal);

    // Files that are still to be made, and names that are one file already: they stay so unless that file is made anew.
    private readonly HashSet<string> toBeMade = new(StringComparer.Ordinal);
    private readonly List<(long Step, byte[] Source)> linked = [];

    private IAsyncEnumerator<TargetItem>? walk;
    private bool hasItem;
    private StepPlace previous = new([], IsLeave: false);
    private (StepRecord Step, byte[] Digest)? undecided;
    private long steps;

    /// <summary>The first record.</summary>
    public ManifestRecord? Manifest { get; private set; }

    /// <summary>The last record.</summary>
    public EndRecord? End { get; private set; }

    /// <summary>Numbers of the steps that need not be carried out any more.</summary>
    public HashSet<long> Applied { get; } = [];

    /// <summary>Files of an earlier run that was cut off, to be removed.</summary>
    public IReadOnlyList<byte[]> Leftovers { get; private set; } = [];

    private TargetItem Item => walk!.Current;

    /// <summary>The names of files that are being written begin so; nobody else's do.</summary>
    public static byte[] TemporaryPrefix(SessionId point) => System.Text.Encoding.ASCII.GetBytes($".holdfast-apply-{point}-");

    public async Task RunAsync(FrameReader frames)
    {
        TargetWalk? target = null;
        await foreach (byte[] frame in frames.ReadAllAsync(caller.Cancellation).ConfigureAwait(false))
        {
            foreach (ExportRecord record in ExportCodec.Decode(frame, name))
            {
                if (record is ManifestRecord manifest)
                {
                    if (Manifest is not null) throw Malformed("a second manifest");
                    Manifest = manifest;
                    target = new TargetWalk(tree, caller, TemporaryPrefix(manifest.Point));
                    walk = target.WalkAsync(caller.Cancellation).GetAsyncEnumerator(caller.Cancellation);
                    hasItem = await walk.MoveNextAsync().ConfigureAwait(false);
                    continue;
                }

                if (Manifest is null || End is not null) throw Malformed("records before the manifest or behind the end");
                await TakeAsync(record).ConfigureAwait(false);
            }
        }

        if (End is null || End.Steps != steps) throw Malformed($"{steps} steps, {End?.Steps} expected");
        foreach ((long step, byte[] source) in linked)
        {
            if (!toBeMade.Contains(Text(source))) Applied.Add(step);
        }

        Leftovers = target!.Leftovers;
    }

    public async ValueTask DisposeAsync()
    {
        if (walk is not null) await walk.DisposeAsync().ConfigureAwait(false);
        folders.Dispose();
        contents.Dispose();
        run.Dispose();
    }

    private async ValueTask TakeAsync(ExportRecord record)
    {
        switch (record)
        {
            case UnchangedRecord unchanged:
                Advance(new StepPlace(unchanged.Last, IsLeave: false));
                while (hasItem && new StepPlace(Item.Path, IsLeave: false).CompareTo(previous) <= 0) await AddToRunAsync().ConfigureAwait(false);
                CheckRun(unchanged);
                break;
            case StepRecord step:
                Advance(step.Place);
                while (hasItem && new StepPlace(Item.Path, IsLeave: false).CompareTo(previous) < 0) await AddToRunAsync().ConfigureAwait(false);
                CheckNothingElse();
                await CheckAsync(step).ConfigureAwait(false);
                steps++;
                break;
            case ContentEndRecord end:
                Decide(end);
                break;
            case EndRecord end:
                while (hasItem) await AddToRunAsync().ConfigureAwait(false);
                CheckNothingElse();
                End = end;
                break;
        }
    }

    private void Advance(StepPlace place)
    {
        if (place.CompareTo(previous) <= 0) throw Malformed($"{BytePath.Display(place.Path)} is out of order");
        previous = place;
    }

    private async ValueTask AddToRunAsync()
    {
        TargetItem item = Item;
        run.Add(item.Path, item.Attributes.Kind, item.Attributes.Size, item.Attributes.ModifyTime);
        hasItem = await walk!.MoveNextAsync().ConfigureAwait(false);
    }

    private void CheckRun(UnchangedRecord expected)
    {
        long count = run.Count;
        byte[] first = count == 0 ? expected.Last : run.First, last = expected.Last;
        if (run.Finish().AsSpan().SequenceEqual(expected.Digest) && count == expected.Count) return;
        throw count == expected.Count && count == 1
            ? Differs(last, "is not as it was")
            : Differs(
                first,
                $"this or a path after it, up to {BytePath.Display(last)}, is not as it was: {count} paths found, {expected.Count} expected");
    }

    private void CheckNothingElse()
    {
        if (run.Count == 0) return;
        bool isFull = Manifest!.Base == SessionId.None;
        throw Differs(run.First, isFull ? "is there, where an empty directory is expected" : "should not be there");
    }

    private async ValueTask CheckAsync(StepRecord step)
    {
        bool isHere = !step.IsLeave && hasItem && Item.Path.AsSpan().SequenceEqual(step.Path);
        NodeAttributes? found = isHere ? Item.Attributes : null;
        if (step.IsLeave && replaced.Remove(Text(step.Path), out NodeAttributes standing)) found = standing;
        bool isApplied = step.Action switch
        {
            StepAction.MakeDirectory => await CheckMakeDirectoryAsync(step, found).ConfigureAwait(false),
            StepAction.EnterDirectory => CheckEnter(step, found),
            StepAction.Write => await CheckWriteAsync(step, found).ConfigureAwait(false),
            StepAction.Attributes => CheckAttributes(step, found) && await HasAttributesAsync(step).ConfigureAwait(false),
            StepAction.Link => await CheckLinkAsync(step, found).ConfigureAwait(false),
            StepAction.CreateOther => await CheckCreateAsync(step, found).ConfigureAwait(false),
            StepAction.Delete => found is null || await NeedBeforeAsync(step, found).ConfigureAwait(false),
            StepAction.DeleteDirectory when found is not null => throw Differs(step.Path, "is no directory"),
            StepAction.DeleteDirectory => !await IsDirectoryAsync(step.Path).ConfigureAwait(false),
            StepAction.FinishDirectory => step.Change != ChangeKind.None && await HasAttributesAsync(step).ConfigureAwait(false),
            _ => false,
        };
        if (isApplied) Applied.Add(steps);
        else if (step.Action is StepAction.Write or StepAction.CreateOther) toBeMade.Add(Text(step.Path));
        if (isHere) hasItem = await walk!.MoveNextAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> CheckMakeDirectoryAsync(StepRecord step, NodeAttributes? found)
    {
        // Between the removal of what it replaces and its making there is nothing.
        if (found is null) return false;
        if (found.Value.IsDirectory) return true;
        return await NeedBeforeAsync(step, found).ConfigureAwait(false);
    }

    private bool CheckEnter(StepRecord step, NodeAttributes? found)
    {
        if (found is { IsDirectory: false }) replaced[Text(step.Path)] = found.Value;
        return false;
    }

    private async ValueTask<bool> CheckWriteAsync(StepRecord step, NodeAttributes? found)
    {
        if (found is null) return NeedNothing(step);
        NodeAttributes now = found.Value;
        NodeAttributes after = step.After!.Attributes;
        bool mayBeAfter = now.Kind == NodeKind.Regular && now.Size == after.Size && now.ModifyTime == after.ModifyTime;
        if (!mayBeAfter) return await NeedBeforeAsync(step, found).ConfigureAwait(false);
        // Which of the two it is shows at the end of its content.
        undecided = (step, await DigestAsync(step.Path, now).ConfigureAwait(false));
        return false;
    }

    private void Decide(ContentEndRecord end)
    {
        if (undecided is not { } open) return;
        undecided = null;
        if (open.Digest.AsSpan().SequenceEqual(end.Digest))
        {
            Applied.Add(steps - 1);
            toBeMade.Remove(Text(open.Step.Path));
            return;
        }

        bool isBefore = open.Step.Before is { } before && open.Digest.AsSpan().SequenceEqual(before.Digest);
        if (!isBefore) throw Differs(open.Step.Path, "its content is not as it was");
    }

    private static bool CheckAttributes(StepRecord step, NodeAttributes? found)
    {
        if (found is not { } now) throw Differs(step.Path, "is missing");
        KnownState before = step.Before!;
        bool fits = now.Kind == before.Kind && now.Size == before.Size
            && (now.ModifyTime == before.ModifyTime || now.ModifyTime == step.After!.Attributes.ModifyTime);
        return fits ? true : throw Differs(step.Path, Difference(before, now));
    }

    /// <summary>Whether a step that only sets attributes finds them set.</summary>
    private async ValueTask<bool> HasAttributesAsync(StepRecord step)
    {
        Node node = TargetFolders.Need(await folders.FindAsync(step.Path).ConfigureAwait(false), step.Path);
        (Xattr[] xattrs, _) = await XattrReader.ReadAsync(tree, caller, node.Id).ConfigureAwait(false);
        if (step.Path.Length > 0) tree.Forget(node.Id, 1);
        var now = new TreeEntry { Name = [], Attributes = node.Attributes, Xattrs = xattrs };
        return writer.Fits(step.After!, node.Attributes) && step.After!.HasXattrsOf(now);
    }

    private async ValueTask<bool> CheckLinkAsync(StepRecord step, NodeAttributes? found)
    {
        if (found is null) return NeedNothing(step);
        Result<Node> source = await folders.FindAsync(step.LinkPath).ConfigureAwait(false);
        if (source.Ok)
        {
            tree.Forget(source.Value.Id, 1);
            if (TargetFolders.IsSameFile(source.Value.Attributes, found.Value))
            {
                linked.Add((steps, step.LinkPath));
                return false;
            }
        }

        return await NeedBeforeAsync(step, found).ConfigureAwait(false);
    }

    private async ValueTask<bool> CheckCreateAsync(StepRecord step, NodeAttributes? found)
    {
        if (found is not { } now) return NeedNothing(step);
        NodeAttributes after = step.After!.Attributes;
        bool isAfter = now.Kind == after.Kind && now.ModifyTime == after.ModifyTime && now.DeviceMajor == after.DeviceMajor
            && now.DeviceMinor == after.DeviceMinor && await HasTargetAsync(step.Path, now, step.After.Target).ConfigureAwait(false);
        return isAfter || await NeedBeforeAsync(step, found).ConfigureAwait(false);
    }

    /// <summary>Nothing is there: right for what is added, and for what replaces a directory that is gone by then.</summary>
    private static bool NeedNothing(StepRecord step) =>
        step.Before is null or { IsDirectory: true } ? false : throw Differs(step.Path, "is missing");

    /// <summary>Throws unless the base's entry is there; false, as the step is still to be carried out.</summary>
    private async ValueTask<bool> NeedBeforeAsync(StepRecord step, NodeAttributes? found)
    {
        NodeAttributes now = found!.Value;
        if (step.Before is not { } before) throw Differs(step.Path, "is there, but should not be");
        if (now.Kind != before.Kind || now.Size != before.Size) throw Differs(step.Path, Difference(before, now));
        if (!await HasTargetAsync(step.Path, now, before.Target).ConfigureAwait(false)) throw Differs(step.Path, "leads to another target");
        byte[] digest = before.Digest.Length == 0 ? [] : await DigestAsync(step.Path, now).ConfigureAwait(false);
        if (!digest.AsSpan().SequenceEqual(before.Digest)) throw Differs(step.Path, "its content is not as it was");
        // One of several names: the time may be that of another name, which an earlier run has dealt with.
        bool hasTime = now.ModifyTime == before.ModifyTime || (before.Digest.Length > 0 && now.LinkCount > 1);
        return hasTime ? false : throw Differs(step.Path, Difference(before, now));
    }

    private ValueTask<byte[]> DigestAsync(byte[] path, NodeAttributes attributes) => contents.DigestAsync(folders, path, attributes);

    private async ValueTask<bool> HasTargetAsync(byte[] path, NodeAttributes now, byte[]? target)
    {
        if (now.Kind != NodeKind.Symlink) return true;
        Node node = TargetFolders.Need(await folders.FindAsync(path).ConfigureAwait(false), path);
        ReadOnlyMemory<byte> found = TargetFolders.Need(await tree.ReadLinkAsync(caller, node.Id).ConfigureAwait(false), path);
        tree.Forget(node.Id, 1);
        return found.Span.SequenceEqual(target);
    }

    private async ValueTask<bool> IsDirectoryAsync(byte[] path)
    {
        Result<Node> node = await folders.FindAsync(path).ConfigureAwait(false);
        if (node.Ok) tree.Forget(node.Value.Id, 1);
        return node.Ok && node.Value.Attributes.IsDirectory;
    }

    private static string Difference(KnownState before, in NodeAttributes now)
    {
        if (now.Kind != before.Kind) return $"is of another kind: {now.Kind} found, {before.Kind} expected";
        if (now.Size != before.Size) return $"has {now.Size} bytes, {before.Size} expected";
        return $"was modified at {Text(now.ModifyTime)}, {Text(before.ModifyTime)} expected";
    }

    private static HoldfastException Differs(byte[] path, string what) => new(
        ErrorKind.Unverified, $"{BytePath.Display(path)}: {what}",
        "nothing was changed; restore the point that the export is laid over, then apply it again");

    private HoldfastException Malformed(string what) => new(ErrorKind.Damage, $"{name}: {what}", "export again");

    private static string Text(UnixTime time) => $"{time.ToDateTimeOffset():yyyy-MM-dd HH:mm:ss.fffffff}";

    // Latin-1: each byte a character, so that paths differ as their bytes do.
    private static string Text(byte[] path) => System.Text.Encoding.Latin1.GetString(path);
}
