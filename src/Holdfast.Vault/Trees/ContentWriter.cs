using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Trees;

/// <summary>Puts long content into chunk lists, so that a tree entry stays small. For one thread at a time.</summary>
internal sealed class ContentWriter(ChunkSink trees, ChunkIdentity identity)
{
    private const int MinItems = 64;
    private const ulong CutMask = 0xFF;
    private readonly ByteWriter buffer = new(64 << 10);

    /// <summary>Content of these items: inline where they are few, else through lists cut by their ids, so that an edit changes few lists.</summary>
    public async ValueTask<Content> WriteAsync(List<ContentItem> items, CancellationToken cancellationToken)
    {
        if (items.Count == 0) return Content.Empty;
        int depth = 0;
        List<ContentItem> level = items;
        while (level.Count > Content.MaxInlineItems && depth < Content.MaxDepth)
        {
            level = await WriteListsAsync(level, depth, cancellationToken).ConfigureAwait(false);
            depth++;
        }

        return new Content(depth, [.. level]);
    }

    private async ValueTask<List<ContentItem>> WriteListsAsync(List<ContentItem> items, int depth, CancellationToken cancellationToken)
    {
        var lists = new List<ContentItem>((items.Count / MinItems) + 1);
        int first = 0;
        for (int i = 0; i < items.Count; i++)
        {
            int count = i + 1 - first;
            bool isCut = count == Content.MaxItems || i == items.Count - 1 || (count >= MinItems && (items[i].Id.W2 & CutMask) == 0);
            if (!isCut) continue;
            var list = new Content(depth, [.. items.GetRange(first, count)]);
            buffer.Clear();
            buffer.U8((byte)TreeChunkKind.ChunkList);
            list.Encode(buffer);
            ChunkId id = identity.Of(buffer.Written);
            await trees.AddAsync(id, buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
            lists.Add(ContentItem.Chunk(id, list.TotalBytes));
            first = i + 1;
        }

        return lists;
    }
}
