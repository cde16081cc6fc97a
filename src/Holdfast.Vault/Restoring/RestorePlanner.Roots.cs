using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>Where the roots of a point go.</summary>
internal sealed partial class RestorePlanner
{
    private async Task TakeRootAsync(TreeEntry root)
    {
        PathChoice choice = request.Selection.Root;
        bool handsDown = await writer.HandsDownAsync(target.Root).ConfigureAwait(false);
        if (isSingleRoot && root.IsDirectory)
        {
            context.CountDirectory();
            RestoreFolder all = TopFolder(root, [], choice == PathChoice.Take, handsDown);
            await PushAsync(all, root, choice, isThere: true).ConfigureAwait(false);
            await DrainAsync().ConfigureAwait(false);
            return;
        }

        // Under its own absolute path: the directories on the way are made where they are missing.
        byte[][] components = BytePath.Split(root.Name);
        RestoreFolder? folder = TopFolder(null, [], isTaken: false, handsDown);
        for (int i = 0; !isSingleRoot && i < components.Length - 1; i++)
        {
            RestoreFolder? next = await OnTheWayAsync(folder, components[i]).ConfigureAwait(false);
            await folders.EndUseAsync(folder).ConfigureAwait(false);
            if (next is null) return;
            folder = next;
        }

        byte[] name = components.Length == 0 ? [] : components[^1];
        byte[] path = isSingleRoot ? name : root.Name;
        choice = request.Selection.Choose(path, isSingleRoot ? 0 : 1, root.IsDirectory, choice);
        if (choice != PathChoice.Skip && name.Length == 0)
        {
            // "/" beside other roots: its content goes to the top itself.
            RestoreFolder all = TopFolder(root, root.Name, choice == PathChoice.Take, handsDown);
            await PushAsync(all, root, choice, isThere: true).ConfigureAwait(false);
        }
        else if (choice != PathChoice.Skip)
        {
            await TakeAsync(folder, root, name, path, choice, await FindAsync(folder, name).ConfigureAwait(false)).ConfigureAwait(false);
        }

        await DrainAsync().ConfigureAwait(false);
        await folders.EndUseAsync(folder).ConfigureAwait(false);
    }

    private RestoreFolder TopFolder(TreeEntry? entry, byte[] path, bool isTaken, bool handsDown) => new()
    {
        Node = target.Root,
        Parent = null,
        Entry = entry,
        Path = path,
        IsNew = false,
        IsTaken = isTaken,
        HandsDown = handsDown,
    };

    private async ValueTask<RestoreFolder?> OnTheWayAsync(RestoreFolder parent, byte[] name)
    {
        byte[] path = BytePath.Join(parent.Path, name);
        Result<Node> node = parent.Node == default
            ? Errno.NoEntry
            : await target.LookupAsync(context.Caller, parent.Node, name).ConfigureAwait(false);
        if (node.Error == Errno.NoEntry && !request.DryRun)
        {
            node = NodeOf(await target.CreateDirectoryAsync(context.Caller, parent.Node, name, 0x1ED).ConfigureAwait(false));
        }

        bool isThere = node.Ok && node.Value.Attributes.IsDirectory;
        if (!isThere && node.Error != Errno.NoEntry)
        {
            context.Fail(path, node.Ok ? "is in the way: not a directory" : node.Error.Describe());
            return null;
        }

        return new RestoreFolder
        {
            Node = isThere ? node.Value.Id : default,
            Parent = parent.Use(),
            Entry = null,
            Path = path,
            IsNew = !isThere,
            IsTaken = false,
            HandsDown = isThere && await writer.HandsDownAsync(node.Value.Id).ConfigureAwait(false),
        };
    }

    private async ValueTask<NodeAttributes?> FindAsync(RestoreFolder folder, byte[] name)
    {
        if (folder.Node == default) return null;
        Result<Node> node = await target.LookupAsync(context.Caller, folder.Node, name).ConfigureAwait(false);
        if (!node.Ok) return null;
        target.Forget(node.Value.Id, 1);
        return node.Value.Attributes;
    }
}
