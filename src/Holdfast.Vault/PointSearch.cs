using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Holdfast.Files;
using Holdfast.Files.Selection;
using Holdfast.Log;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault;

/// <summary>An entry that a search found.</summary>
/// <param name="Point">The point that holds it.</param>
/// <param name="Entry">The entry.</param>
public readonly record struct FoundEntry(RestorePoint Point, PointEntry Entry);

/// <summary>Looks for entries by name or path in restore points.</summary>
public sealed class PointSearch
{
    // 64 bytes each: directories known to hold nothing that matches, so that what points share is searched once.
    private const int MaxBarren = 1 << 18;

    private readonly OpenVault vault;
    private readonly PathPattern pattern;
    private TreeReader trees;
    private readonly HashSet<(ChunkId Content, ChunkId Path)> barren = [];

    private PointSearch(OpenVault vault, PathPattern pattern)
    {
        this.vault = vault;
        trees = vault.Trees;
        this.pattern = pattern;
    }

    /// <summary>All entries that match, point by point in the order given, in each in the order of names.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="points">Where to look.</param>
    /// <param name="pattern">As in <see cref="PathPattern"/>: without '/' a name at any depth, with one the path relative to
    /// a root; with one in front also the absolute path.</param>
    /// <param name="ignoreCase">Whether the ASCII letters match in either case.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    /// <exception cref="HoldfastException">Usage: the pattern is none, or begins with <c>!</c>.</exception>
    /// <exception cref="DamageException">A directory is missing or broken.</exception>
    public static IAsyncEnumerable<FoundEntry> FindAsync(
        OpenVault vault, IReadOnlyList<RestorePoint> points, ReadOnlyMemory<byte> pattern, bool ignoreCase, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(points);
        PathPattern parsed = PathPattern.Parse(pattern.Span, ignoreCase);
        if (parsed.IsNegated)
        {
            throw new HoldfastException(
                ErrorKind.Usage, $"pattern {parsed}: nothing can be found by a pattern that begins with !", "write \\! for a name that does");
        }

        return new PointSearch(vault, parsed).SearchAsync(points, cancellationToken);
    }

    private async IAsyncEnumerable<FoundEntry> SearchAsync(
        IReadOnlyList<RestorePoint> points, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (RestorePoint point in points)
        {
            PointTop top = await PointTop.ReadAsync(vault, point, cancellationToken).ConfigureAwait(false);
            trees = vault.Trees.Within(point);
            List<TreeEntry> roots = top.Directory is null ? top.Roots : [top.Directory];
            foreach (TreeEntry root in roots)
            {
                byte[] rootPath = top.IsSingle ? point.Roots[0].ToArray() : root.Name;
                // The only root is the top of all paths: it has none of its own.
                if (top.Directory is null && MatchesRoot(root, rootPath)) yield return new FoundEntry(point, PointEntry.Of(root.Name, root));
                if (!root.IsDirectory) continue;
                byte[] shown = top.IsSingle ? [] : root.Name;
                await foreach (TreeItem item in BelowAsync(root, rootPath, shown, cancellationToken).ConfigureAwait(false))
                {
                    yield return new FoundEntry(point, PointEntry.Of(item.Path, item.Entry));
                }
            }
        }
    }

    private async IAsyncEnumerable<TreeItem> BelowAsync(
        TreeEntry root, byte[] rootPath, byte[] shownRoot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var levels = new Stack<Level>();
        await EnterAsync(levels, root, [], rootPath, cancellationToken).ConfigureAwait(false);
        while (levels.TryPeek(out Level? level))
        {
            if (level.Next == level.Entries.Count)
            {
                Leave(levels);
                continue;
            }

            TreeEntry entry = level.Entries[level.Next++];
            byte[] path = TreePath.Join(level.Path, entry.Name);
            if (Matches(path, rootPath, entry.IsDirectory))
            {
                level.HasMatch = true;
                yield return new TreeItem(BytePath.Join(shownRoot, path), entry);
            }

            if (entry.IsDirectory) await EnterAsync(levels, entry, path, rootPath, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask EnterAsync(Stack<Level> levels, TreeEntry directory, byte[] path, byte[] rootPath, CancellationToken cancellationToken)
    {
        bool mayMatch = pattern.MayMatchBelow(path) || (pattern.MatchesAbsolute && pattern.MayMatchBelow(BytePath.Join(rootPath, path).AsSpan(1)));
        if (!mayMatch) return;
        (ChunkId, ChunkId)? key = null;
        if (directory.Content!.Items is [var only])
        {
            byte[] whole = BytePath.Join(rootPath, path);
            key = (only.Id, ChunkId.Decode(SHA256.HashData(whole)));
            if (barren.Contains(key.Value)) return;
        }

        List<TreeEntry> entries =
            await trees.ReadDirectoryAsync(directory.Content, isPointRoot: false, cancellationToken).ConfigureAwait(false);
        levels.Push(new Level(path, entries, key));
    }

    private void Leave(Stack<Level> levels)
    {
        Level left = levels.Pop();
        if (left.HasMatch && levels.TryPeek(out Level? parent)) parent.HasMatch = true;
        if (!left.HasMatch && left.Key is { } key && barren.Count < MaxBarren) barren.Add(key);
    }

    private bool MatchesRoot(TreeEntry root, byte[] rootPath) =>
        pattern.Matches(BytePath.FileName(rootPath), root.IsDirectory)
        || (pattern.MatchesAbsolute && pattern.Matches(rootPath.AsSpan(1), root.IsDirectory));

    private bool Matches(byte[] path, byte[] rootPath, bool isDirectory) =>
        pattern.Matches(path, isDirectory)
        || (pattern.MatchesAbsolute && pattern.Matches(BytePath.Join(rootPath, path).AsSpan(1), isDirectory));

    /// <summary>A directory on the way down.</summary>
    private sealed class Level(byte[] path, List<TreeEntry> entries, (ChunkId, ChunkId)? key)
    {
        /// <summary>Relative to the root.</summary>
        public byte[] Path => path;

        public List<TreeEntry> Entries => entries;

        public (ChunkId, ChunkId)? Key => key;

        public int Next { get; set; }

        public bool HasMatch { get; set; }
    }
}
