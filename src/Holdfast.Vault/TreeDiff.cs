using System.Runtime.CompilerServices;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault;

/// <summary>A changed path with what it was and what it is.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Path">As in <see cref="TreeChange"/>.</param>
/// <param name="Before">Null when it is new.</param>
/// <param name="After">Null when it is gone.</param>
/// <param name="IsContentChanged">Whether the bytes of a file, or the target of a symlink, differ; never of another kind.</param>
public sealed record TreeDifference(ChangeKind Kind, ReadOnlyMemory<byte> Path, PointEntry? Before, PointEntry? After, bool IsContentChanged);

/// <summary>Compares the trees of two restore points.</summary>
public static class TreeDiff
{
    /// <summary>The paths that differ, each directory before what it held or holds, in the order of names.</summary>
    /// <param name="vault">The vault of both.</param>
    /// <param name="before">The older point.</param>
    /// <param name="after">The newer point.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    /// <remarks>
    /// Modified are paths whose kind, mode, owner, extended attributes or content differ, of what is no directory also the
    /// time of the last change. Paths are as <c>ls</c> shows them where both points have the same roots, absolute otherwise.
    /// Directories that are one and the same in both are not read.
    /// </remarks>
    /// <exception cref="DamageException">A directory is missing or broken.</exception>
    public static async IAsyncEnumerable<TreeChange> CompareAsync(
        OpenVault vault, RestorePoint before, RestorePoint after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (TreePair pair in WalkAsync(vault, before, after, cancellationToken).ConfigureAwait(false))
        {
            if (KindOf(pair) is var kind and not ChangeKind.None) yield return new TreeChange(kind, pair.Path);
        }
    }

    /// <summary>As <see cref="CompareAsync"/>, with what each path was and is.</summary>
    /// <param name="vault">The vault of both.</param>
    /// <param name="before">The older point.</param>
    /// <param name="after">The newer point.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    public static async IAsyncEnumerable<TreeDifference> CompareInDetailAsync(
        OpenVault vault, RestorePoint before, RestorePoint after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (TreePair pair in WalkAsync(vault, before, after, cancellationToken).ConfigureAwait(false))
        {
            if (KindOf(pair) is var kind and not ChangeKind.None)
            {
                TreeEntry? old = pair.Before.Entry, now = pair.After.Entry;
                yield return new TreeDifference(
                    kind, pair.Path, old is null ? null : PointEntry.Of(pair.Path, old), now is null ? null : PointEntry.Of(pair.Path, now),
                    old is not null && now is not null && old.Attributes.Kind == now.Attributes.Kind && !old.HasContentOf(now));
            }
        }
    }

    private static async IAsyncEnumerable<TreePair> WalkAsync(
        OpenVault vault, RestorePoint before, RestorePoint after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        PointTop old = await PointTop.ReadAsync(vault, before, cancellationToken).ConfigureAwait(false);
        PointTop now = await PointTop.ReadAsync(vault, after, cancellationToken).ConfigureAwait(false);
        bool haveSameRoots = before.Source.HasRootsOf(after.Source);
        (TreeNode oldTop, TreeNode nowTop) = haveSameRoots ? (old.ToNode(), now.ToNode()) : (old.ToAbsoluteNode(before), now.ToAbsoluteNode(after));
        byte[] path = haveSameRoots ? [] : "/"u8.ToArray();
        IAsyncEnumerable<TreePair> pairs = TreePairs.WalkAsync(vault.Trees.Within(before, after), oldTop, nowTop, path, skipSame: true, cancellationToken);
        await foreach (TreePair pair in pairs.ConfigureAwait(false))
        {
            // The top is not listed by a name, and what only leads to roots is no entry.
            bool isTop = pair.Path.Length == path.Length;
            if (!pair.IsLeave && !isTop && (pair.Before.Entry is not null || pair.After.Entry is not null)) yield return pair;
        }
    }

    private static ChangeKind KindOf(in TreePair pair)
    {
        if (pair.Before.Entry is not { } old) return ChangeKind.Added;
        if (pair.After.Entry is not { } now) return ChangeKind.Deleted;
        return now.LooksLike(old) ? ChangeKind.None : ChangeKind.Modified;
    }
}
