using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>Further names of files: noted on the walk, made when the files are there. Their folders are used until then.</summary>
internal sealed class HardLinks(RestoreContext context, EntryWriter writer, FolderFinisher folders)
{
    private readonly IFileTree target = context.Target;
    private readonly Dictionary<(ulong Device, ulong Inode), LinkedName> firstNames = [];
    private readonly List<(LinkedName First, LinkedName Name, bool Exists)> links = [];

    /// <summary>Whether it is a further name of a file whose first name was met.</summary>
    public bool IsFurtherName(RestoreFolder folder, TreeEntry entry, byte[] name, byte[] path, bool isThere)
    {
        if (!entry.IsHardLinked) return false;
        var linked = new LinkedName(folder.Use(), name, path);
        if (firstNames.TryAdd((entry.Attributes.Device, entry.Attributes.Inode), linked)) return false;
        links.Add((firstNames[(entry.Attributes.Device, entry.Attributes.Inode)], linked, isThere));
        return true;
    }

    /// <summary>Makes the links.</summary>
    public async Task MakeAsync()
    {
        foreach ((LinkedName first, LinkedName name, bool exists) in links)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            await LinkAsync(first, name, exists).ConfigureAwait(false);
            await folders.EndUseAsync(name.Folder).ConfigureAwait(false);
        }

        foreach (LinkedName first in firstNames.Values) await folders.EndUseAsync(first.Folder).ConfigureAwait(false);
    }

    private async ValueTask LinkAsync(LinkedName first, LinkedName name, bool exists)
    {
        context.Request.Progress.AddDone(1, 0);
        if (context.Request.DryRun)
        {
            if (exists) context.CountUnmodified();
            else context.CountAdded(name.Path);
            return;
        }

        Result<Node> node = await target.LookupAsync(context.Caller, first.Folder.Node, first.Name).ConfigureAwait(false);
        if (!node.Ok)
        {
            context.Fail(name.Path, $"its other name {BytePath.Display(first.Path)} could not be restored");
            return;
        }

        if (exists)
        {
            Result<Node> there = await target.LookupAsync(context.Caller, name.Folder.Node, name.Name).ConfigureAwait(false);
            if (there.Ok) target.Forget(there.Value.Id, 1);
            if (there.Ok && there.Value.Id == node.Value.Id)
            {
                target.Forget(node.Value.Id, 1);
                context.CountUnmodified();
                return;
            }

            if (there.Ok) await writer.RemoveAsync(name.Folder.Node, name.Name, there.Value.Attributes.Kind, name.Path, static _ => { }).ConfigureAwait(false);
        }

        Result<TwoDirectoryMutation> linked = await target.LinkAsync(context.Caller, node.Value.Id, name.Folder.Node, name.Name).ConfigureAwait(false);
        target.Forget(node.Value.Id, 1);
        if (!linked.Ok) context.Fail(name.Path, $"hard link to {BytePath.Display(first.Path)}: {linked.Error.Describe()}");
        else if (exists) context.CountModified(name.Path);
        else context.CountAdded(name.Path);
    }

    private sealed record LinkedName(RestoreFolder Folder, byte[] Name, byte[] Path);
}
