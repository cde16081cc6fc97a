using System.Threading.Channels;
using Holdfast.Files;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Backup;

/// <summary>
/// A worker: takes a batch of files through everything (open, read, cut, name, deduplicate, compress, seal) on one core, so
/// that bytes stay in its cache.
/// </summary>
internal sealed class FileStage : IDisposable
{
    private const int LargeBytes = 1 << 20;

    private readonly BackupContext context;
    private readonly WriteSession session;
    private readonly ChunkSink data;
    private readonly ChunkSink trees;
    private readonly ContentCutter cutter;
    private readonly OpenFile open;

    public FileStage(BackupContext context, WriteSession session)
    {
        this.context = context;
        this.session = session;
        data = new ChunkSink(session, ObjectKind.DataPack);
        trees = context.NewTreeSink(session);
        cutter = new ContentCutter(context, session, data, new ContentWriter(trees, context.Vault.TreeIdentity));
        open = new OpenFile(context.Caller);
    }

    private CancellationToken Cancellation => context.Caller.Cancellation;

    public async Task RunAsync(ChannelReader<FileBatch> work)
    {
        await foreach (FileBatch batch in work.ReadAllAsync(Cancellation).ConfigureAwait(false))
        {
            try
            {
                foreach (SourceFile file in batch.Files) await TakeAsync(file).ConfigureAwait(false);
                await cutter.FlushAsync().ConfigureAwait(false);
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

    /// <summary>Reads a stream to its end as the content of an entry.</summary>
    public async Task ReadStreamAsync(Stream stream, TreeEntry entry, Content? known)
    {
        await cutter.BeginAsync(long.MaxValue, known).ConfigureAwait(false);
        await cutter.AddAsync(new StreamContent(stream, Cancellation), 0, long.MaxValue).ConfigureAwait(false);
        cutter.Finish(entry);
        await cutter.EndAsync().ConfigureAwait(false);
        await cutter.FlushAsync().ConfigureAwait(false);
        data.Flush(Cancellation);
        trees.Flush(Cancellation);
    }

    public void Dispose() => cutter.Dispose();

    private async ValueTask TakeAsync(SourceFile file)
    {
        try
        {
            Cancellation.ThrowIfCancellationRequested();
            if (file.Entry.Attributes.Size > LargeBytes) context.Progress.Show(file.Path);
            await cutter.BeginAsync(file.Entry.Attributes.Size, file.Base?.Content).ConfigureAwait(false);
            if (file.Unchanged is null || !await TryReuseAsync(file, file.Unchanged).ConfigureAwait(false)) await ReadAsync(file).ConfigureAwait(false);
            // What was read counted as it was read; the rest are holes, and what was not read at all.
            context.Progress.AddDone(1, Math.Max(0, file.Entry.Attributes.Size - cutter.BytesRead));
        }
        finally
        {
            await cutter.EndAsync().ConfigureAwait(false);
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

        // The content is taken to be the same (--ignore-ctime, --ignore-inode); attributes may still have changed. The ctime stays
        // the one at which it was read: who does not ignore it will read the file again.
        file.Entry.Attributes.ChangeTime = known.Attributes.ChangeTime;
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
        if (content.Depth == 0) return await session.TryReferenceAsync(content.Items, ObjectKind.DataPack, Cancellation).ConfigureAwait(false);
        foreach (ContentItem list in content.Items)
        {
            if (!await trees.TryReferenceAsync(list.Id, Cancellation).ConfigureAwait(false)) return false;
            try
            {
                Content inner = await context.BaseTrees.ReadListAsync(list, content.Depth, Cancellation).ConfigureAwait(false);
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
        Errno error = before.Size == 0 ? Errno.None : await ReadExtentsAsync(tree, opened.File, before).ConfigureAwait(false);
        if (error != Errno.None)
        {
            Fail(file, error.Describe());
            return;
        }

        Result<NodeAttributes> after = await tree.GetOpenAttributesAsync(context.Caller, opened.File).ConfigureAwait(false);
        NodeAttributes kept = entry.Attributes;
        kept.Mode = before.Mode;
        kept.Uid = before.Uid;
        kept.Gid = before.Gid;
        kept.LinkCount = before.LinkCount;
        kept.Inode = before.Inode;
        kept.ModifyTime = before.ModifyTime;
        kept.ChangeTime = before.ChangeTime;
        kept.Size = cutter.Length;
        bool isSteady = after.Ok && after.Value.Size == before.Size && after.Value.ModifyTime == before.ModifyTime
            && after.Value.ChangeTime == before.ChangeTime && kept.Size == before.Size;
        if (!isSteady) context.Fail(file.Path, "changed while it was read: kept as it was read");
        if (!isSteady || BackupContext.MayChangeUnseen(before.ChangeTime, nextChange)) kept.ChangeTime = default;
        entry.Attributes = kept;
        cutter.Finish(entry);
    }

    private async ValueTask<Errno> ReadExtentsAsync(IFileTree tree, OpenId file, NodeAttributes attributes)
    {
        open.Begin(tree, file);
        // A file with as many blocks as bytes has no holes: no need to ask for them.
        if (attributes.AllocatedBytes >= attributes.Size)
        {
            await cutter.AddAsync(open, 0, attributes.Size).ConfigureAwait(false);
            return open.Error;
        }

        long offset = 0;
        while (offset < attributes.Size)
        {
            Result<FileExtent> extent = await tree.FindExtentAsync(context.Caller, file, offset).ConfigureAwait(false);
            if (extent.Error == Errno.NoDevice) break;
            if (!extent.Ok) return extent.Error;
            long length = Math.Min(extent.Value.Length, attributes.Size - offset);
            if (extent.Value.IsHole)
            {
                cutter.AddHole(length);
            }
            else
            {
                long read = await cutter.AddAsync(open, offset, length).ConfigureAwait(false);
                // Where it was cut off meanwhile it ends, whatever grew behind that since: offsets would be wrong.
                if (open.Error != Errno.None || read < length) return open.Error;
            }

            offset += length;
        }

        return Errno.None;
    }

    private void Fail(SourceFile file, string message)
    {
        file.Failed = true;
        context.Fail(file.Path, message);
    }

    /// <summary>The file that is being read.</summary>
    private sealed class OpenFile(Caller caller) : ContentSource
    {
        private IFileTree? tree;
        private OpenId file;

        /// <summary>Why reading ended early, if it did.</summary>
        public Errno Error { get; private set; }

        public void Begin(IFileTree of, OpenId opened)
        {
            tree = of;
            file = opened;
            Error = Errno.None;
        }

        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> target)
        {
            Result<int> read = await tree!.ReadAsync(caller, file, offset, target).ConfigureAwait(false);
            if (read.Ok) return read.Value;
            Error = read.Error;
            return 0;
        }
    }

    private sealed class StreamContent(Stream stream, CancellationToken cancellationToken) : ContentSource
    {
        public override async ValueTask<int> ReadAsync(long offset, Memory<byte> target) =>
            await stream.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
    }
}
