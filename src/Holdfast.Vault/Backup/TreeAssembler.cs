using System.Runtime.InteropServices;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Backup;

/// <summary>
/// Puts the new tree together in the order of the walk: waits for each file, closes each directory as it ends, and records
/// what differs from the base.
/// </summary>
internal sealed class TreeAssembler
{
    private const int MinPieceBytes = 16 << 10;
    private const int MaxPieceBytes = 256 << 10;
    private const uint PieceCutMask = 0x3F;
    private const int ChangePieceBytes = 128 << 10;

    private readonly BackupContext context;
    private readonly ChunkSink? trees;
    private readonly ContentWriter? contents;
    private readonly Stack<Folder> folders = new();
    private readonly ByteWriter piece = new(64 << 10);
    private readonly ByteWriter changes = new(16 << 10);
    private readonly List<ContentItem> changeItems = [];
    private readonly bool isSingleRoot;
    private long files;
    private long directories;
    private long others;
    private long bytes;
    private long added;
    private long changed;
    private long unmodified;
    private long deleted;

    /// <summary>Without a session nothing is written: a dry run.</summary>
    public TreeAssembler(BackupContext context, WriteSession? session)
    {
        this.context = context;
        isSingleRoot = context.IsSingleRoot;
        if (session is null) return;
        trees = context.NewTreeSink(session);
        contents = new ContentWriter(trees, context.Vault.TreeIdentity);
    }

    private CancellationToken Cancellation => context.Caller.Cancellation;

    /// <summary>Takes the walk's steps to the end and writes the root directory.</summary>
    /// <returns>The root directory and the change list as content.</returns>
    public async Task<(Content Tree, Content Changes)> RunAsync(WalkPages order)
    {
        folders.Push(new Folder(null, null, []));
        await foreach (WalkPage page in order.Reader.ReadAllAsync(Cancellation).ConfigureAwait(false))
        {
            for (int i = 0; i < page.Count; i++) await TakeAsync(page[i]).ConfigureAwait(false);
            order.Recycle(page);
        }

        Content tree = await CloseAsync(folders.Pop()).ConfigureAwait(false);
        await FlushChangesAsync().ConfigureAwait(false);
        Content list = contents is null ? Content.Empty : await contents.WriteAsync(changeItems, Cancellation).ConfigureAwait(false);
        trees?.Flush(Cancellation);
        return (tree, list);
    }

    public BackupCounts Counts => new()
    {
        Files = files,
        Directories = directories,
        Others = others,
        Bytes = bytes,
        FilesNew = added,
        FilesChanged = changed,
        FilesUnmodified = unmodified,
        FilesDeleted = deleted,
    };

    private async ValueTask TakeAsync(WalkItem item)
    {
        switch (item.Step)
        {
            case WalkStep.Enter:
                await EnterAsync(item.Entry!, item.Base).ConfigureAwait(false);
                break;
            case WalkStep.Leave:
                await LeaveAsync().ConfigureAwait(false);
                break;
            case WalkStep.Ready:
                await AddAsync(item.Entry!, item.Base).ConfigureAwait(false);
                break;
            case WalkStep.File:
                await AddFileAsync(item).ConfigureAwait(false);
                break;
            case WalkStep.Deleted:
                await AddDeletedAsync(item.Entry!, PathOf(item.Entry!)).ConfigureAwait(false);
                break;
        }
    }

    private async ValueTask AddFileAsync(WalkItem item)
    {
        if (item.Batch is not null) await item.Batch.Done.WaitAsync(Cancellation).ConfigureAwait(false);
        SourceFile file = item.File!;
        if (file.LinkOf is { } first)
        {
            file.Failed = first.Failed;
            if (file.Failed) context.Fail(file.Path, "another name of a file that could not be read");
            // One inode, so all but the name is the same; as it was when it was read.
            file.Entry.Attributes = first.Entry.Attributes;
            file.Entry.Content = first.Entry.Content;
            file.Entry.Xattrs = first.Entry.Xattrs;
            context.Progress.AddDone(1, file.Entry.Attributes.Size);
        }

        if (!file.Failed) await AddAsync(file.Entry, item.Base).ConfigureAwait(false);
        else if (item.Base is not null) await AddDeletedAsync(item.Base, PathOf(item.Base)).ConfigureAwait(false);
    }

