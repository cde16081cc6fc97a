using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Vault.Exporting;

/// <summary>Finds entries of the target by path; holds the directories on the way to the last one. For one thread at a time.</summary>
/// <remarks>Goes down name by name and follows no symlink, so that no path leads out of the target.</remarks>
internal sealed class TargetFolders(IFileTree tree, Caller caller) : IDisposable
{
    private readonly List<(byte[] Name, NodeId Node)> open = [];

    /// <summary>The directory that holds a path; an error when there is none. Valid until the next call.</summary>
    public async ValueTask<Result<NodeId>> ParentOfAsync(byte[] path)
    {
        byte[][] names = BytePath.Split(path);
        int depth = 0;
        while (depth < open.Count && depth < names.Length - 1 && open[depth].Name.AsSpan().SequenceEqual(names[depth])) depth++;
        Release(depth);
        for (; depth < names.Length - 1; depth++)
        {
            Result<Node> node = await tree.LookupAsync(caller, depth == 0 ? tree.Root : open[depth - 1].Node, names[depth]).ConfigureAwait(false);
            if (!node.Ok) return node.Error;
            if (!node.Value.Attributes.IsDirectory)
            {
                tree.Forget(node.Value.Id, 1);
                return Errno.NotDirectory;
            }

            open.Add((names[depth], node.Value.Id));
        }

        return open.Count == 0 ? tree.Root : open[^1].Node;
    }

    /// <summary>The entry of a path; the caller gives its reference back. The top has none to give back.</summary>
    public async ValueTask<Result<Node>> FindAsync(byte[] path)
    {
        if (path.Length == 0)
        {
            Result<NodeAttributes> top = await tree.GetAttributesAsync(caller, tree.Root).ConfigureAwait(false);
            return top.Ok ? new Node(tree.Root, top.Value) : top.Error;
        }

        Result<NodeId> parent = await ParentOfAsync(path).ConfigureAwait(false);
        if (!parent.Ok) return parent.Error;
        return await tree.LookupAsync(caller, parent.Value, NameOf(path)).ConfigureAwait(false);
    }

    /// <summary>The last name of a path.</summary>
    public static byte[] NameOf(byte[] path) => BytePath.FileName(path).ToArray();

    /// <summary>Whether two names are those of one file.</summary>
    public static bool IsSameFile(in NodeAttributes a, in NodeAttributes b) => a.Inode == b.Inode && a.Device == b.Device;

    /// <summary>What an operation on a path gave, or the error that ends the run.</summary>
    public static T Need<T>(Result<T> result, byte[] path)
    {
        if (result.Ok) return result.Value;
        string hint = result.Error is Errno.NoSpace or Errno.QuotaExceeded
            ? "free some space and run it again: what is applied already is recognised"
            : "put it right and run it again: what is applied already is recognised";
        throw new HoldfastException(ErrorKind.Failed, $"{BytePath.Display(path)}: {result.Error.Describe()}", hint);
    }

    /// <summary>Forgets the directories held: needed before one of them is removed or replaced.</summary>
    public void Release() => Release(0);

    public void Dispose() => Release(0);

    private void Release(int keep)
    {
        for (int i = open.Count - 1; i >= keep; i--) tree.Forget(open[i].Node, 1);
        open.RemoveRange(keep, open.Count - keep);
    }
}
