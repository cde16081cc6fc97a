using Holdfast.Vault.Sealing;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Checking;

/// <summary>Finds the points and paths that lost chunks affect, by following only what leads to a loss.</summary>
internal sealed class EffectTrace(TreeGraph graph, ChunkReader chunks, LossMap losses, Findings findings, LostPlaces? places = null)
{
    public async Task TraceAsync(CheckedPoint point, CancellationToken cancellationToken)
    {
        TraceChanges(point);
        try
        {
            await TraceTreeAsync(point, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException damage)
        {
            // A tree without end: what was found so far is told.
            findings.Add(point.Name, damage).Affected.Add(point.Affected(AffectedKind.Tree));
        }
    }

    private async Task TraceTreeAsync(CheckedPoint point, CancellationToken cancellationToken)
    {
        var allowance = new TreeAllowance(point.Point);
        var pending = new Stack<(byte[] Path, Content Content, TreeUse Use)>();
        pending.Push(([], point.Point.Tree, TreeUse.Root));
        while (pending.TryPop(out (byte[] Path, Content Content, TreeUse Use) directory))
        {
            var entries = new List<TreeEntry>();
            await ReadAsync(point, directory.Path, directory.Content, directory.Use, entries, cancellationToken).ConfigureAwait(false);
            allowance.Take(entries);
            foreach (TreeEntry entry in entries)
            {
                if (entry.Content is not { } content) continue;
                byte[] path = TreePath.Join(directory.Path, entry.Name);
                if (entry.IsDirectory) pending.Push((path, content, TreeUse.Directory));
                else await TraceFileAsync(point, path, content, 0, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Adds the entries of a directory's pieces that lead to a loss; notes the pieces that are lost themselves.</summary>
    private async Task ReadAsync(
        CheckedPoint point, byte[] path, Content content, TreeUse use, List<TreeEntry> entries, CancellationToken cancellationToken)
    {
        foreach (ContentItem item in content.Items)
        {
            if (item.Kind != ContentItemKind.Chunk) continue;
            TreeKey key = graph.KeyOf(item, use, content.Depth);
            foreach (Finding reason in losses.Of(key.Number)) Add(reason, point, path, AffectedKind.Tree, null);
            if (await TryReadAsync(key, cancellationToken).ConfigureAwait(false) is not { } chunk) continue;
            if (content.Depth == 0) entries.AddRange(DirectoryCodec.Decode(chunk.Span, "tree chunk", use == TreeUse.Root));
            else await ReadAsync(point, path, TreeReader.DecodeList(chunk.Span, "tree chunk"), use, entries, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task TraceFileAsync(CheckedPoint point, byte[] path, Content content, long offset, CancellationToken cancellationToken)
    {
        foreach (ContentItem item in content.Items)
        {
            var range = new ByteRange(offset, item.TotalBytes);
            offset += item.TotalBytes;
            if (item.Kind == ContentItemKind.Hole) continue;
            if (content.Depth == 0)
            {
                int number = graph.NumberOf(item.Id, ObjectKind.DataPack);
                foreach (Finding reason in losses.Of(number)) Add(reason, point, path, AffectedKind.Data, range);
                if (losses.Of(number).Count > 0) places?.Add(number, new LostPlace(point.Point, path, new ByteRange(range.Offset, item.Length)));
                continue;
            }

            TreeKey key = graph.KeyOf(item, TreeUse.Data, content.Depth);
            foreach (Finding reason in losses.Of(key.Number)) Add(reason, point, path, AffectedKind.Tree, range);
            if (await TryReadAsync(key, cancellationToken).ConfigureAwait(false) is not { } chunk) continue;
            await TraceFileAsync(point, path, TreeReader.DecodeList(chunk.Span, "tree chunk"), range.Offset, cancellationToken).ConfigureAwait(false);
        }
    }

    private void TraceChanges(CheckedPoint point)
    {
        var pending = new Stack<int>(point.ChangesRoots);
        while (pending.TryPop(out int place))
        {
            TreeNode node = graph.Nodes[place];
            foreach (Finding reason in losses.Of(node.Key.Number)) Add(reason, point, [], AffectedKind.Changes, null);
            foreach (int child in node.Children) pending.Push(child);
        }
    }

    /// <summary>A tree chunk that can be read and leads to a loss; null for any other.</summary>
    private async Task<ReadOnlyMemory<byte>?> TryReadAsync(TreeKey key, CancellationToken cancellationToken)
    {
        if (losses.Of(key.Number).Count > 0 || !losses.LeadsToLoss(graph.PlaceOf(key))) return null;
        return await chunks.TryReadAsync(key.Number, cancellationToken).ConfigureAwait(false);
    }

    private static void Add(Finding reason, CheckedPoint point, byte[] path, AffectedKind kind, ByteRange? range)
    {
        // What belongs to one path is found in one go, so only the last entry can be continued.
        List<ByteRange>? ranges = null;
        if (reason.Affected.Count > 0 && reason.Affected[^1] is { } last
            && last.Point == point.Point.Id && last.Kind == kind && last.Path.Span.SequenceEqual(path))
        {
            ranges = (List<ByteRange>)last.Ranges;
        }

        if (ranges is null) reason.Affected.Add(new AffectedPath(point.Point.Id, path, kind, ranges = []));
        if (range is not { } added) return;
        if (ranges.Count > 0 && ranges[^1].Offset + ranges[^1].Length == added.Offset)
        {
            ranges[^1] = ranges[^1] with { Length = ranges[^1].Length + added.Length };
            return;
        }

        ranges.Add(added);
    }
}
