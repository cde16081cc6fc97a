using System.Runtime.CompilerServices;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Checking;
using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Repairing;

/// <summary>
/// A vault that names content otherwise: the ranges of files where a lost chunk stood are read from its points of the same
/// source, the nearest in time first.
/// </summary>
internal sealed class OtherVaultSpare(OpenVault from) : ChunkSpare
{
    /// <summary>So many points are asked for one place: a file mostly changes between few of them.</summary>
    private const int MostPoints = 4;

    private IReadOnlyList<RestorePoint>? points;

    // The file that was asked for last: what is lost of one is lost in a row.
    private (SessionId Point, byte[] Path) openedOf;
    private List<(long Offset, ContentItem Item)>? opened;

    public override string Name => from.Address;

    public override async IAsyncEnumerable<ReadOnlyMemory<byte>> CandidatesAsync(
        LostChunk chunk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        points ??= await RestorePoints.ListAsync(from, cancellationToken).ConfigureAwait(false);
        foreach (LostPlace place in chunk.Places)
        {
            IEnumerable<RestorePoint> nearest = points
                .Where(point => point.IsOfSource(place.Point.Source))
                .OrderBy(point => (point.Time - place.Point.Time).Duration()).Take(MostPoints);
            foreach (RestorePoint point in nearest)
            {
                if (await TryReadAsync(point, place, cancellationToken).ConfigureAwait(false) is { } content) yield return content;
            }
        }
    }

    private async Task<ReadOnlyMemory<byte>?> TryReadAsync(RestorePoint point, LostPlace place, CancellationToken cancellationToken)
    {
        try
        {
            if (opened is null || openedOf.Point != point.Id || !openedOf.Path.AsSpan().SequenceEqual(place.Path))
            {
                openedOf = (point.Id, place.Path);
                opened = await OpenAsync(point, place.Path, cancellationToken).ConfigureAwait(false);
            }

            return opened is null ? null : await ReadAsync(opened, place.Range, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (DamageException.IsLoss(error))
        {
            // Damaged there too, here at least.
            return null;
        }
    }

    /// <summary>The content of a file with offsets; null where the point has no such file.</summary>
    private async Task<List<(long Offset, ContentItem Item)>?> OpenAsync(RestorePoint point, byte[] path, CancellationToken cancellationToken)
    {
        PointTop top = await PointTop.ReadAsync(from, point, cancellationToken).ConfigureAwait(false);
        PointPlace? found = await top.FindAsync(from.Trees.Within(point), path, cancellationToken).ConfigureAwait(false);
        if (found?.Entry is not { Attributes.Kind: NodeKind.Regular, Content: { } content }) return null;
        var items = new List<(long Offset, ContentItem Item)>();
        long offset = 0;
        await foreach (ContentItem item in from.Trees.FlattenAsync(content, cancellationToken).ConfigureAwait(false))
        {
            items.Add((offset, item));
            offset += item.TotalBytes;
        }

        return items;
    }

    private async Task<ReadOnlyMemory<byte>?> ReadAsync(
        List<(long Offset, ContentItem Item)> items, ByteRange range, CancellationToken cancellationToken)
    {
        byte[] content = new byte[range.Length];
        long end = range.Offset + range.Length;
        int i = items.FindLastIndex(item => item.Offset <= range.Offset);
        if (i < 0 || items[^1].Offset + items[^1].Item.TotalBytes < end) return null;
        for (long at = range.Offset; at < end;)
        {
            (long offset, ContentItem item) = items[i];
            long inItem = at - offset;
            if (inItem >= item.TotalBytes)
            {
                i++;
                continue;
            }

            // One repetition of the chunk at a time; a hole is zeros, as the target is.
            long inChunk = inItem % item.Length;
            int count = (int)Math.Min(item.Length - inChunk, end - at);
            if (item.Kind != ContentItemKind.Hole)
            {
                ReadOnlyMemory<byte> chunk = await ContentPieces.ReadChunkAsync(from, item, cancellationToken).ConfigureAwait(false);
                chunk.Slice((int)inChunk, count).CopyTo(content.AsMemory((int)(at - range.Offset)));
            }

            at += count;
        }

        return content;
    }
}
