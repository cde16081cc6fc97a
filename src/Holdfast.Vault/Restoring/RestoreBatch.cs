using System.Buffers;
using System.Collections.Concurrent;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>
/// Gathers the chunks that files need and fetches them pack by pack, so that each byte of the store is read once; bounded, so that
/// memory does not grow with the point. Compares files that are there first.
/// </summary>
internal sealed class RestoreBatch(RestoreContext context, EntryWriter writer)
{
    private const int MaxWanted = 256 << 10;

    private readonly List<WantedChunk> wanted = [];
    private readonly List<RestoreFile> done = [];
    private readonly ConcurrentDictionary<RestoreFile, bool> unfinished = new();

    /// <summary>Takes a file on; runs the batch when it is full.</summary>
    public async ValueTask AddAsync(RestoreFile file)
    {
        if (context.Request.DryRun && file.There is null)
        {
            context.CountAdded(file.Path);
            context.Request.Progress.AddDone(1, file.Entry.Attributes.Size);
            return;
        }

        try
        {
            if (file.There is not null) await CompareAsync(file).ConfigureAwait(false);
            else await WantAllAsync(file).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            FailDamaged(file, damage.Message);
        }

        if (context.Request.DryRun)
        {
            CountDone(file);
            return;
        }

        if (file.EndPieces(1)) await FinishAsync(file).ConfigureAwait(false);
        if (context.Request.Verify) done.Add(file);
    }

    /// <summary>Fetches and writes what was gathered.</summary>
    public async Task RunAsync()
    {
        await ExecuteAsync().ConfigureAwait(false);
        var verifier = new RestoreVerifier(context);
        foreach (RestoreFile file in done) await verifier.VerifyAsync(file).ConfigureAwait(false);
        done.Clear();
    }

    /// <summary>A new file gets its first piece: until it is finished it must not be taken for whole.</summary>
    public void Begin(RestoreFile file)
    {
        if (file.IsNew) unfinished.TryAdd(file, true);
    }

    /// <summary>After a failure or a cancellation: removes the new files that are not whole.</summary>
    public async Task DiscardUnfinishedAsync()
    {
        Caller untold = context.Caller with { Cancellation = CancellationToken.None };
        foreach (RestoreFile file in unfinished.Keys)
        {
            await context.Target.UnlinkAsync(untold, file.Folder.Node, file.Name).ConfigureAwait(false);
        }
    }

    /// <summary>Closes a file whose pieces are all written: length, attributes, count; of a failed one nothing is left.</summary>
    public async ValueTask FinishAsync(RestoreFile file)
    {
        if (file.Failed)
        {
            // Half a file under its name would be taken for the whole. One that was changed in place keeps what could be restored.
            if (file.IsNew) await context.Target.UnlinkAsync(context.Caller, file.Folder.Node, file.Name).ConfigureAwait(false);
            unfinished.TryRemove(file, out _);
            return;
        }

        var request = new OpenRequest(OpenAccess.Write, file.IsNew ? CreateMode.OpenOrCreate : CreateMode.OpenExisting, 0x180);
        Result<OpenedNode> opened = await context.Target.OpenAtAsync(context.Caller, file.Folder.Node, file.Name, request).ConfigureAwait(false);
        if (!opened.Ok)
        {
            Fail(file, opened.Error);
            return;
        }

        await FinishOpenAsync(file, opened.Value).ConfigureAwait(false);
        context.Target.Forget(opened.Value.Node.Id, 1);
        context.Target.Close(opened.Value.File);
    }

    /// <summary>The same for a file that is open.</summary>
    public async ValueTask FinishOpenAsync(RestoreFile file, OpenedNode opened)
    {
        Result<NodeAttributes> now = await context.Target.GetOpenAttributesAsync(context.Caller, opened.File).ConfigureAwait(false);
        if (now.Ok && now.Value.Size != file.Entry.Attributes.Size)
        {
            Result<Mutation> sized = await context.Target.SetAttributesAsync(
                context.Caller, opened.Node.Id, new AttributeChanges { Size = file.Entry.Attributes.Size }).ConfigureAwait(false);
            now = sized.Ok ? sized.Value.After : sized.Error;
        }

        if (!now.Ok)
        {
            Fail(file, now.Error);
            return;
        }

        string? trouble = await writer.FinishAsync(opened.Node.Id, file.Entry, now.Value, file.IsNew).ConfigureAwait(false);
        // The run ends with a sync of the root's file system; what lies on another one is synced by itself.
        if (now.Value.Device != context.RootDevice)
        {
            Result<NodeAttributes> durable = await context.Target.CommitAsync(context.Caller, opened.File, Stability.All).ConfigureAwait(false);
            if (!durable.Ok) trouble = $"could not be made durable: {durable.Error.Describe()}";
        }

        if (trouble is not null) context.Fail(file.Path, trouble);
        unfinished.TryRemove(file, out _);
        CountDone(file);
    }

