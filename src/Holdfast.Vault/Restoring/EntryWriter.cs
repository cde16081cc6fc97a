using Holdfast.Files;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>Gives nodes of a file tree the attributes that an entry of the vault has, and removes what is in the way.</summary>
/// <remarks>Works below directories that are held by node and never follows a symlink, so that no name leads outside.</remarks>
internal sealed class EntryWriter(IFileTree tree, Caller caller, bool keepOwners, IOwnerNames? owners, bool isDryRun = false)
{
    // Attributes that name the rights of content: set last, as the kernel drops them when owner or content change.
    private static ReadOnlySpan<byte> SecurityPrefix => "security."u8;

    // ACLs, the default ones of directories among them, which what is made in these gets.
    private static ReadOnlySpan<byte> SystemPrefix => "system."u8;

    /// <summary>Whether what is made in a directory may have extended attributes from it, beside those of security modules.</summary>
    public async ValueTask<bool> HandsDownAsync(NodeId directory)
    {
        Result<IReadOnlyList<ReadOnlyMemory<byte>>> names = await tree.ListXattrsAsync(caller, directory).ConfigureAwait(false);
        if (!names.Ok) return true;
        foreach (ReadOnlyMemory<byte> name in names.Value)
        {
            if (name.Span.StartsWith(SystemPrefix)) return true;
        }

        return false;
    }

    /// <summary>The mode to make a file with: its own where it belongs to whom it is to, else nobody's but its maker's.</summary>
    public uint ModeToMake(TreeEntry entry)
    {
        const uint permissions = 0x1FF, ownersAlone = 0x180;
        (uint uid, uint gid) = OwnerOf(entry);
        bool isOurs = !keepOwners || (uid == caller.Uid && gid == caller.Gid);
        return isOurs ? entry.Attributes.Mode & permissions : ownersAlone;
    }

    /// <summary>Makes a symlink, pipe or device.</summary>
    public async ValueTask<Result<Node>> CreateOtherAsync(NodeId directory, TreeEntry entry, ReadOnlyMemory<byte> name)
    {
        NodeAttributes wanted = entry.Attributes;
        Result<CreatedNode> created = wanted.Kind == NodeKind.Symlink
            ? await tree.CreateSymlinkAsync(caller, directory, name, entry.Target).ConfigureAwait(false)
            : await tree.CreateSpecialAsync(caller, directory, name, wanted.Kind, 0x180, wanted.DeviceMajor, wanted.DeviceMinor).ConfigureAwait(false);
        return created.Ok ? created.Value.Node : created.Error;
    }

    /// <summary>Gives a node owner, extended attributes, mode and times, in the order in which none undoes another.</summary>
    /// <param name="node">The node, of the entry's kind.</param>
    /// <param name="entry">What it is to be like.</param>
    /// <param name="now">Its attributes now; what fits already is left alone.</param>
    /// <param name="isNew">Whether it was just made: then all of its times are set.</param>
    /// <param name="mayHaveXattrs">False where it has no extended attributes but such as a security module gave it.</param>
    /// <returns>Null, or what could not be set.</returns>
    public async ValueTask<string?> FinishAsync(NodeId node, TreeEntry entry, NodeAttributes now, bool isNew, bool mayHaveXattrs = true)
    {
        string? trouble = null;
        NodeAttributes wanted = entry.Attributes;
        (uint uid, uint gid) = OwnerOf(entry);
        bool isOwned = !keepOwners || (now.Uid == uid && now.Gid == gid);
        if (!isOwned)
        {
            Result<Mutation> chown = await tree.SetAttributesAsync(caller, node, new AttributeChanges { Uid = uid, Gid = gid }).ConfigureAwait(false);
            if (!chown.Ok) trouble = $"owner: {chown.Error.Describe()}";
        }

        bool touchesXattrs = mayHaveXattrs || entry.Xattrs.Length > 0;
        if (touchesXattrs) trouble = await WriteXattrsAsync(node, entry).ConfigureAwait(false) ?? trouble;
        // A new owner takes bits away, and an ACL that came or went is part of the mode.
        bool mayModeChange = !isOwned || entry.Xattrs.Length > 0 || (isNew && mayHaveXattrs);
        bool isModeRight = wanted.Kind == NodeKind.Symlink || (now.Mode == wanted.Mode && !mayModeChange);
        bool isTimeRight = !isNew && now.ModifyTime == wanted.ModifyTime && isModeRight;
        if (isModeRight && isTimeRight) return trouble;
        var changes = new AttributeChanges
        {
            Mode = isModeRight ? null : wanted.Mode,
            ModifyTime = wanted.ModifyTime,
            AccessTime = isNew ? wanted.ModifyTime : null,
        };
        Result<Mutation> set = await tree.SetAttributesAsync(caller, node, changes).ConfigureAwait(false);
        return set.Ok ? trouble : $"mode and times: {set.Error.Describe()}";
    }

    /// <summary>Whether a node has an entry's owner, mode and times; directories are not asked for the time.</summary>
    public bool Fits(TreeEntry entry, in NodeAttributes now)
    {
        NodeAttributes wanted = entry.Attributes;
        (uint uid, uint gid) = OwnerOf(entry);
        return now.Kind == wanted.Kind
            && (wanted.Kind == NodeKind.Symlink || now.Mode == wanted.Mode)
            && (!keepOwners || (now.Uid == uid && now.Gid == gid))
            && now.ModifyTime == wanted.ModifyTime;
    }

