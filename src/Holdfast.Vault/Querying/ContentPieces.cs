using System.Runtime.CompilerServices;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Querying;

/// <summary>A piece of a file's content, in order.</summary>
/// <param name="Data">Verified bytes, valid for as long as the caller holds them; empty for a hole.</param>
/// <param name="HoleBytes">Length of a hole; else 0.</param>
/// <param name="Repeats">How often the piece follows itself, at least 1.</param>
internal readonly record struct ContentPiece(ReadOnlyMemory<byte> Data, long HoleBytes, long Repeats)
{
    public bool IsHole => HoleBytes > 0;
}

/// <summary>Reads the content of files chunk by chunk.</summary>
internal static class ContentPieces
{
    private static readonly byte[] Zeros = new byte[64 << 10];

    public static async IAsyncEnumerable<ContentPiece> ReadAsync(
        OpenVault vault, Content content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (ContentItem item in vault.Trees.FlattenAsync(content, cancellationToken).ConfigureAwait(false))
        {
            yield return item.Kind == ContentItemKind.Hole
                ? new ContentPiece(default, item.Length, 1)
                : new ContentPiece(await ReadChunkAsync(vault, item, cancellationToken).ConfigureAwait(false), 0, item.Repeats);
        }
    }

    /// <summary>The chunk of an item, with the length that the item says.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadChunkAsync(OpenVault vault, ContentItem item, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> chunk = await vault.DataChunks.FetchAsync(item.Id, cancellationToken).ConfigureAwait(false);
        if (chunk.Length == item.Length) return chunk;
        throw new DamageException($"chunk {item.Id}", $"{chunk.Length} bytes, {item.Length} expected");
    }

    /// <summary>Writes all content to a stream, holes as zeros.</summary>
    public static async Task CopyAsync(OpenVault vault, Content content, Stream target, CancellationToken cancellationToken)
    {
        await foreach (ContentPiece piece in ReadAsync(vault, content, cancellationToken).ConfigureAwait(false))
        {
            for (long i = 0; i < piece.Repeats && !piece.IsHole; i++) await target.WriteAsync(piece.Data, cancellationToken).ConfigureAwait(false);
            for (long left = piece.HoleBytes; left > 0; left -= Zeros.Length)
            {
                await target.WriteAsync(Zeros.AsMemory(0, (int)Math.Min(left, Zeros.Length)), cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