    public void Fail(RestoreFile file, Errno error)
    {
        if (error is Errno.NoSpace or Errno.QuotaExceeded)
        {
            // Every further file would fail for the same reason.
            throw new HoldfastException(
                ErrorKind.Failed, $"{BytePath.Display(file.Path)}: {error.Describe()}",
                "free some space and run it again: what is restored already is compared and kept");
        }

        if (error == Errno.Interrupted) context.Cancellation.ThrowIfCancellationRequested();
        if (file.TryFail()) context.Fail(file.Path, error.Describe());
    }

    public void FailDamaged(RestoreFile file, string message)
    {
        if (file.TryFail()) context.FailDamaged(file.Path, message);
    }

    private void CountDone(RestoreFile file)
    {
        context.Request.Progress.AddDone(1, Math.Max(0, file.Entry.Attributes.Size - file.Shown));
        if (file.There is not { } there) context.CountAdded(file.Path);
        else if (file.Differs || file.IsReplaced || !writer.Fits(file.Entry, there)) context.CountModified(file.Path);
        else context.CountUnmodified();
    }

    private async ValueTask WantAllAsync(RestoreFile file)
    {
        long offset = 0;
        await foreach (ContentItem item in context.Vault.Trees.FlattenAsync(file.Entry.Content!, context.Cancellation).ConfigureAwait(false))
        {
            if (item.Kind != ContentItemKind.Hole) await WantAsync(new WantedChunk(item.Id, file, offset, item.Length, item.Repeats)).ConfigureAwait(false);
            offset += item.TotalBytes;
        }
    }

