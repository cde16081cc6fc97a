using Holdfast.Vault.Chunking;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>Writes the content of files as what is new and what is copied from before, with its digest. For one thread at a time.</summary>
internal sealed class ContentExporter(OpenVault vault, FrameWriter frames) : IDisposable
{
    private readonly ContentDigest digest = new();
    private readonly List<(ContentItem Item, long Offset)> known = [];
    private readonly Dictionary<ChunkId, int> places = [];
    private CopyRecord? pending;
    private int pendingNext;

    /// <summary>The digest of a file in the vault.</summary>
    public async Task<byte[]> DigestAsync(Content content, CancellationToken cancellationToken)
    {
        await foreach (ContentItem item in vault.Trees.FlattenAsync(content, cancellationToken).ConfigureAwait(false))
        {
            await AppendAsync(item, cancellationToken).ConfigureAwait(false);
        }

        return digest.Finish();
    }

    /// <summary>Writes the records of a file's content.</summary>
    /// <param name="content">The content.</param>
    /// <param name="before">What the file has before; null when nothing can be copied.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task WriteAsync(Content content, Content? before, CancellationToken cancellationToken)
    {
        await LearnAsync(before, cancellationToken).ConfigureAwait(false);
        await foreach (ContentItem item in vault.Trees.FlattenAsync(content, cancellationToken).ConfigureAwait(false))
        {
            ReadOnlyMemory<byte> chunk = await AppendAsync(item, cancellationToken).ConfigureAwait(false);
            if (item.Kind != ContentItemKind.Hole && TryCopy(item)) continue;
            FlushCopy();
            if (item.Kind == ContentItemKind.Hole) ExportCodec.Encode(frames.Frame, new HoleRecord(item.Length));
            else ExportCodec.EncodeData(frames.Frame, chunk.Span, item.Repeats);
            await frames.EndRecordAsync(cancellationToken).ConfigureAwait(false);
        }

        FlushCopy();
        ExportCodec.Encode(frames.Frame, new ContentEndRecord(digest.Finish()));
        await frames.EndRecordAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => digest.Dispose();

    private async ValueTask<ReadOnlyMemory<byte>> AppendAsync(ContentItem item, CancellationToken cancellationToken)
    {
        if (item.Kind == ContentItemKind.Hole)
        {
            digest.AppendZeros(item.Length);
            return default;
        }

        ReadOnlyMemory<byte> chunk = await ContentPieces.ReadChunkAsync(vault, item, cancellationToken).ConfigureAwait(false);
        bool isZeros = !chunk.Span.ContainsAnyExcept((byte)0);
        if (isZeros) digest.AppendZeros(item.TotalBytes);
        for (long i = 0; i < item.Repeats && !isZeros; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            digest.Append(chunk.Span);
        }

        return chunk;
    }

    private async ValueTask LearnAsync(Content? before, CancellationToken cancellationToken)
    {
        known.Clear();
        places.Clear();
        if (before is null) return;
        long offset = 0;
        await foreach (ContentItem item in vault.Trees.FlattenAsync(before, cancellationToken).ConfigureAwait(false))
        {
            if (item.Kind != ContentItemKind.Hole) places.TryAdd(item.Id, known.Count);
            known.Add((item, offset));
            offset += item.TotalBytes;
        }
    }

    private bool TryCopy(ContentItem item)
    {
        // What goes on where the last copy ended makes it longer.
        if (pending is { Repeats: 1 } && pendingNext < known.Count && known[pendingNext].Item == item)
        {
            pending = pending with { Length = pending.Length + item.TotalBytes };
            pendingNext++;
            return true;
        }

        if (!places.TryGetValue(item.Id, out int place) || known[place].Item.Length != item.Length) return false;
        FlushCopy();
        (ContentItem found, long offset) = known[place];
        pending = found.Repeats >= item.Repeats
            ? new CopyRecord(offset, item.TotalBytes, 1)
            : new CopyRecord(offset, item.Length, item.Repeats);
        // Only a copy that ends where the known piece does can go on with the next.
        pendingNext = found.Repeats == item.Repeats ? place + 1 : known.Count;
        return true;
    }

    private void FlushCopy()
    {
        if (pending is not null) ExportCodec.Encode(frames.Frame, pending);
        pending = null;
    }
}
