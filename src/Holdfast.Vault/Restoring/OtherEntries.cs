using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>Restores symlinks, pipes and devices.</summary>
internal sealed class OtherEntries(RestoreContext context, EntryWriter writer)
{
    private readonly RestoreRequest request = context.Request;
    private readonly IFileTree target = context.Target;

    /// <summary>Restores one; what is there of another kind is gone already.</summary>
    public async ValueTask TakeAsync(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, NodeAttributes? there)
    {
        if (there is { } now)
        {
            if (request.Overwrite == OverwriteMode.Never)
            {
                context.CountSkipped();
                return;
            }

            if (await IsSameAsync(folder, entry, name, now).ConfigureAwait(false))
            {
                await FinishAsync(folder, entry, name, path, now).ConfigureAwait(false);
                return;
            }

            Errno error = request.DryRun ? Errno.None : await writer.RemoveAsync(folder.Node, name, now.Kind, path, static _ => { }).ConfigureAwait(false);
            if (error != Errno.None)
            {
                context.Fail(path, $"cannot be replaced: {error.Describe()}");
                return;
            }
        }

        if (!request.DryRun)
        {
            Result<Node> node = await writer.CreateOtherAsync(folder.Node, entry, name).ConfigureAwait(false);
            if (!node.Ok)
            {
                context.Fail(path, node.Error.Describe());
                return;
            }

            string? trouble = await writer.FinishAsync(node.Value.Id, entry, node.Value.Attributes, isNew: true).ConfigureAwait(false);
            target.Forget(node.Value.Id, 1);
            if (trouble is not null) context.Fail(path, trouble);
        }

        context.Request.Progress.AddDone(1, 0);
        if (there is null) context.CountAdded(path);
        else context.CountModified(path);
    }

    private async ValueTask<bool> IsSameAsync(RestoreFolder folder, TreeEntry entry, byte[] name, NodeAttributes now)
    {
        if (now.DeviceMajor != entry.Attributes.DeviceMajor || now.DeviceMinor != entry.Attributes.DeviceMinor) return false;
        if (now.LinkCount > 1 && !entry.IsHardLinked) return false;
        if (now.Kind != NodeKind.Symlink) return true;
        Result<Node> node = await target.LookupAsync(context.Caller, folder.Node, name).ConfigureAwait(false);
        if (!node.Ok) return false;
        Result<ReadOnlyMemory<byte>> link = await target.ReadLinkAsync(context.Caller, node.Value.Id).ConfigureAwait(false);
        target.Forget(node.Value.Id, 1);
        return link.Ok && link.Value.Span.SequenceEqual(entry.Target);
    }

    private async ValueTask FinishAsync(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, NodeAttributes now)
    {
        context.Request.Progress.AddDone(1, 0);
        if (writer.Fits(entry, now)) context.CountUnmodified();
        else context.CountModified(path);
        if (request.DryRun) return;
        Result<Node> node = await target.LookupAsync(context.Caller, folder.Node, name).ConfigureAwait(false);
        string? trouble = node.Ok
            ? await writer.FinishAsync(node.Value.Id, entry, node.Value.Attributes, isNew: false).ConfigureAwait(false)
            : node.Error.Describe();
        if (node.Ok) target.Forget(node.Value.Id, 1);
        if (trouble is not null) context.Fail(path, trouble);
    }
}
