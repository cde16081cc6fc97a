using System.Runtime.CompilerServices;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Trees;

/// <summary>Reads directories, chunk lists and change lists of a vault. May be used from any thread.</summary>
internal sealed class TreeReader(ChunkFetcher chunks)
{
    /// <summary>All entries of a directory, in the order of their names.</summary>
    /// <param name="directory">Its content.</param>
    /// <param name="isPointRoot">Whether it is a point's root, whose names are paths.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    /// <param name="onLost">Told of each piece that cannot be read, whose entries are then left out; null to throw.</param>
    /// <exception cref="DamageException">A piece of it is missing, broken, or out of order.</exception>
    public async Task<List<TreeEntry>> ReadDirectoryAsync(
        Content directory, bool isPointRoot, CancellationToken cancellationToken, Action<DamageException>? onLost = null)
    {
        List<TreeEntry>? all = null;
        await foreach (ContentItem item in FlattenAsync(directory, cancellationToken).ConfigureAwait(false))
        {
            if (item.Kind != ContentItemKind.Chunk) throw new DamageException("directory", "holds a hole or a run");
            ReadOnlyMemory<byte> chunk;
            try
            {
                chunk = await FetchAsync(item, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException damage) when (onLost is not null)
            {
                onLost(damage);
                continue;
            }

            List<TreeEntry> piece = DirectoryCodec.Decode(chunk.Span, $"tree chunk {item.Id}", isPointRoot);
            // Else a list that names one empty piece over and over would never come to an end.
            if (piece.Count == 0) throw new DamageException($"tree chunk {item.Id}", "a piece of a directory without entries");
            if (all is null)
            {
                all = piece;
                continue;
            }

            if (all[^1].Name.AsSpan().SequenceCompareTo(piece[0].Name) >= 0)
            {
                throw new DamageException($"tree chunk {item.Id}", "its names are not behind those of the piece before");
            }

            all.AddRange(piece);
        }

        return all ?? [];
    }

    /// <summary>The items of content at depth 0, lists resolved, in order.</summary>
    public async IAsyncEnumerable<ContentItem> FlattenAsync(Content content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (content.Depth == 0)
        {
            foreach (ContentItem item in content.Items) yield return item;
            yield break;
        }

        foreach (ContentItem list in content.Items)
        {
            Content inner = await ReadListAsync(list, content.Depth, cancellationToken).ConfigureAwait(false);
            await foreach (ContentItem item in FlattenAsync(inner, cancellationToken).ConfigureAwait(false)) yield return item;
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
        await foreach (ContentItem item in FlattenAsync(list, cancellationToken).ConfigureAwait(false))
        {
            ReadOnlyMemory<byte> chunk = await FetchAsync(item, cancellationToken).ConfigureAwait(false);
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
