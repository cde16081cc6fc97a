using Holdfast.Files;

namespace Holdfast.Vault.Restoring;

/// <summary>
/// Gives directories their attributes, and lets them go, as soon as all that is to lie in them is there. May be used from
/// any thread.
/// </summary>
internal sealed class FolderFinisher(RestoreContext context, EntryWriter writer)
{
    /// <summary>Ends a use of a directory; what that finishes is finished, and so upwards.</summary>
    public async ValueTask EndUseAsync(RestoreFolder folder)
    {
        for (RestoreFolder? next = folder; next is not null && next.EndUse(); next = next.Parent)
        {
            await FinishAsync(next).ConfigureAwait(false);
        }
    }

    private async ValueTask FinishAsync(RestoreFolder folder)
    {
        if (folder.Node == default) return;
        // A directory that was only passed through, and was there, stays as it is.
        bool isOurs = folder.IsNew || (folder.IsTaken && context.Request.Overwrite != OverwriteMode.Never);
        if (folder.Entry is not null && isOurs && !context.Request.DryRun)
        {
            Result<NodeAttributes> now = await context.Target.GetAttributesAsync(context.Caller, folder.Node).ConfigureAwait(false);
            bool mayHaveXattrs = !folder.IsNew || folder.HandsDown;
            string? trouble = now.Ok
                ? await writer.FinishAsync(folder.Node, folder.Entry, now.Value, folder.IsNew, mayHaveXattrs).ConfigureAwait(false)
                : now.Error.Describe();
            if (trouble is not null) context.Fail(folder.Path, trouble);
        }

        if (folder.Node != context.Target.Root) context.Target.Forget(folder.Node, 1);
    }
}