    /// <summary>Removes a name; of a directory everything below it first. Told of each name that goes, also in a dry run, where none does.</summary>
    public async ValueTask<Errno> RemoveAsync(NodeId directory, byte[] name, NodeKind kind, byte[] path, Action<byte[]> onRemoved)
    {
        if (kind != NodeKind.Directory)
        {
            Errno unlinked = await UnlinkAsync(directory, name).ConfigureAwait(false);
            if (unlinked == Errno.None) onRemoved(path);
            return unlinked;
        }

        // A stack of our own: what is to be removed may be deeper than a thread's.
        var pending = new Stack<Removal>();
        Errno error = await PushAsync(pending, directory, name, path).ConfigureAwait(false);
        while (error == Errno.None && pending.TryPeek(out Removal? level))
        {
            if (level.Next < level.Scan.Count)
            {
                int index = level.Next++;
                byte[] child = level.Scan.NameOf(index).ToArray();
                byte[] childPath = BytePath.Join(level.Path, child);
                if (level.Scan.AttributesOf(index).IsDirectory)
                {
                    error = await PushAsync(pending, level.Node, child, childPath).ConfigureAwait(false);
                    continue;
                }

                error = await UnlinkAsync(level.Node, child).ConfigureAwait(false);
                if (error == Errno.None) onRemoved(childPath);
                continue;
            }

            pending.Pop();
            tree.Forget(level.Node, 1);
            error = isDryRun ? Errno.None : (await tree.RemoveDirectoryAsync(caller, level.Parent, level.Name).ConfigureAwait(false)).Error;
            if (error == Errno.None) onRemoved(level.Path);
        }

        while (pending.TryPop(out Removal? left)) tree.Forget(left.Node, 1);
        return error;
    }

    private async ValueTask<Errno> UnlinkAsync(NodeId directory, byte[] name) =>
        isDryRun ? Errno.None : (await tree.UnlinkAsync(caller, directory, name).ConfigureAwait(false)).Error;

    private async ValueTask<Errno> PushAsync(Stack<Removal> pending, NodeId parent, byte[] name, byte[] path)
    {
        Result<Node> node = await tree.LookupAsync(caller, parent, name).ConfigureAwait(false);
        if (!node.Ok) return node.Error;
        var level = new Removal(parent, name, path, node.Value.Id);
        pending.Push(level);
        return (await tree.ScanAsync(caller, node.Value.Id, level.Scan).ConfigureAwait(false)).Error;
    }

    private async ValueTask<string?> WriteXattrsAsync(NodeId node, TreeEntry entry)
    {
        string? trouble = null;
        // Also of a new node: it may have inherited an ACL from its directory.
        var unwanted = new List<ReadOnlyMemory<byte>>();
        Result<IReadOnlyList<ReadOnlyMemory<byte>>> names = await tree.ListXattrsAsync(caller, node).ConfigureAwait(false);
        if (names.Ok) unwanted.AddRange(names.Value);

        for (int pass = 0; pass < 2; pass++)
        {
            foreach (Xattr xattr in entry.Xattrs)
            {
                if (xattr.Name.AsSpan().StartsWith(SecurityPrefix) != (pass == 1)) continue;
                bool isThere = unwanted.RemoveAll(name => name.Span.SequenceEqual(xattr.Name)) > 0;
                if (isThere && await HasValueAsync(node, xattr).ConfigureAwait(false)) continue;
                Result<Mutation> set = await tree.SetXattrAsync(caller, node, xattr.Name, xattr.Value, XattrMode.Set).ConfigureAwait(false);
                if (!set.Ok) trouble = $"extended attribute {BytePath.Display(xattr.Name)}: {set.Error.Describe()}";
            }
        }

        foreach (ReadOnlyMemory<byte> name in unwanted)
        {
            Result<Mutation> removed = await tree.RemoveXattrAsync(caller, node, name).ConfigureAwait(false);
            // What a security module sets by itself may refuse to go, and may stay.
            bool isTolerable = removed.Error == Errno.NoAttribute || name.Span.StartsWith(SecurityPrefix);
            if (!removed.Ok && !isTolerable) trouble = $"extended attribute {BytePath.Display(name.Span)}: {removed.Error.Describe()}";
        }

        return trouble;
    }

    private async ValueTask<bool> HasValueAsync(NodeId node, Xattr xattr)
    {
        Result<ReadOnlyMemory<byte>> value = await tree.GetXattrAsync(caller, node, xattr.Name).ConfigureAwait(false);
        return value.Ok && value.Value.Span.SequenceEqual(xattr.Value);
    }

    private (uint Uid, uint Gid) OwnerOf(TreeEntry entry)
    {
        uint? uid = entry.UserName is null ? null : owners?.UserId(entry.UserName);
        uint? gid = entry.GroupName is null ? null : owners?.GroupId(entry.GroupName);
        return (uid ?? entry.Attributes.Uid, gid ?? entry.Attributes.Gid);
    }

    private sealed class Removal(NodeId parent, byte[] name, byte[] path, NodeId node)
    {
        public NodeId Parent => parent;

        public byte[] Name => name;

        public byte[] Path => path;

        public NodeId Node => node;

        public DirectoryScan Scan { get; } = new();

        public int Next { get; set; }
    }
}
