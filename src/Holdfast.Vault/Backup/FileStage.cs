using System.Threading.Channels;
using Holdfast.Files;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Backup;

/// <summary>
/// A worker: takes a batch of files through everything (open, read, cut, name, deduplicate, compress, seal) on one core, so
/// that bytes stay in its cache.
/// </summary>
internal sealed class FileStage(BackupContext context, WriteSession session)
{
    private const int WindowBytes = 1 << 20;

    private readonly OpenVault vault = context.Vault;
    private readonly ChunkSink data = new(session, ObjectKind.DataPack);
    private readonly ChunkSink trees = new(session, ObjectKind.TreePack);
    private readonly byte[] window = GC.AllocateUninitializedArray<byte>(WindowBytes + Chunker.MaxBytes, pinned: true);
    private readonly List<ContentItem> items = [];
    private ContentWriter? contents;

    // Bytes of the file at hand that progress knows of.
    private long shown;

    private CancellationToken Cancellation => context.Caller.Cancellation;

    private ContentWriter Contents => contents ??= new ContentWriter(trees, vault.TreeIdentity);

    public async Task RunAsync(ChannelReader<FileBatch> work)
    {
        await foreach (FileBatch batch in work.ReadAllAsync(Cancellation).ConfigureAwait(false))
        {
            try
            {
                foreach (SourceFile file in batch.Files) await TakeAsync(file).ConfigureAwait(false);
                batch.SetDone();
            }
            catch (Exception error)
            {
                batch.SetFailed(error);
                throw;
            }
        }

        data.Flush(Cancellation);
        trees.Flush(Cancellation);
    }

    /// <summary>The worker of a dry run: reads nothing, so that a file whose attributes changed counts as changed.</summary>
    public static async Task RunDryAsync(BackupContext context, ChannelReader<FileBatch> work)
    {
        await foreach (FileBatch batch in work.ReadAllAsync(context.Caller.Cancellation).ConfigureAwait(false))
        {
            foreach (SourceFile file in batch.Files)
            {
                file.Entry.Content = file.Unchanged?.Content ?? Content.Empty;
                file.Entry.Xattrs = file.Unchanged?.Xattrs ?? [];
                file.Directory.Release();
                context.Progress.AddDone(1, file.Entry.Attributes.Size);
            }

            batch.SetDone();
        }
    }

