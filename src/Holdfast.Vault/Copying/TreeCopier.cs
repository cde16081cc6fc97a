using System.Runtime.InteropServices;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Copying;

/// <summary>
/// Copies the tree of a point, and the chunks that it names, to another vault. Directories stay cut as they were, so that what
/// two points share stays shared. For one point, and one thread at a time.
/// </summary>
internal sealed class TreeCopier(OpenVault from, OpenVault to, WriteSession session, CopiedChunks chunks, WorkProgress progress)
{
    private readonly Stack<Folder> folders = new();
    private readonly ByteWriter piece = new(64 << 10);
    private readonly ChunkSink data = new(session, ObjectKind.DataPack);
    private readonly ChunkSink trees = new(session, ObjectKind.TreePack);
    private TreeReader reader = null!;
    private ContentWriter contents = null!;

    /// <summary>Copies all that a point needs; its packs are on their way when it returns.</summary>
    /// <returns>The point with its tree and changes as they are named in the other vault.</returns>
    /// <exception cref="DamageException">Something of it is not whole.</exception>
    public async Task<RestorePoint> CopyAsync(RestorePoint point, CancellationToken cancellationToken)
    {
        reader = from.Trees.Within(point);
        contents = new ContentWriter(trees, to.TreeIdentity);
        Content tree = await WalkAsync(point.Tree, cancellationToken).ConfigureAwait(false);
        Content changes = await CopyChangesAsync(point.Changes, cancellationToken).ConfigureAwait(false);
        data.Flush(cancellationToken);
        trees.Flush(cancellationToken);
        return point with { Tree = tree, Changes = changes };
    }

    /// <summary>Goes through the tree; each directory is written when all below it is.</summary>
    private async Task<Content> WalkAsync(Content tree, CancellationToken cancellationToken)
    {
        await EnterAsync([], null, tree, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            Folder folder = folders.Peek();
            if (folder.Next == folder.Entries.Count)
            {
                folders.Pop();
                Content content = await WriteDirectoryAsync(folder, cancellationToken).ConfigureAwait(false);
                if (folders.Count == 0) return content;
                Folder parent = folders.Peek();
                parent.Entries[parent.Next++] = Renamed(folder.Entry!, content);
                continue;
            }

            TreeEntry next = folder.Entries[folder.Next];
            byte[] path = TreePath.Join(folder.Path, next.Name);
            if (next.IsDirectory)
            {
                await EnterAsync(path, next, next.Content!, cancellationToken).ConfigureAwait(false);
                continue;
            }

            progress.Show(path);
            if (next.Content is { } file) folder.Entries[folder.Next] = Renamed(next, await CopyFileAsync(file, cancellationToken).ConfigureAwait(false));
            folder.Next++;
            progress.AddDone(1, TreeAllowance.SizeOf(next));
        }
    }

    private async Task EnterAsync(byte[] path, TreeEntry? entry, Content content, CancellationToken cancellationToken)
    {
        List<TreeEntry> entries = await reader.ReadDirectoryAsync(content, isPointRoot: entry is null, cancellationToken).ConfigureAwait(false);
        folders.Push(new Folder(path, entry, entries));
    }

    private async Task<Content> CopyFileAsync(Content file, CancellationToken cancellationToken)
    {
        var items = new List<ContentItem>(file.Items.Length);
        await foreach (ContentItem item in reader.FlattenAsync(file, cancellationToken).ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            items.Add(await chunks.CopyAsync(item, session, data, cancellationToken).ConfigureAwait(false));
        }

        return await contents.WriteAsync(items, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a directory whose entries name what is here, in the pieces that it was read in.</summary>
    private async Task<Content> WriteDirectoryAsync(Folder folder, CancellationToken cancellationToken)
    {
        var pieces = new List<ContentItem>();
        List<TreeEntry> entries = folder.Entries;
        for (int first = 0; first < entries.Count;)
        {
            int count = entries[first].Piece!.EntryCount;
            DirectoryCodec.Encode(piece, CollectionsMarshal.AsSpan(entries).Slice(first, count));
            pieces.Add(await AddTreeAsync(piece.WrittenMemory, cancellationToken).ConfigureAwait(false));
            first += count;
        }

        return await contents.WriteAsync(pieces, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Pieces of a list of changes name no chunks: they are copied as they are.</summary>
    private async Task<Content> CopyChangesAsync(Content changes, CancellationToken cancellationToken)
    {
        var pieces = new List<ContentItem>();
        // None is there twice: else a few chunks would make a list without end.
        var met = new HashSet<ChunkId>();
        await foreach (ContentItem item in reader.FlattenAsync(changes, cancellationToken).ConfigureAwait(false))
        {
            ReadOnlyMemory<byte> chunk = await from.TreeChunks.FetchAsync(item.Id, cancellationToken).ConfigureAwait(false);
            if (!met.Add(item.Id) || chunk.Length != item.Length || item.Kind != ContentItemKind.Chunk)
            {
                throw new DamageException($"tree chunk {item.Id}", "a piece of a change list of another length, or twice there");
            }

            pieces.Add(await AddTreeAsync(chunk, cancellationToken).ConfigureAwait(false));
        }

        return await contents.WriteAsync(pieces, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ContentItem> AddTreeAsync(ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        ChunkId id = to.TreeIdentity.Of(chunk.Span);
        await trees.AddAsync(id, chunk, cancellationToken).ConfigureAwait(false);
        return ContentItem.Chunk(id, chunk.Length);
    }

    /// <summary>The entry with content that is named otherwise, still of its piece.</summary>
    private static TreeEntry Renamed(TreeEntry entry, Content content)
    {
        TreeEntry renamed = entry.With(content);
        renamed.Piece = entry.Piece;
        return renamed;
    }

    private sealed class Folder(byte[] path, TreeEntry? entry, List<TreeEntry> entries)
    {
        public byte[] Path { get; } = path;

        public TreeEntry? Entry { get; } = entry;

        /// <summary>Those before <see cref="Next"/> name what is here.</summary>
        public List<TreeEntry> Entries { get; } = entries;

        public int Next { get; set; }
    }
}
