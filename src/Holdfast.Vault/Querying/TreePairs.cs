using System.Runtime.CompilerServices;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Querying;

/// <summary>What two trees have at one path.</summary>
/// <param name="Path">Empty for the top.</param>
/// <param name="Before">In the first tree; nothing when it is new.</param>
/// <param name="After">In the second tree; nothing when it is gone.</param>
/// <param name="IsLeave">All below it was told of; said of each path that is a directory in either tree.</param>
internal readonly record struct TreePair(byte[] Path, TreeNode Before, TreeNode After, bool IsLeave);

/// <summary>Walks two trees side by side, a directory before what it holds, in the order of names.</summary>
internal static class TreePairs
{
    /// <summary>All paths that one of the trees has.</summary>
    /// <param name="trees">Reads the directories.</param>
    /// <param name="before">The first tree's top.</param>
    /// <param name="after">The second tree's top.</param>
    /// <param name="path">The path of both tops; in front of all others unless empty.</param>
    /// <param name="skipSame">Leaves out what lies in directories whose content is the same.</param>
    /// <param name="cancellationToken">Stops the walk.</param>
    public static async IAsyncEnumerable<TreePair> WalkAsync(
        TreeReader trees, TreeNode before, TreeNode after, byte[] path, bool skipSame, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A stack of our own: a hostile or merely deep tree must not use up the thread's.
        var levels = new Stack<Level>();
        TreePair? next = new TreePair(path, before, after, IsLeave: false);
        while (true)
        {
            if (next is { } pair)
            {
                yield return pair;
                if (pair.Before.IsDirectory || pair.After.IsDirectory)
                {
                    levels.Push(await OpenAsync(trees, pair, skipSame, cancellationToken).ConfigureAwait(false));
                }
            }

            if (levels.Count == 0) yield break;
            next = levels.Peek().Next();
            if (next is null) yield return levels.Pop().Pair with { IsLeave = true };
        }
    }

    private static async ValueTask<Level> OpenAsync(TreeReader trees, TreePair pair, bool skipSame, CancellationToken cancellationToken)
    {
        bool isSame = pair.Before.Entry is { IsDirectory: true } before && pair.After.Entry is { IsDirectory: true } after
            && before.Content!.SameAs(after.Content!);
        if (isSame && skipSame) return new Level(pair, [], []);
        TreeNode[] ours = await pair.Before.ReadChildrenAsync(trees, cancellationToken).ConfigureAwait(false);
        TreeNode[] theirs = isSame ? ours : await pair.After.ReadChildrenAsync(trees, cancellationToken).ConfigureAwait(false);
        return new Level(pair, ours, theirs);
    }

    private sealed class Level(TreePair pair, TreeNode[] before, TreeNode[] after)
    {
        private int nextBefore;
        private int nextAfter;

        public TreePair Pair => pair;

        public TreePair? Next()
        {
            bool hasBefore = nextBefore < before.Length, hasAfter = nextAfter < after.Length;
            if (!hasBefore && !hasAfter) return null;
            int order = !hasBefore ? 1 : !hasAfter ? -1 : before[nextBefore].Name.AsSpan().SequenceCompareTo(after[nextAfter].Name);
            TreeNode first = order <= 0 ? before[nextBefore++] : default;
            TreeNode second = order >= 0 ? after[nextAfter++] : default;
            byte[] name = (first.Name ?? second.Name)!;
            return new TreePair(TreePath.Join(pair.Path, name), first, second, IsLeave: false);
        }
    }
}