    /// <summary>Reads a stream to its end as one file's content.</summary>
    public async Task<Content> ReadStreamAsync(Stream stream)
    {
        items.Clear();
        await CutAsync(async (offset, target) =>
        {
            int read = await stream.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, Cancellation).ConfigureAwait(false);
            return read;
        }, 0, long.MaxValue).ConfigureAwait(false);
        Content content = await Contents.WriteAsync(items, Cancellation).ConfigureAwait(false);
        data.Flush(Cancellation);
        trees.Flush(Cancellation);
        return content;
    }

    private async ValueTask TakeAsync(SourceFile file)
    {
        try
        {
            Cancellation.ThrowIfCancellationRequested();
            shown = 0;
            if (file.Entry.Attributes.Size > WindowBytes) context.Progress.Show(file.Path);
            if (file.Unchanged is null || !await TryReuseAsync(file, file.Unchanged).ConfigureAwait(false)) await ReadAsync(file).ConfigureAwait(false);
            // What was read counted as it was read; the rest are holes, and what was not read at all.
            context.Progress.AddDone(1, Math.Max(0, file.Entry.Attributes.Size - shown));
        }
        finally
        {
            file.Directory.Release();
        }
    }

    /// <summary>Takes over content and attributes from the base; false when the vault no longer has all of it.</summary>
    private async ValueTask<bool> TryReuseAsync(SourceFile file, TreeEntry known)
    {
        if (!await TryReferenceAsync(known.Content!).ConfigureAwait(false)) return false;
        file.Entry.Content = known.Content;
        if (known.Attributes.ChangeTime == file.Entry.Attributes.ChangeTime && known.Attributes.Inode == file.Entry.Attributes.Inode)
        {
            file.Entry.Xattrs = known.Xattrs;
            return true;
        }

        // The content is taken to be the same (--ignore-ctime, --ignore-inode); attributes may still have changed.
        IFileTree tree = file.Directory.Tree;
        Result<Node> node = await tree.LookupAsync(context.Caller, file.Directory.Node, file.OpenName).ConfigureAwait(false);
        if (!node.Ok) return false;
        (file.Entry.Xattrs, Errno error) = await XattrReader.ReadAsync(tree, context.Caller, node.Value.Id).ConfigureAwait(false);
        tree.Forget(node.Value.Id, 1);
        if (error != Errno.None) context.Fail(file.Path, $"extended attributes: {error.Describe()}");
        return true;
    }

    private async ValueTask<bool> TryReferenceAsync(Content content)
    {
        ObjectKind kind = content.Depth == 0 ? ObjectKind.DataPack : ObjectKind.TreePack;
        foreach (ContentItem item in content.Items)
        {
            if (item.Kind == ContentItemKind.Hole) continue;
            if (!await session.TryReferenceAsync(item.Id, kind, Cancellation).ConfigureAwait(false)) return false;
            if (content.Depth == 0) continue;
            try
            {
                Content inner = await vault.Trees.ReadListAsync(item, content.Depth, Cancellation).ConfigureAwait(false);
                if (!await TryReferenceAsync(inner).ConfigureAwait(false)) return false;
            }
            catch (DamageException)
            {
                // Then the file is read again, which heals the list.
                return false;
            }
        }

        return true;
    }

    private async ValueTask ReadAsync(SourceFile file)
    {
        IFileTree tree = file.Directory.Tree;
        UnixTime nextChange = context.NextChangeTime();
        Result<OpenedNode> opened = await tree.OpenAtAsync(
            context.Caller, file.Directory.Node, file.OpenName, new OpenRequest(OpenAccess.Read | OpenAccess.KeepAccessTime)).ConfigureAwait(false);
        if (!opened.Ok)
        {
            Fail(file, opened.Error == Errno.NoEntry ? "vanished before it was read" : opened.Error.Describe());
            return;
        }

        try
        {
            await ReadOpenAsync(file, tree, opened.Value, nextChange).ConfigureAwait(false);
        }
        finally
        {
            tree.Forget(opened.Value.Node.Id, 1);
            tree.Close(opened.Value.File);
        }
    }

    private async ValueTask ReadOpenAsync(SourceFile file, IFileTree tree, OpenedNode opened, UnixTime nextChange)
    {
        NodeAttributes before = opened.Node.Attributes;
        TreeEntry entry = file.Entry;
        (entry.Xattrs, Errno xattrError) = await XattrReader.ReadAsync(tree, context.Caller, opened.Node.Id).ConfigureAwait(false);
        if (xattrError != Errno.None) context.Fail(file.Path, $"extended attributes: {xattrError.Describe()}");
        items.Clear();
        Errno error = before.Size == 0 ? Errno.None : await ReadExtentsAsync(tree, opened.File, before).ConfigureAwait(false);
        if (error != Errno.None)
        {
            Fail(file, error.Describe());
            return;
        }

        entry.Content = await Contents.WriteAsync(items, Cancellation).ConfigureAwait(false);
        Result<NodeAttributes> after = await tree.GetOpenAttributesAsync(context.Caller, opened.File).ConfigureAwait(false);
        NodeAttributes kept = entry.Attributes;
        kept.Mode = before.Mode;
        kept.Uid = before.Uid;
        kept.Gid = before.Gid;
        kept.LinkCount = before.LinkCount;
        kept.Inode = before.Inode;
        kept.ModifyTime = before.ModifyTime;
        kept.ChangeTime = before.ChangeTime;
        kept.Size = entry.Content.TotalBytes;
        bool isSteady = after.Ok && after.Value.Size == before.Size && after.Value.ModifyTime == before.ModifyTime
            && after.Value.ChangeTime == before.ChangeTime && kept.Size == before.Size;
        if (!isSteady) context.Fail(file.Path, "changed while it was read: kept as it was read");
        if (!isSteady || BackupContext.MayChangeUnseen(before.ChangeTime, nextChange)) kept.ChangeTime = default;
        entry.Attributes = kept;
    }

    private async ValueTask<Errno> ReadExtentsAsync(IFileTree tree, OpenId open, NodeAttributes attributes)
    {
        // A file with as many blocks as bytes has no holes: no need to ask for them.
        if (attributes.AllocatedBytes >= attributes.Size) return (await ReadRangeAsync(tree, open, 0, attributes.Size).ConfigureAwait(false)).Error;
        long offset = 0;
        while (offset < attributes.Size)
        {
            Result<FileExtent> extent = await tree.FindExtentAsync(context.Caller, open, offset).ConfigureAwait(false);
            if (extent.Error == Errno.NoDevice) break;
            if (!extent.Ok) return extent.Error;
            long length = Math.Min(extent.Value.Length, attributes.Size - offset);
            if (extent.Value.IsHole)
            {
                items.Add(ContentItem.Hole(length));
            }
            else
            {
                (Errno error, long read) = await ReadRangeAsync(tree, open, offset, length).ConfigureAwait(false);
                // Where it was cut off meanwhile it ends, whatever grew behind that since: offsets would be wrong.
                if (error != Errno.None || read < length) return error;
            }

            offset += length;
        }

        return Errno.None;
    }

    private async ValueTask<(Errno Error, long Bytes)> ReadRangeAsync(IFileTree tree, OpenId open, long offset, long length)
    {
        Errno error = Errno.None;
        long bytes = await CutAsync(async (at, target) =>
        {
            Result<int> read = await tree.ReadAsync(context.Caller, open, at, target).ConfigureAwait(false);
            if (read.Ok) return read.Value;
            error = read.Error;
            return 0;
        }, offset, length).ConfigureAwait(false);
        return (error, bytes);
    }

    /// <summary>Reads a range window by window, cuts it into chunks and adds them; returns how much there was.</summary>
    private async ValueTask<long> CutAsync(Func<long, Memory<byte>, ValueTask<int>> readAsync, long offset, long length)
    {
        int start = 0, end = 0;
        long total = 0;
        bool atEnd = false;
        while (true)
        {
            if (!atEnd && end - start < Chunker.MaxBytes)
            {
                window.AsSpan(start, end - start).CopyTo(window);
                end -= start;
                start = 0;
                int wanted = (int)Math.Min(window.Length - end, length);
                int read = wanted == 0 ? 0 : await readAsync(offset, window.AsMemory(end, wanted)).ConfigureAwait(false);
                Cancellation.ThrowIfCancellationRequested();
                context.AddRead(read);
                context.Progress.AddDone(0, read);
                shown += read;
                offset += read;
                total += read;
                length -= read;
                end += read;
                atEnd = read < wanted || length == 0;
            }

            if (start == end) return total;
            int cut = vault.Chunker.FirstCut(window.AsSpan(start, end - start));
            ChunkId id = vault.DataIdentity.Of(window.AsSpan(start, cut));
            await data.AddAsync(id, window.AsMemory(start, cut), Cancellation).ConfigureAwait(false);
            AddItem(id, cut);
            start += cut;
        }
    }

    private void AddItem(in ChunkId id, int length)
    {
        if (items.Count > 0 && items[^1] is { Kind: not ContentItemKind.Hole } last && last.Id == id && last.Length == length)
        {
            items[^1] = last with { Kind = ContentItemKind.Run, Repeats = last.Repeats + 1 };
            return;
        }

        items.Add(ContentItem.Chunk(id, length));
    }

    private void Fail(SourceFile file, string message)
    {
        file.Failed = true;
        context.Fail(file.Path, message);
    }
}
