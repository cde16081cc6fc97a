using System.Runtime.CompilerServices;
using Holdfast.Files;
using Holdfast.Log;

namespace Holdfast.Vault.Exporting;

/// <summary>An entry of the target.</summary>
internal readonly record struct TargetItem(byte[] Path, NodeAttributes Attributes);

/// <summary>Walks the target, directories before what they hold, in the order of names.</summary>
internal sealed class TargetWalk(IFileTree tree, Caller caller, byte[] leftoverPrefix)
{
    /// <summary>Files of an earlier run that was cut off, met on the walk; they count for nothing.</summary>
    public List<byte[]> Leftovers { get; } = [];

    public async IAsyncEnumerable<TargetItem> WalkAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var levels = new Stack<Level>();
        try
        {
            levels.Push(await OpenAsync(tree.Root, []).ConfigureAwait(false));
            while (levels.TryPeek(out Level? level))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (level.Next == level.Scan.Count)
                {
                    Close(levels.Pop());
                    continue;
                }

                int index = level.Next++;
                byte[] name = level.Scan.NameOf(index).ToArray();
                byte[] path = BytePath.Join(level.Path, name);
                if (name.AsSpan().StartsWith(leftoverPrefix))
                {
                    Leftovers.Add(path);
                    continue;
                }

                if (level.Scan.ErrorOf(index) is var error and not Errno.None) throw Unreadable(path, error);
                NodeAttributes attributes = level.Scan.AttributesOf(index);
                if (attributes.Kind == NodeKind.Socket)
                {
                    throw new HoldfastException(
                        ErrorKind.Unverified, $"{BytePath.Display(path)}: is a socket, which no restore point has",
                        "nothing was changed; stop the program that uses the target");
                }

                yield return new TargetItem(path, attributes);
                if (!attributes.IsDirectory) continue;
                Result<Node> node = await tree.LookupAsync(caller, level.Node, name).ConfigureAwait(false);
                if (!node.Ok) throw Unreadable(path, node.Error);
                levels.Push(await OpenAsync(node.Value.Id, path).ConfigureAwait(false));
            }
        }
        finally
        {
            while (levels.TryPop(out Level? level)) Close(level);
        }
    }

    private async ValueTask<Level> OpenAsync(NodeId node, byte[] path)
    {
        var level = new Level(node, path);
        Result<int> scanned = await tree.ScanAsync(caller, node, level.Scan).ConfigureAwait(false);
        if (scanned.Ok)
        {
            level.Scan.SortByName();
            return level;
        }

        Close(level);
        throw Unreadable(path, scanned.Error);
    }

    private void Close(Level level)
    {
        if (level.Path.Length > 0) tree.Forget(level.Node, 1);
    }

    private static HoldfastException Unreadable(byte[] path, Errno error) =>
        new(ErrorKind.Failed, $"{(path.Length == 0 ? "target" : BytePath.Display(path))}: cannot be read: {error.Describe()}", "nothing was changed");

    private sealed class Level(NodeId node, byte[] path)
    {
        public NodeId Node => node;

        public byte[] Path => path;

        public DirectoryScan Scan { get; } = new();

        public int Next { get; set; }
    }
}
