using Holdfast.Files;
using Holdfast.Vault.Indexing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>
/// Gathers the chunks that files need into batches; while workers restore one, the next is planned. Bounded, so that memory
/// does not grow with the point: two batches, and a read or two of each worker.
/// </summary>
internal sealed class RestorePipeline : IDisposable
{
    private readonly RestoreContext context;
    private readonly EntryWriter writer;
    private readonly FileFinisher files;
    private readonly RestoreVerifier verifier;
    private readonly TargetComparison comparison;
    private readonly RestoreWorker[] workers;
    private RestoreBatch batch = new();
    private Task running = Task.CompletedTask;

    public RestorePipeline(RestoreContext context, EntryWriter writer, FileFinisher files, FolderFinisher folders)
    {
        this.context = context;
        this.writer = writer;
        this.files = files;
        verifier = new RestoreVerifier(context, folders);
        comparison = new TargetComparison(context, files);
        workers = new RestoreWorker[context.Workers];
        for (int i = 0; i < workers.Length; i++) workers[i] = new RestoreWorker(context, files);
    }

    /// <summary>Takes a file on.</summary>
    public async ValueTask AddAsync(RestoreFile file)
    {
        file.Folder.Use();
        if (context.Request.DryRun && file.There is null)
        {
            await files.EndDryAsync(file).ConfigureAwait(false);
            return;
        }

        if (file.There is null)
        {
            await WantAllAsync(file).ConfigureAwait(false);
            await EndPlanningAsync(file).ConfigureAwait(false);
            return;
        }

        await comparison.AddAsync(file).ConfigureAwait(false);
        if (comparison.IsFull) await CompareAsync().ConfigureAwait(false);
    }

    /// <summary>Restores all that was gathered.</summary>
    public async Task EndAsync()
    {
        await CompareAsync().ConfigureAwait(false);
        await HandOverAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
    }

    /// <summary>After a failure: waits until nobody writes any more. What stopped the run is known already.</summary>
    public Task WhenStoppedAsync() => running.ContinueWith(
        static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    public void Dispose()
    {
        foreach (RestoreWorker worker in workers) worker.Dispose();
    }

    private async ValueTask EndPlanningAsync(RestoreFile file)
    {
        if (context.Request.Verify)
        {
            file.Folder.Use();
            batch.Planned.Add(file);
        }

        if (file.EndPieces(1)) await files.FinishAsync(file).ConfigureAwait(false);
        // Files that need no chunk fill a batch as well.
        if (batch.Planned.Count >= context.Request.BatchChunks) await HandOverAsync().ConfigureAwait(false);
    }

    private async ValueTask CompareAsync()
    {
        await comparison.RunAsync().ConfigureAwait(false);
        foreach (ComparedFile compared in comparison.TakeCompared())
        {
            RestoreFile file = compared.File;
            await PlanAsync(compared).ConfigureAwait(false);
            if (context.Request.DryRun) await files.EndDryAsync(file).ConfigureAwait(false);
            else await EndPlanningAsync(file).ConfigureAwait(false);
        }
    }

    /// <summary>Wants of a file that is there the chunks that differ, or all of them where it cannot be changed in place.</summary>
    private async ValueTask PlanAsync(ComparedFile compared)
    {
        RestoreFile file = compared.File;
        NodeAttributes there = file.There!.Value;
        if (file.Failed) return;
        file.Differs = compared.Differs || there.Size != file.Entry.Attributes.Size;
        // A file with further names may be somebody else's as well, even outside of the target; and a hole cannot be put
        // into a file that has data there. Such a file is written anew.
        bool isShared = there.LinkCount > 1 && (file.Differs || !writer.Fits(file.Entry, there) || !file.Entry.IsHardLinked);
        if (context.Request.DryRun) return;
        if (!isShared && !file.Differs) return;
        if (!isShared && !compared.HasHoles && await IsWritableAsync(file).ConfigureAwait(false))
        {
            await WantAsync(file, compared).ConfigureAwait(false);
            return;
        }

        file.IsReplaced = true;
        Errno error = await writer.RemoveAsync(file.Folder.Node, file.Name, NodeKind.Regular, file.Path, static _ => { }).ConfigureAwait(false);
        if (error == Errno.None) await WantAllAsync(file).ConfigureAwait(false);
        else files.Fail(file, error);
    }

    /// <summary>A running program, and to its owner a read-only file, cannot be written into; it can be replaced.</summary>
    private async ValueTask<bool> IsWritableAsync(RestoreFile file)
    {
        Result<OpenedNode> opened = await context.Target.OpenAtAsync(
            context.Caller, file.Folder.Node, file.Name, new OpenRequest(OpenAccess.Write)).ConfigureAwait(false);
        if (!opened.Ok) return false;
        context.Target.Forget(opened.Value.Node.Id, 1);
        context.Target.Close(opened.Value.File);
        return true;
    }

    private ValueTask WantAllAsync(RestoreFile file) => WantAsync(file, null);

    private async ValueTask WantAsync(RestoreFile file, ComparedFile? compared)
    {
        try
        {
            long offset = 0, index = 0;
            await foreach (ContentItem item in context.Vault.Trees.FlattenAsync(file.Entry.Content!, context.Cancellation).ConfigureAwait(false))
            {
                bool isWanted = item.Kind != ContentItemKind.Hole && compared?.HasDifference(index) != false;
                if (isWanted) await WantAsync(new WantedChunk(item.Id, file, offset, item.Length, item.Repeats)).ConfigureAwait(false);
                offset += item.TotalBytes;
                index++;
            }
        }
        catch (DamageException damage)
        {
            files.FailDamaged(file, damage.Message);
        }
    }

    private async ValueTask WantAsync(WantedChunk chunk)
    {
        ChunkLocation? location = await context.Vault.Index.FindOrRecoverAsync(chunk.Id, ObjectKind.DataPack, context.Cancellation).ConfigureAwait(false);
        if (location is null)
        {
            files.FailDamaged(chunk.File, $"{chunk.Range} are missing in the vault");
            return;
        }

        chunk.File.AddPiece();
        batch.Add(chunk, location.Value);
        // Where no batch is at work, a part of one is enough to begin with.
        int enough = context.Request.BatchChunks;
        if (running.IsCompleted) enough /= 8;
        if (batch.Count >= enough) await HandOverAsync().ConfigureAwait(false);
    }

    private async ValueTask HandOverAsync()
    {
        await running.ConfigureAwait(false);
        RestoreBatch full = batch;
        batch = new RestoreBatch();
        running = Task.Run(() => RunAsync(full), context.Cancellation);
    }

    private async Task RunAsync(RestoreBatch full)
    {
        full.Sort();
        await Task.WhenAll(workers.Select(worker => Task.Run(() => worker.RunAsync(full), context.Cancellation))).ConfigureAwait(false);
        var options = new ParallelOptions { MaxDegreeOfParallelism = workers.Length, CancellationToken = context.Cancellation };
        await Parallel.ForEachAsync(full.Planned, options, (file, _) => verifier.VerifyAsync(file)).ConfigureAwait(false);
    }
}