    private async ValueTask EnterAsync(TreeEntry entry, TreeEntry? known)
    {
        byte[] path = PathOf(entry);
        if (known is null) await RecordAsync(ChangeKind.Added, path).ConfigureAwait(false);
        else if (entry != known && !entry.LooksLike(known)) await RecordAsync(ChangeKind.Modified, path).ConfigureAwait(false);
        if (known is { IsDirectory: false })
        {
            deleted++;
            if (path.Length == 0) await RecordAsync(ChangeKind.Deleted, PathOf(known)).ConfigureAwait(false);
        }

        folders.Push(new Folder(entry, known, path));
    }

    private async ValueTask LeaveAsync()
    {
        Folder folder = folders.Pop();
        TreeEntry entry = folder.Entry!;
        Content content = await CloseAsync(folder).ConfigureAwait(false);
        // Also a dry run must leave the base's entries as they are.
        if (entry != folder.Base) entry.Content = content;
        else if (!content.SameAs(entry.Content!)) entry = entry.With(content);
        directories++;
        await PutAsync(entry).ConfigureAwait(false);
    }

    private async ValueTask AddAsync(TreeEntry entry, TreeEntry? known)
    {
        files++;
        // Sparse files claim any size: all of them together may claim more than there is a number for.
        if (entry.Attributes.Kind == NodeKind.Regular) bytes = TreeAllowance.Sum(bytes, entry.Attributes.Size);
        else others++;
        if (known is null)
        {
            added++;
            await RecordAsync(ChangeKind.Added, PathOf(entry)).ConfigureAwait(false);
        }
        else if (entry == known || entry.LooksLike(known))
        {
            unmodified++;
        }
        else
        {
            changed++;
            byte[] path = PathOf(entry), knownPath = PathOf(known);
            // The only root of a point is listed by its name as a file, and not at all as a directory.
            await RecordAsync(knownPath.Length == 0 ? ChangeKind.Added : ChangeKind.Modified, path).ConfigureAwait(false);
            if (known.IsDirectory) await AddDeletedBelowAsync(known, knownPath).ConfigureAwait(false);
        }

        await PutAsync(entry).ConfigureAwait(false);
    }

    private async ValueTask AddDeletedAsync(TreeEntry entry, byte[] path)
    {
        if (!entry.IsDirectory) deleted++;
        await RecordAsync(ChangeKind.Deleted, path).ConfigureAwait(false);
        if (entry.IsDirectory) await AddDeletedBelowAsync(entry, path).ConfigureAwait(false);
    }

    private async ValueTask AddDeletedBelowAsync(TreeEntry directory, byte[] path)
    {
        try
        {
            await foreach (TreeItem item in TreeWalk.BelowAsync(context.BaseTrees, directory, path, Cancellation).ConfigureAwait(false))
            {
                if (!item.Entry.IsDirectory) deleted++;
                await RecordAsync(ChangeKind.Deleted, item.Path).ConfigureAwait(false);
            }
        }
        catch (DamageException damage)
        {
            context.Note(path, $"what else was deleted below it cannot be told: {damage.Message}");
        }
    }

    private async ValueTask RecordAsync(ChangeKind kind, byte[] path)
    {
        // The root itself is not listed by name.
        if (path.Length == 0) return;
        context.Request.OnChange?.Invoke(new TreeChange(kind, path));
        // A full has nothing that it differs from, so it records no changes.
        if (!context.Compares) return;
        if (changes.Length == 0) changes.U8((byte)TreeChunkKind.ChangeList);
        TreeChange.Encode(changes, kind, path);
        if (changes.Length >= ChangePieceBytes) await FlushChangesAsync().ConfigureAwait(false);
    }

