using Holdfast.Vault.Backup;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Exporting;

/// <summary>Stores the content of files of an export, cut as a backup to the vault cuts it. For one thread at a time.</summary>
internal sealed class FileImporter : IDisposable
{
    private readonly BackupContext context;
    private readonly WriteSession session;
    private readonly ExportSurvey survey;
    private readonly ChunkSink data;
    private readonly ChunkSink trees;
    private readonly ContentCutter cutter;
    private readonly ContentDigest digest = new();

    public FileImporter(BackupContext context, WriteSession session, ExportSurvey survey)
    {
        this.context = context;
        this.session = session;
        this.survey = survey;
        data = new ChunkSink(session, ObjectKind.DataPack);
        trees = new ChunkSink(session, ObjectKind.TreePack);
        cutter = new ContentCutter(context, session, data, new ContentWriter(trees, context.Vault.TreeIdentity));
    }

    private CancellationToken Cancellation => context.Caller.Cancellation;

    /// <summary>Stores the content that follows the record at hand; the cursor stands at its end afterwards.</summary>
    /// <param name="records">Stands at the step that writes the file.</param>
    /// <param name="entry">Gets the content.</param>
    /// <param name="known">What the file has before; null for nothing.</param>
    public async ValueTask WriteAsync(RecordCursor records, TreeEntry entry, Content? known)
    {
        long size = entry.Attributes.Size;
        var extent = new ImportedExtent(records, known is null ? null : new KnownBytes(context.Vault, known), digest, survey, size, Cancellation);
        await cutter.BeginAsync(size, known).ConfigureAwait(false);
        try
        {
            await records.MoveNextAsync().ConfigureAwait(false);
            while (records.Current is not ContentEndRecord)
            {
                await AddAsync(records, extent, size).ConfigureAwait(false);
            }

            bool fits = digest.Finish().AsSpan().SequenceEqual(((ContentEndRecord)records.Current).Digest);
            if (!fits || cutter.Length != size) throw survey.Malformed($"a file of {size} bytes whose content, of {cutter.Length} bytes, is not what its digest says");
            cutter.Finish(entry);
        }
        finally
        {
            await cutter.EndAsync().ConfigureAwait(false);
        }

        await cutter.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Makes the point need content that the vault has; where it may not be relied on, it is stored anew.</summary>
    public async ValueTask KeepAsync(Content content)
    {
        bool isData = content.Depth == 0;
        foreach (ContentItem item in content.Items)
        {
            if (item.Kind == ContentItemKind.Hole) continue;
            if (!await session.TryReferenceAsync(item.Id, isData ? ObjectKind.DataPack : ObjectKind.TreePack, Cancellation).ConfigureAwait(false))
            {
                ReadOnlyMemory<byte> chunk = isData
                    ? await ContentPieces.ReadChunkAsync(context.Vault, item, Cancellation).ConfigureAwait(false)
                    : await context.Vault.TreeChunks.FetchAsync(item.Id, Cancellation).ConfigureAwait(false);
                await (isData ? data : trees).AddAsync(item.Id, chunk, Cancellation).ConfigureAwait(false);
            }

            if (!isData) await KeepAsync(await context.Vault.Trees.ReadListAsync(item, content.Depth, Cancellation).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <summary>Sends the packs that were begun on their way.</summary>
    public void Flush()
    {
        data.Flush(Cancellation);
        trees.Flush(Cancellation);
    }

    public void Dispose()
    {
        cutter.Dispose();
        digest.Dispose();
    }

    private async ValueTask AddAsync(RecordCursor records, ImportedExtent extent, long size)
    {
        if (records.Current is not HoleRecord hole)
        {
            await cutter.AddAsync(extent, 0, long.MaxValue).ConfigureAwait(false);
            return;
        }

        if (hole.Length > size - cutter.Length) throw survey.Malformed("a file with more content than it has bytes");
        cutter.AddHole(hole.Length);
        digest.AppendZeros(hole.Length);
        await records.MoveNextAsync().ConfigureAwait(false);
    }
}
