using System.Globalization;
using System.Text;
using Holdfast.Files;
using Holdfast.Vault.Restoring;

namespace Holdfast.Vault.Exporting;

/// <summary>
/// Carries out the steps of an export that was verified. New files are staged beside what they replace, made durable
/// together, then renamed: at every moment each path is as before or as after. For one thread, once.
/// </summary>
internal sealed class Applier : IDisposable
{
    // Each wait for the disk is shared by so many files.
    private const int MaxStaged = 256;
    private const long MaxStagedBytes = 256 << 20;

    private readonly IFileTree tree;
    private readonly Caller caller;
    private readonly ApplyRequest request;
    private readonly ApplyVerifier verified;
    private readonly EntryWriter writer;
    private readonly TargetFolders folders;
    private readonly ulong rootDevice;
    private readonly List<(StepRecord Step, byte[] Temporary)> staged = [];
    private readonly List<StepRecord> links = [];
    private readonly List<StepRecord> directories = [];
    private StepRecord? writing;
    private StagedFile? file;
    private long stagedBytes;
    private long steps;

    public Applier(IFileTree tree, Caller caller, ApplyRequest request, ApplyVerifier verified, EntryWriter writer, ulong rootDevice)
    {
        this.tree = tree;
        this.caller = caller;
        this.request = request;
        this.verified = verified;
        this.writer = writer;
        this.rootDevice = rootDevice;
        folders = new TargetFolders(tree, caller);
    }

    public ApplySummary? Summary { get; private set; }

    private bool IsDry => request.DryRun;

    public async Task RunAsync(FrameReader frames)
    {
        ManifestRecord manifest = verified.Manifest!;
        Summary = new ApplySummary
        {
            Point = manifest.Point,
            Base = manifest.Base == SessionId.None ? null : manifest.Base,
            Host = manifest.Host,
            Time = manifest.Time.ToDateTimeOffset(),
        };
        foreach (byte[] leftover in verified.Leftovers)
        {
            if (!IsDry) await RemoveAsync(leftover).ConfigureAwait(false);
        }

        await foreach (byte[] frame in frames.ReadAllAsync(caller.Cancellation).ConfigureAwait(false))
        {
            foreach (ExportRecord record in ExportCodec.Decode(frame, request.Name)) await TakeAsync(record).ConfigureAwait(false);
        }

        await FlushAsync().ConfigureAwait(false);
        foreach (StepRecord link in links) await LinkAsync(link).ConfigureAwait(false);
        foreach (StepRecord directory in directories) await SetAttributesAsync(directory).ConfigureAwait(false);
        if (!IsDry) TargetFolders.Need(await tree.CommitAllAsync(caller).ConfigureAwait(false), []);
    }

    public void Dispose()
    {
        file?.Dispose();
        folders.Dispose();
    }

    private async ValueTask TakeAsync(ExportRecord record)
    {
        switch (record)
        {
            case StepRecord step:
                bool isApplied = verified.Applied.Contains(steps++);
                await StepAsync(step, isApplied).ConfigureAwait(false);
                break;
            case DataRecord data when file is not null:
                await file.WriteAsync(data).ConfigureAwait(false);
                break;
            case CopyRecord copy when file is not null:
                await file.CopyAsync(copy).ConfigureAwait(false);
                break;
            case HoleRecord hole:
                file?.Skip(hole);
                break;
            case ContentEndRecord end when file is not null:
                await EndFileAsync(end).ConfigureAwait(false);
                break;
        }
    }

    private async ValueTask StepAsync(StepRecord step, bool isApplied)
    {
        caller.Cancellation.ThrowIfCancellationRequested();
        request.Progress.Show(step.Path);
        request.Progress.AddDone(1, 0);
        Count(step, isApplied);
        if (IsDry) return;
        switch (step.Action)
        {
            case StepAction.MakeDirectory when !isApplied:
                await MakeDirectoryAsync(step).ConfigureAwait(false);
                break;
            case StepAction.Write when !isApplied:
                await BeginFileAsync(step).ConfigureAwait(false);
                break;
            case StepAction.CreateOther when !isApplied:
                await CreateOtherAsync(step).ConfigureAwait(false);
                break;
            case StepAction.Delete when !isApplied:
                await RemoveAsync(step.Path).ConfigureAwait(false);
                break;
            case StepAction.DeleteDirectory when !isApplied:
                await RemoveDirectoryAsync(step.Path).ConfigureAwait(false);
                break;
            case StepAction.Attributes or StepAction.Write or StepAction.CreateOther:
                // Also of what is there already: a run that was cut off may not have come to it, and it harms nothing.
                await SetAttributesAsync(step).ConfigureAwait(false);
                break;
            case StepAction.Link:
                links.Add(step);
                break;
            case StepAction.FinishDirectory:
                directories.Add(step);
                break;
        }
    }