    private async ValueTask FlushChangesAsync()
    {
        if (changes.Length == 0 || trees is null) return;
        ChunkId id = context.Vault.TreeIdentity.Of(changes.Written);
        await trees.AddAsync(id, changes.WrittenMemory, Cancellation).ConfigureAwait(false);
        changeItems.Add(ContentItem.Chunk(id, changes.Length));
        changes.Clear();
    }

    /// <summary>Adds an entry to the folder that is open; what makes a piece is written, so that a large directory needs no memory.</summary>
    private async ValueTask PutAsync(TreeEntry entry)
    {
        Folder folder = folders.Peek();
        if (trees is null) return;
        folder.Entries.Add(entry);
        folder.IsPiece &= entry.Piece is not null && entry.Piece == folder.Entries[0].Piece;
        folder.Weight += WeightOf(entry);
        if (IsCut(folder.Weight, entry)) await WritePieceAsync(folder).ConfigureAwait(false);
    }

    private async ValueTask WritePieceAsync(Folder folder)
    {
        TreePiece? known = folder.IsPiece ? folder.Entries[0].Piece : null;
        // All entries of a piece of the base, and no others: it is that piece.
        bool isKnown = known?.EntryCount == folder.Entries.Count
            && await trees!.TryReferenceAsync(known.Item.Id, Cancellation).ConfigureAwait(false);
        if (isKnown)
        {
            folder.Pieces.Add(known!.Item);
        }
        else
        {
            DirectoryCodec.Encode(piece, CollectionsMarshal.AsSpan(folder.Entries));
            ChunkId id = context.Vault.TreeIdentity.Of(piece.Written);
            await trees!.AddAsync(id, piece.WrittenMemory, Cancellation).ConfigureAwait(false);
            folder.Pieces.Add(ContentItem.Chunk(id, piece.Length));
        }

        folder.Entries.Clear();
        folder.Weight = 0;
        folder.IsPiece = true;
    }

    private async ValueTask<Content> CloseAsync(Folder folder)
    {
        if (folder.Entries.Count > 0) await WritePieceAsync(folder).ConfigureAwait(false);
        return contents is null ? Content.Empty : await contents.WriteAsync(folder.Pieces, Cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether a piece of a directory ends behind an entry.</summary>
    /// <param name="weight">Of all of the piece's entries, this one included.</param>
    /// <param name="entry">The last one.</param>
    internal static bool IsCut(int weight, TreeEntry entry) =>
        weight >= MaxPieceBytes || (weight >= MinPieceBytes && (Crc32C.Compute(entry.Name) & PieceCutMask) == 0);

    /// <summary>About how many bytes an entry takes in its piece.</summary>
    internal static int WeightOf(TreeEntry entry)
    {
        int weight = 40 + entry.Name.Length + ((entry.Content?.Items.Length ?? 0) * (ChunkId.Size + 4)) + (entry.Target?.Length ?? 0);
        foreach (Xattr xattr in entry.Xattrs) weight += xattr.Name.Length + xattr.Value.Length + 4;
        return weight;
    }

    /// <summary>The path by which the point knows an entry of the folder that is open now.</summary>
    private byte[] PathOf(TreeEntry entry)
    {
        Folder folder = folders.Peek();
        // The root of points: its entries are named by absolute paths.
        if (folder.Entry is null) return isSingleRoot ? entry.IsDirectory ? [] : FileNameOf(entry.Name) : entry.Name;
        return folder.Path.Length == 0 ? entry.Name : BytePath.Join(folder.Path, entry.Name);
    }

    private static byte[] FileNameOf(byte[] path) => path[(Array.LastIndexOf(path, (byte)'/') + 1)..];

    /// <summary>A directory of the new tree whose entries are still coming.</summary>
    private sealed record Folder(TreeEntry? Entry, TreeEntry? Base, byte[] Path)
    {
        /// <summary>Entries of the piece that is being filled.</summary>
        public List<TreeEntry> Entries { get; } = [];

        /// <summary>Whether all of them are of one piece of the base.</summary>
        public bool IsPiece { get; set; } = true;

        /// <summary>About how many bytes they will take.</summary>
        public int Weight { get; set; }

        /// <summary>The pieces written so far.</summary>
        public List<ContentItem> Pieces { get; } = [];
    }
}
