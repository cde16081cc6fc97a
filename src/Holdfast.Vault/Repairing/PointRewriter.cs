using Holdfast.Files;
using Holdfast.Vault.Backup;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;
using Holdfast.Vault.Writing;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// Writes a restore point anew without the files and the parts of directories that are lost, each of which is named; then
/// forgets the old one. What is the same is not written again. For one point at a time.
/// </summary>
internal sealed class PointRewriter(OpenVault vault, RepairRequest request, Action<string, string> tell)
{
    private readonly Stack<Folder> folders = new();
    private readonly ByteWriter piece = new(64 << 10);
    private WriteSession session = null!;
    private ChunkSink sink = null!;
    private ContentWriter contents = null!;
    private TreeReader trees = null!;
    private long files;
    private long directories;
    private long others;
    private long bytes;
    private long leftOut;

    /// <summary>Writes the point and forgets the old one.</summary>
    /// <returns>The id of the new one. When it returns, both are durable.</returns>
    public async Task<SessionId> RewriteAsync(RestorePoint old, CancellationToken cancellationToken)
    {
        trees = vault.Trees.Within(old);
        session = await WriteSession.BeginAsync(vault, request.Host, request.CompressionLevel, workers: 1, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            SessionId written;
            try
            {
                sink = new ChunkSink(session, ObjectKind.TreePack);
                contents = new ContentWriter(sink, vault.TreeIdentity);
                Content tree = await WalkAsync(old, cancellationToken).ConfigureAwait(false);
                sink.Flush(cancellationToken);
                await session.SealAsync(cancellationToken).ConfigureAwait(false);
                written = await CommitAsync(old, tree, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await session.AbandonAsync().ConfigureAwait(false);
                throw;
            }

            await session.EndAsync(CancellationToken.None).ConfigureAwait(false);
            var forget = new ForgetRequest { Points = [old.Id], Zone = TimeZoneInfo.Utc, AllowsEmptyGroups = true };
            await ForgetRun.RunAsync(vault, forget, cancellationToken).ConfigureAwait(false);
            return written;
        }
    }

    private async Task<SessionId> CommitAsync(RestorePoint old, Content tree, CancellationToken cancellationToken)
    {
        if (tree.Items.Length == 0) throw new DamageException(PointCodec.Name(old.Id), "nothing of it is left that a restore point could be made of");
        // One that was cut off before the old point was forgotten: the same tree has the same content.
        foreach (RestorePoint other in await RestorePoints.ListAsync(vault, cancellationToken).ConfigureAwait(false))
        {
            if (other.Id != old.Id && other.Time == old.EffectiveTime && other.IsOfSource(old.Source) && other.Tree.SameAs(tree)) return other.Id;
        }

        (ReferenceSet references, _) = await session.SettleAsync(cancellationToken).ConfigureAwait(false);
        await session.PutObjectAsync(ObjectKind.References, ReferenceSet.Name(session.Id), references.Encode(), cancellationToken).ConfigureAwait(false);
        RestorePoint point = old with
        {
            Id = session.Id,
            // What the client said counted for nothing so far; said by an admin, it would.
            Time = old.EffectiveTime,
            Kind = PointKind.Full,
            Base = null,
            References = session.Id,
            Tree = tree,
            Changes = Content.Empty,
            Counts = old.Counts with { Files = files, Directories = directories, Others = others, Bytes = bytes, Errors = old.Counts.Errors + leftOut },
        };
        await session.CommitAsync(PointCodec.Encode(point), cancellationToken).ConfigureAwait(false);
        return session.Id;
    }

    /// <summary>Goes through the tree; each directory is written when all below it is.</summary>
    private async Task<Content> WalkAsync(RestorePoint old, CancellationToken cancellationToken)
    {
        await EnterAsync([], null, old.Tree, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            Folder folder = folders.Peek();
            if (folder.Next == folder.Entries.Count)
            {
                folders.Pop();
                Content content = await CloseAsync(folder, cancellationToken).ConfigureAwait(false);
                if (folders.Count == 0) return content;
                TreeEntry entry = content.SameAs(folder.Entry!.Content!) ? folder.Entry : folder.Entry.With(content);
                folders.Peek().Keep(entry, isSame: entry == folder.Entry);
                directories++;
                continue;
            }

            TreeEntry next = folder.Entries[folder.Next++];
            byte[] path = TreePath.Join(folder.Path, next.Name);
            if (next.IsDirectory) await EnterAsync(path, next, next.Content!, cancellationToken).ConfigureAwait(false);
            else await TakeAsync(folder, path, next, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task EnterAsync(byte[] path, TreeEntry? entry, Content content, CancellationToken cancellationToken)
    {
        bool isWhole = true;
        List<TreeEntry> entries = await trees.ReadDirectoryAsync(content, isPointRoot: entry is null, cancellationToken, damage =>
        {
            isWhole = false;
            leftOut++;
            tell(BytePath.Display(path), $"entries of this directory are left out: {damage.Message}");
        }).ConfigureAwait(false);
        folders.Push(new Folder(path, entry, content, entries) { IsSame = isWhole });
    }

    private async Task TakeAsync(Folder folder, byte[] path, TreeEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Content is { } content && !await TryReferenceAsync(content, ObjectKind.DataPack, cancellationToken).ConfigureAwait(false))
        {
            leftOut++;
            folder.IsSame = false;
            tell(BytePath.Display(path), "is left out: some of its content is lost");
            return;
        }

        files++;
        if (entry.Attributes.Kind == NodeKind.Regular) bytes = TreeAllowance.Sum(bytes, entry.Attributes.Size);
        else others++;
        folder.Keep(entry, isSame: true);
    }

    /// <summary>Whether all chunks of a content are there, lists included; if so the new point refers to them.</summary>
    private async Task<bool> TryReferenceAsync(Content content, ObjectKind kind, CancellationToken cancellationToken)
    {
        if (content.Depth == 0) return await session.TryReferenceAsync(content.Items, kind, cancellationToken).ConfigureAwait(false);
        foreach (ContentItem list in content.Items)
        {
            if (!await session.TryReferenceAsync(list.Id, ObjectKind.TreePack, cancellationToken).ConfigureAwait(false)) return false;
            Content inner;
            try
            {
                inner = await trees.ReadListAsync(list, content.Depth, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException)
            {
                return false;
            }

            if (!await TryReferenceAsync(inner, kind, cancellationToken).ConfigureAwait(false)) return false;
        }

        return true;
    }

    private async Task<Content> CloseAsync(Folder folder, CancellationToken cancellationToken)
    {
        if (folder.IsSame && await TryReferenceAsync(folder.Content, ObjectKind.TreePack, cancellationToken).ConfigureAwait(false)) return folder.Content;
        var pieces = new List<ContentItem>();
        int first = 0, weight = 0;
        for (int i = 0; i < folder.Kept.Count; i++)
        {
            weight += TreeAssembler.WeightOf(folder.Kept[i]);
            if (i < folder.Kept.Count - 1 && !TreeAssembler.IsCut(weight, folder.Kept[i])) continue;
            DirectoryCodec.Encode(piece, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(folder.Kept)[first..(i + 1)]);
            ChunkId id = vault.TreeIdentity.Of(piece.Written);
            await sink.AddAsync(id, piece.WrittenMemory, cancellationToken).ConfigureAwait(false);
            pieces.Add(ContentItem.Chunk(id, piece.Length));
            first = i + 1;
            weight = 0;
        }

        return await contents.WriteAsync(pieces, cancellationToken).ConfigureAwait(false);
    }

    private sealed class Folder(byte[] path, TreeEntry? entry, Content content, List<TreeEntry> entries)
    {
        public byte[] Path { get; } = path;

        public TreeEntry? Entry { get; } = entry;

        public Content Content { get; } = content;

        public List<TreeEntry> Entries { get; } = entries;

        public int Next { get; set; }

        /// <summary>Whether everything in it is as it was, so far.</summary>
        public bool IsSame { get; set; } = true;

        /// <summary>The entries that it will have.</summary>
        public List<TreeEntry> Kept { get; } = [];

        public void Keep(TreeEntry kept, bool isSame)
        {
            Kept.Add(kept);
            IsSame &= isSame;
        }
    }
}