    /// <summary>Compares a file that is there with its entry, and wants only the chunks that differ.</summary>
    private async ValueTask CompareAsync(RestoreFile file)
    {
        NodeAttributes there = file.There!.Value;
        (List<WantedChunk> differing, bool hasHoles) = await FindDifferencesAsync(file).ConfigureAwait(false);
        if (file.Failed) return;
        file.Differs = differing.Count > 0 || there.Size != file.Entry.Attributes.Size;
        // A file with further names may be somebody else's as well, even outside of the target; and a hole cannot be put
        // into a file that has data there. Such a file is written anew.
        bool isShared = there.LinkCount > 1 && (file.Differs || !writer.Fits(file.Entry, there) || !file.Entry.IsHardLinked);
        if (context.Request.DryRun) return;
        bool isInPlace = !isShared && !(hasHoles && file.Differs) && (!file.Differs || await IsWritableAsync(file).ConfigureAwait(false));
        if (isInPlace)
        {
            foreach (WantedChunk chunk in differing) await WantAsync(chunk).ConfigureAwait(false);
            return;
        }

        file.IsReplaced = true;
        Errno error = await writer.RemoveAsync(file.Folder.Node, file.Name, NodeKind.Regular, file.Path, static _ => { }).ConfigureAwait(false);
        if (error == Errno.None) await WantAllAsync(file).ConfigureAwait(false);
        else Fail(file, error);
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

    private async ValueTask<(List<WantedChunk> Differing, bool HasHoles)> FindDifferencesAsync(RestoreFile file)
    {
        var differing = new List<WantedChunk>();
        bool hasHoles = false;
        Result<OpenedNode> opened = await context.Target.OpenAtAsync(
            context.Caller, file.Folder.Node, file.Name, new OpenRequest(OpenAccess.Read)).ConfigureAwait(false);
        if (!opened.Ok)
        {
            Fail(file, opened.Error);
            return (differing, hasHoles);
        }

        try
        {
            long offset = 0;
            await foreach (ContentItem item in context.Vault.Trees.FlattenAsync(file.Entry.Content!, context.Cancellation).ConfigureAwait(false))
            {
                bool isHole = item.Kind == ContentItemKind.Hole;
                hasHoles |= isHole;
                bool isSame = await RangeReader.HasItemAsync(context, opened.Value.File, offset, item).ConfigureAwait(false);
                if (!isSame) differing.Add(new WantedChunk(item.Id, file, offset, item.Length, item.Repeats));
                offset += item.TotalBytes;
            }
        }
        finally
        {
            context.Target.Forget(opened.Value.Node.Id, 1);
            context.Target.Close(opened.Value.File);
        }

        return (differing, hasHoles);
    }

    private async ValueTask WantAsync(WantedChunk chunk)
    {
        chunk.File.AddPiece();
        wanted.Add(chunk);
        if (wanted.Count >= MaxWanted) await RunAsync().ConfigureAwait(false);
    }

    private async Task ExecuteAsync()
    {
        if (wanted.Count == 0) return;
        var located = new List<LocatedChunk>(wanted.Count);
        foreach (WantedChunk chunk in wanted)
        {
            if (await context.Vault.Index.FindOrRecoverAsync(chunk.Id, ObjectKind.DataPack, context.Cancellation).ConfigureAwait(false) is { } location)
            {
                located.Add(new LocatedChunk(location.Footer, location.Ordinal, chunk));
                continue;
            }

            FailDamaged(chunk.File, $"bytes {chunk.Offset} to {chunk.Offset + (chunk.Length * chunk.Repeats)} are missing in the vault");
            if (chunk.File.EndPieces(1)) await FinishAsync(chunk.File).ConfigureAwait(false);
        }

        wanted.Clear();
        located.Sort(static (a, b) =>
        {
            int byPack = a.Footer.Pack.CompareTo(b.Footer.Pack);
            return byPack != 0 ? byPack : a.Ordinal.CompareTo(b.Ordinal);
        });
        var packs = new List<Range>();
        for (int first = 0; first < located.Count;)
        {
            int end = first + 1;
            while (end < located.Count && located[end].Footer.Pack == located[first].Footer.Pack) end++;
            packs.Add(first..end);
            first = end;
        }

        int next = -1;
        var workers = new Task[Math.Min(Math.Max(1, context.Request.Workers), packs.Count)];
        for (int i = 0; i < workers.Length; i++)
        {
            workers[i] = Task.Run(
                async () =>
                {
                    using var worker = new RestoreWorker(context, this);
                    for (int mine = Interlocked.Increment(ref next); mine < packs.Count; mine = Interlocked.Increment(ref next))
                    {
                        await worker.RunAsync(located.GetRange(packs[mine].Start.Value, packs[mine].End.Value - packs[mine].Start.Value)).ConfigureAwait(false);
                    }
                },
                context.Cancellation);
        }

        await Task.WhenAll(workers).ConfigureAwait(false);
    }
}

/// <summary>A wanted chunk with the place where it lies.</summary>
internal readonly record struct LocatedChunk(PackFooter Footer, int Ordinal, WantedChunk Wanted);

/// <summary>Reads ranges of open files in the target and compares them with what an entry says.</summary>
internal static class RangeReader
{
    private const int ZeroPieceBytes = 256 << 10;

    /// <summary>Whether a file holds an item's content at an offset.</summary>
    public static async ValueTask<bool> HasItemAsync(RestoreContext context, OpenId file, long offset, ContentItem item)
    {
        bool isHole = item.Kind == ContentItemKind.Hole;
        int bufferBytes = isHole ? ZeroPieceBytes : (int)Math.Min(item.Length, PackFooter.MaxChunkBytes);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(bufferBytes);
        try
        {
            for (long left = item.TotalBytes; left > 0;)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                int wanted = (int)Math.Min(left, bufferBytes);
                Result<int> read = await context.Target.ReadAsync(context.Caller, file, offset, buffer.AsMemory(0, wanted)).ConfigureAwait(false);
                if (!read.Ok || read.Value != wanted) return false;
                ReadOnlySpan<byte> content = buffer.AsSpan(0, wanted);
                if (isHole ? content.ContainsAnyExcept((byte)0) : context.Vault.DataIdentity.Of(content) != item.Id) return false;
                offset += wanted;
                left -= wanted;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