    private void Count(StepRecord step, bool isApplied)
    {
        if (step.Change == ChangeKind.None) return;
        if (isApplied)
        {
            Summary = Summary! with { AlreadyApplied = Summary.AlreadyApplied + 1 };
            return;
        }

        request.OnChange?.Invoke(new TreeChange(step.Change, step.Path));
        Summary = step.Change switch
        {
            ChangeKind.Added => Summary! with { Added = Summary.Added + 1 },
            ChangeKind.Deleted => Summary! with { Deleted = Summary.Deleted + 1 },
            _ => Summary! with { Modified = Summary.Modified + 1 },
        };
    }

    private async ValueTask MakeDirectoryAsync(StepRecord step)
    {
        if (step.Before is not null) await RemoveAsync(step.Path).ConfigureAwait(false);
        NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(step.Path).ConfigureAwait(false), step.Path);
        uint mode = step.After!.Attributes.Mode;
        CreatedNode created = TargetFolders.Need(
            await tree.CreateDirectoryAsync(caller, parent, TargetFolders.NameOf(step.Path), mode).ConfigureAwait(false), step.Path);
        tree.Forget(created.Node.Id, 1);
    }

    private async ValueTask BeginFileAsync(StepRecord step)
    {
        NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(step.Path).ConfigureAwait(false), step.Path);
        OpenedNode? before = null;
        if (step.Before is { Kind: NodeKind.Regular })
        {
            var reading = new OpenRequest(OpenAccess.Read | OpenAccess.KeepAccessTime);
            before = TargetFolders.Need(
                await tree.OpenAtAsync(caller, parent, TargetFolders.NameOf(step.Path), reading).ConfigureAwait(false), step.Path);
        }

        var creating = new OpenRequest(OpenAccess.Write, CreateMode.CreateNew, 0x180);
        OpenedNode created = TargetFolders.Need(await tree.OpenAtAsync(caller, parent, TemporaryName(), creating).ConfigureAwait(false), step.Path);
        writing = step;
        file = new StagedFile(tree, caller, step.Path, created, before);
    }

    private async ValueTask EndFileAsync(ContentEndRecord end)
    {
        StepRecord step = writing!;
        long size = step.After!.Attributes.Size;
        using (StagedFile ended = file!)
        {
            file = null;
            NodeAttributes now = await ended.FinishAsync(end, size).ConfigureAwait(false);
            Tell(step.Path, await writer.FinishAsync(ended.Node, step.After, now, isNew: true).ConfigureAwait(false));
            // One sync of the root's file system serves all that is staged there; elsewhere each file has its own.
            if (now.Device != rootDevice)
            {
                TargetFolders.Need(await tree.CommitAsync(caller, ended.File, Stability.All).ConfigureAwait(false), step.Path);
            }
        }

        request.Progress.AddDone(0, size);
        Summary = Summary! with { BytesWritten = Summary.BytesWritten + size };
        await StageAsync(step, size).ConfigureAwait(false);
    }

    private async ValueTask CreateOtherAsync(StepRecord step)
    {
        NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(step.Path).ConfigureAwait(false), step.Path);
        Node node = TargetFolders.Need(await writer.CreateOtherAsync(parent, step.After!, TemporaryName()).ConfigureAwait(false), step.Path);
        Tell(step.Path, await writer.FinishAsync(node.Id, step.After!, node.Attributes, isNew: true).ConfigureAwait(false));
        tree.Forget(node.Id, 1);
        await StageAsync(step, 0).ConfigureAwait(false);
    }

    private async ValueTask StageAsync(StepRecord step, long size)
    {
        staged.Add((step, BytePath.Join(DirectoryOf(step.Path), TemporaryName())));
        stagedBytes += size;
        if (staged.Count >= MaxStaged || stagedBytes >= MaxStagedBytes) await FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Makes what is staged durable, then gives it its names.</summary>
    private async ValueTask FlushAsync()
    {
        if (staged.Count == 0) return;
        // Content before name: after a crash no name may lead to a file that is not whole.
        TargetFolders.Need(await tree.CommitAllAsync(caller).ConfigureAwait(false), staged[0].Step.Path);
        foreach ((StepRecord step, byte[] temporary) in staged) await PublishAsync(step, temporary).ConfigureAwait(false);
        staged.Clear();
        stagedBytes = 0;
    }

    private async ValueTask PublishAsync(StepRecord step, byte[] temporary)
    {
        if (step.Before is { IsDirectory: true }) await RemoveDirectoryAsync(step.Path).ConfigureAwait(false);
        NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(step.Path).ConfigureAwait(false), step.Path);
        TargetFolders.Need(
            await tree.RenameAsync(
                caller, parent, TargetFolders.NameOf(temporary), parent, TargetFolders.NameOf(step.Path), RenameMode.Replace).ConfigureAwait(false),
            step.Path);
    }

    private async ValueTask LinkAsync(StepRecord step)
    {
        Node source = TargetFolders.Need(await folders.FindAsync(step.LinkPath).ConfigureAwait(false), step.LinkPath);
        try
        {
            Result<Node> there = await folders.FindAsync(step.Path).ConfigureAwait(false);
            if (there.Ok) tree.Forget(there.Value.Id, 1);
            if (there.Ok && TargetFolders.IsSameFile(there.Value.Attributes, source.Attributes)) return;
            NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(step.Path).ConfigureAwait(false), step.Path);
            byte[] temporary = TemporaryName();
            steps++;
            TargetFolders.Need(await tree.LinkAsync(caller, source.Id, parent, temporary).ConfigureAwait(false), step.Path);
            await PublishAsync(step, BytePath.Join(DirectoryOf(step.Path), temporary)).ConfigureAwait(false);
        }
        finally
        {
            tree.Forget(source.Id, 1);
        }
    }

    private async ValueTask SetAttributesAsync(StepRecord step)
    {
        Node node = TargetFolders.Need(await folders.FindAsync(step.Path).ConfigureAwait(false), step.Path);
        Tell(step.Path, await writer.FinishAsync(node.Id, step.After!, node.Attributes, isNew: false).ConfigureAwait(false));
        if (step.Path.Length > 0) tree.Forget(node.Id, 1);
    }

    private async ValueTask RemoveAsync(byte[] path)
    {
        NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(path).ConfigureAwait(false), path);
        Result<Mutation> removed = await tree.UnlinkAsync(caller, parent, TargetFolders.NameOf(path)).ConfigureAwait(false);
        if (removed.Error != Errno.NoEntry) TargetFolders.Need(removed, path);
    }

    private async ValueTask RemoveDirectoryAsync(byte[] path)
    {
        folders.Release();
        NodeId parent = TargetFolders.Need(await folders.ParentOfAsync(path).ConfigureAwait(false), path);
        Result<Mutation> removed = await tree.RemoveDirectoryAsync(caller, parent, TargetFolders.NameOf(path)).ConfigureAwait(false);
        // Replaced already by an earlier run, or never there.
        if (removed.Error is not (Errno.NoEntry or Errno.NotDirectory)) TargetFolders.Need(removed, path);
    }

    private void Tell(byte[] path, string? trouble)
    {
        if (trouble is null) return;
        request.Progress.AddError();
        Summary = Summary! with { Errors = Summary.Errors + 1 };
        request.OnNotice?.Invoke(new ItemNotice(IsError: true, path, trouble));
    }

    /// <summary>The name for what the present step makes; a run has one for each step.</summary>
    private byte[] TemporaryName() =>
        [.. ApplyVerifier.TemporaryPrefix(Summary!.Point), .. Encoding.ASCII.GetBytes(steps.ToString(CultureInfo.InvariantCulture))];

    private static byte[] DirectoryOf(byte[] path) => path[..Math.Max(0, path.AsSpan().LastIndexOf((byte)'/'))];
}
