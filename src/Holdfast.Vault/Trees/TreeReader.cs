using System.Runtime.CompilerServices;
using Holdfast.Files;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Trees;

/// <summary>Reads directories, chunk lists and change lists of a vault. May be used from any thread.</summary>
internal sealed class TreeReader(ChunkFetcher chunks, TreeAllowance? allowance = null)
{
    /// <summary>A reader for one operation on some points: it reads no more of directories than they can have.</summary>
    public TreeReader Within(params ReadOnlySpan<RestorePoint> points) => new(chunks, new TreeAllowance(points));

    /// <summary>All entries of a directory, in the order of their names.</summary>
    /// <param name="directory">Its content.</param>
    /// <param name="isPointRoot">Whether it is a point's root, whose names are paths.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <param name="onLost">Told of each piece that cannot be read, whose entries are then left out; null to throw.</param>
    /// <exception cref="DamageException">A piece of it is missing, broken, or out of order.</exception>
    public async ValueTask<List<TreeEntry>> ReadDirectoryAsync(
        Content directory, bool isPointRoot, CancellationToken cancellationToken, Action<DamageException>? onLost = null)
    {
        if (onLost is null && directory is { Depth: 0, Items: [var only] }) return await ReadPieceAsync(only, isPointRoot, cancellationToken).ConfigureAwait(false);
        var all = new List<TreeEntry>();
        await foreach (ContentItem item in FlattenAsync(directory, cancellationToken, onLost).ConfigureAwait(false))
        {
            List<TreeEntry> piece;
            try
            {
                piece = await ReadPieceAsync(item, isPointRoot, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException damage) when (onLost is not null)
            {
                onLost(damage);
                continue;
            }

            if (all.Count > 0 && all[^1].Name.AsSpan().SequenceCompareTo(piece[0].Name) >= 0)
            {
                throw new DamageException($"tree chunk {item.Id}", "its names are not behind those of the piece before");
            }

            all.AddRange(piece);
        }

        return all;
    }

    private async ValueTask<List<TreeEntry>> ReadPieceAsync(ContentItem item, bool isPointRoot, CancellationToken cancellationToken)
    {
        if (item.Kind != ContentItemKind.Chunk) throw new DamageException("directory", "holds a hole or a run");
        ReadOnlyMemory<byte> chunk = await FetchAsync(item, cancellationToken).ConfigureAwait(false);
        List<TreeEntry> entries = DirectoryCodec.Decode(chunk.Span, $"tree chunk {item.Id}", isPointRoot);
        // Else a list that names one empty piece over and over would never come to an end.
        if (entries.Count == 0) throw new DamageException($"tree chunk {item.Id}", "a piece of a directory without entries");
        allowance?.Take(entries);
        var piece = new TreePiece(item, entries.Count);
        foreach (TreeEntry entry in entries) entry.Piece = piece;
        return entries;
    }

    /// <summary>The entries of a point's root directory: its roots, or those of them that could be read when the backup was made.</summary>
    public async Task<List<TreeEntry>> ReadRootsAsync(
        RestorePoint point, CancellationToken cancellationToken, Action<DamageException>? onLost = null)
    {
        DamageException? lost = null;
        List<TreeEntry> roots = await Within(point).ReadDirectoryAsync(
            point.Tree, isPointRoot: true, cancellationToken, onLost is null ? null : damage => lost ??= damage).ConfigureAwait(false);
        if (lost is not null)
        {
            if (roots.Count == 0) throw lost;
            onLost!(lost);
        }

        foreach (TreeEntry root in roots)
        {
            bool isRoot = point.Roots.Any(path => path.Span.SequenceEqual(root.Name));
            if (!isRoot) throw new DamageException(PointCodec.Name(point.Id), $"its tree begins at {BytePath.Display(root.Name)}, which is none of its roots");
        }

        return roots;
    }

    /// <summary>The items of content at depth 0, lists resolved, in order.</summary>
    /// <param name="content">Of any depth.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <param name="onLost">Told of each list that cannot be read, which is then left out; null to throw.</param>
    public async IAsyncEnumerable<ContentItem> FlattenAsync(
        Content content, [EnumeratorCancellation] CancellationToken cancellationToken, Action<DamageException>? onLost = null)
    {
        if (content.Depth == 0)
        {
            foreach (ContentItem item in content.Items) yield return item;
            yield break;
        }

        foreach (ContentItem list in content.Items)
        {
            Content inner;
            try
            {
                inner = await ReadListAsync(list, content.Depth, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException damage) when (onLost is not null)
            {
                onLost(damage);
                continue;
            }

            await foreach (ContentItem item in FlattenAsync(inner, cancellationToken, onLost).ConfigureAwait(false)) yield return item;
        }
    }

    /// <summary>Opens one chunk list and checks its depth and length against what its item says.</summary>
    public async Task<Content> ReadListAsync(ContentItem list, int depth, CancellationToken cancellationToken)
    {
        string thing = $"tree chunk {list.Id}";
        if (list.Kind != ContentItemKind.Chunk) throw new DamageException(thing, "a chunk list cannot be a hole or a run");
        ReadOnlyMemory<byte> chunk = await chunks.FetchAsync(list.Id, cancellationToken).ConfigureAwait(false);
        Content inner = DecodeList(chunk.Span, thing);
        // Depth falls with each level, so that a hostile vault cannot make a cycle.
        if (inner.Depth != depth - 1 || inner.TotalBytes != list.Length)
        {
            throw new DamageException(thing, $"chunk list of depth {inner.Depth} for {inner.TotalBytes} bytes, {depth - 1} and {list.Length} expected");
        }

        return inner;
    }

    /// <summary>The changes that a point recorded against its base, in path order.</summary>
    public async IAsyncEnumerable<TreeChange> ReadChangesAsync(Content list, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // No path changes twice, so no piece is there twice: else a few chunks would make a list without end.
        var met = new HashSet<ChunkId>();
        await foreach (ContentItem item in FlattenAsync(list, cancellationToken).ConfigureAwait(false))
        {
            ReadOnlyMemory<byte> chunk = await FetchAsync(item, cancellationToken).ConfigureAwait(false);
            if (!met.Add(item.Id) || chunk.Length < 2) throw new DamageException($"tree chunk {item.Id}", "a piece of a change list that is empty or twice there");
            foreach (TreeChange change in TreeChange.DecodeList(chunk.Span, $"tree chunk {item.Id}")) yield return change;
        }
    }

    /// <summary>Decodes a tree chunk that is a chunk list.</summary>
    public static Content DecodeList(ReadOnlySpan<byte> chunk, string thing)
    {
        var reader = new ByteReader(chunk, thing);
        if (reader.U8() != (byte)TreeChunkKind.ChunkList) throw reader.Damage("no chunk list where one is expected");
        Content content = Content.Decode(ref reader);
        reader.ExpectEnd();
        return content;
    }

    private async ValueTask<ReadOnlyMemory<byte>> FetchAsync(ContentItem item, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> chunk = await chunks.FetchAsync(item.Id, cancellationToken).ConfigureAwait(false);
        if (chunk.Length != item.Length) throw new DamageException($"tree chunk {item.Id}", $"{chunk.Length} bytes, {item.Length} expected");
        return chunk;
    }
}
