using Holdfast.Vault.Querying;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>Reads a file in the vault at any offset, each chunk verified. Memory: 48 bytes a chunk of it. For one thread at a time.</summary>
internal sealed class KnownBytes(OpenVault vault, Content content)
{
    private readonly List<ContentItem> items = [];
    private readonly List<long> offsets = [];
    private bool isListed;

    /// <summary>Reads some bytes, at least one unless the file ends there.</summary>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (!isListed) await ListAsync(cancellationToken).ConfigureAwait(false);
        int place = offsets.BinarySearch(offset);
        if (place < 0) place = ~place - 1;
        if (place < 0) return 0;
        ContentItem item = items[place];
        long within = offset - offsets[place];
        if (within >= item.TotalBytes) return 0;
        if (item.Kind == ContentItemKind.Hole)
        {
            int zeros = (int)Math.Min(target.Length, item.Length - within);
            target.Span[..zeros].Clear();
            return zeros;
        }

        ReadOnlyMemory<byte> chunk = await ContentPieces.ReadChunkAsync(vault, item, cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<byte> rest = chunk[(int)(within % item.Length)..];
        int taken = Math.Min(target.Length, rest.Length);
        rest[..taken].CopyTo(target);
        return taken;
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        long offset = 0;
        await foreach (ContentItem item in vault.Trees.FlattenAsync(content, cancellationToken).ConfigureAwait(false))
        {
            items.Add(item);
            offsets.Add(offset);
            offset += item.TotalBytes;
        }

        isListed = true;
    }
}
