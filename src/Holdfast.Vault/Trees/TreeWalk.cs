using System.Runtime.CompilerServices;

namespace Holdfast.Vault.Trees;

/// <summary>An entry met on a walk through a tree of the vault.</summary>
/// <param name="Path">From where the walk began.</param>
/// <param name="Entry">The entry.</param>
internal readonly record struct TreeItem(byte[] Path, TreeEntry Entry);

/// <summary>Walks trees of the vault, directories before what they hold, in the order of names.</summary>
internal static class TreeWalk
{
    /// <summary>Everything below a directory.</summary>
    /// <param name="trees">Reads the directories.</param>
    /// <param name="directory">Where to begin; not itself part of the result.</param>
    /// <param name="path">Its path, in front of all others; empty for relative ones.</param>
    /// <param name="cancellationToken">Stops the walk.</param>
    public static async IAsyncEnumerable<TreeItem> BelowAsync(
        TreeReader trees, TreeEntry directory, byte[] path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A stack of our own: a hostile or merely deep tree must not use up the thread's.
        var pending = new Stack<(byte[] Path, List<TreeEntry> Entries, int Next)>();
        pending.Push((path, await trees.ReadDirectoryAsync(directory.Content!, isPointRoot: false, cancellationToken).ConfigureAwait(false), 0));
        while (pending.TryPop(out (byte[] Path, List<TreeEntry> Entries, int Next) level))
        {
            if (level.Next == level.Entries.Count) continue;
            TreeEntry entry = level.Entries[level.Next];
            pending.Push(level with { Next = level.Next + 1 });
            byte[] entryPath = TreePath.Join(level.Path, entry.Name);
            yield return new TreeItem(entryPath, entry);
            if (entry.IsDirectory)
            {
                pending.Push((entryPath, await trees.ReadDirectoryAsync(entry.Content!, isPointRoot: false, cancellationToken).ConfigureAwait(false), 0));
            }
        }
    }
}
