using System.Collections.Concurrent;
using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Vault.Restoring;

/// <summary>Ends files: length and attributes of those that are written, removal of those that failed. May be used from any thread.</summary>
internal sealed class FileFinisher(RestoreContext context, EntryWriter writer, FolderFinisher folders)
{
    private readonly ConcurrentDictionary<RestoreFile, bool> unfinished = new();

    /// <summary>Opens a file to write into it, or to set its attributes where its content is right; null when it cannot be, which fails it.</summary>
    /// <param name="file">The file; where it is new, whoever comes first makes it.</param>
    /// <param name="isWhole">Whether the caller writes all of it: then it gets its mode at once.</param>
    public async ValueTask<OpenedNode?> OpenAsync(RestoreFile file, bool isWhole)
    {
        // Until it is finished, a new file must not be taken for whole.
        if (file.IsNew && file.TryBegin()) unfinished.TryAdd(file, true);
        // Without read permission for others until all is there; and who opens it again must be allowed to write.
        const uint ownersAlone = 0x180;
        uint mode = isWhole ? writer.ModeToMake(file.Entry) : ownersAlone;
        // A program that runs cannot be opened for writing; where it is as it should be, it need not.
        OpenAccess access = file.IsNew || file.Differs ? OpenAccess.Write : OpenAccess.Read;
        var request = new OpenRequest(access, file.IsNew ? CreateMode.OpenOrCreate : CreateMode.OpenExisting, mode);
        Result<OpenedNode> opened = await context.Target.OpenAtAsync(context.Caller, file.Folder.Node, file.Name, request).ConfigureAwait(false);
        if (opened.Ok) return opened.Value;
        Fail(file, opened.Error);
        return null;
    }

    /// <summary>Ends a file whose pieces are all written: length, attributes, count; of a failed one nothing is left.</summary>
    public async ValueTask FinishAsync(RestoreFile file)
    {
        if (!file.Failed && await OpenAsync(file, isWhole: true).ConfigureAwait(false) is { } opened)
        {
            await FinishOpenAsync(file, opened, opened.Created ? 0 : null).ConfigureAwait(false);
            context.Target.Forget(opened.Node.Id, 1);
            context.Target.Close(opened.File);
            return;
        }

        await DropAsync(file).ConfigureAwait(false);
    }

    /// <summary>The same for a file that is open and did not fail.</summary>
    /// <param name="file">The file.</param>
    /// <param name="opened">As it was opened.</param>
    /// <param name="writtenBytes">Its length, where the caller made the file and wrote all of it; null where it must be asked for.</param>
    public async ValueTask FinishOpenAsync(RestoreFile file, OpenedNode opened, long? writtenBytes)
    {
        NodeAttributes now = opened.Node.Attributes;
        Errno error = Errno.None;
        if (writtenBytes is { } bytes)
        {
            now.Size = bytes;
        }
        else
        {
            Result<NodeAttributes> asked = await context.Target.GetOpenAttributesAsync(context.Caller, opened.File).ConfigureAwait(false);
            if (asked.Ok) now = asked.Value;
            else error = asked.Error;
        }

        if (error == Errno.None && now.Size != file.Entry.Attributes.Size)
        {
            error = (await context.Target.SetAttributesAsync(
                context.Caller, opened.Node.Id, new AttributeChanges { Size = file.Entry.Attributes.Size }).ConfigureAwait(false)).Error;
        }

        if (error != Errno.None)
        {
            Fail(file, error);
            await DropAsync(file).ConfigureAwait(false);
            return;
        }

        bool mayHaveXattrs = !file.IsNew || file.Folder.HandsDown;
        string? trouble = await writer.FinishAsync(opened.Node.Id, file.Entry, now, file.IsNew, mayHaveXattrs).ConfigureAwait(false);
        // The run ends with a sync of the root's file system; what lies on another one is synced by itself.
        if (now.Device != context.RootDevice)
        {
            Result<NodeAttributes> durable = await context.Target.CommitAsync(context.Caller, opened.File, Stability.All).ConfigureAwait(false);
            if (!durable.Ok) trouble = $"could not be made durable: {durable.Error.Describe()}";
        }

        if (trouble is not null) context.Fail(file.Path, trouble);
        CountDone(file);
        await EndAsync(file).ConfigureAwait(false);
    }

    /// <summary>Ends a file in a dry run.</summary>
    public ValueTask EndDryAsync(RestoreFile file)
    {
        CountDone(file);
        return folders.EndUseAsync(file.Folder);
    }

    /// <summary>After a failure or a cancellation, when nobody writes any more: removes the new files that are not whole.</summary>
    public async Task DiscardUnfinishedAsync()
    {
        Caller untold = context.Caller with { Cancellation = CancellationToken.None };
        foreach (RestoreFile file in unfinished.Keys)
        {
            await context.Target.UnlinkAsync(untold, file.Folder.Node, file.Name).ConfigureAwait(false);
        }
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

    /// <summary>Half a file under its name would be taken for the whole. One that was changed in place keeps what could be restored.</summary>
    private async ValueTask DropAsync(RestoreFile file)
    {
        if (file.IsNew) await context.Target.UnlinkAsync(context.Caller, file.Folder.Node, file.Name).ConfigureAwait(false);
        await EndAsync(file).ConfigureAwait(false);
    }

    private async ValueTask EndAsync(RestoreFile file)
    {
        unfinished.TryRemove(file, out _);
        await folders.EndUseAsync(file.Folder).ConfigureAwait(false);
    }

    private void CountDone(RestoreFile file)
    {
        context.Request.Progress.AddDone(1, Math.Max(0, file.Entry.Attributes.Size - file.Shown));
        if (file.There is not { } there) context.CountAdded(file.Path);
        else if (file.Differs || file.IsReplaced || !writer.Fits(file.Entry, there)) context.CountModified(file.Path);
        else context.CountUnmodified();
    }
}
