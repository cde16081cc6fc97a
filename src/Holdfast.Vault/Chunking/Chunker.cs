using System.Buffers.Binary;

namespace Holdfast.Vault.Chunking;

/// <summary>
/// Finds where content is cut: at the position with the smallest keyed hash of the eight bytes before it, so that cuts
/// move with the content and not with its offset (docs/formats/vault.md, "Where a file is cut").
/// </summary>
internal sealed class Chunker
{
    /// <summary>Shortest chunk, but for the last of a piece of content.</summary>
    public const int MinBytes = 16 << 10;

    /// <summary>Longest chunk.</summary>
    public const int MaxBytes = 112 << 10;

    private readonly ulong multiplier;
    private readonly uint whitening;

    /// <summary>Keys the cuts, so that chunk lengths say nothing about known files to who lacks the key.</summary>
    public Chunker(ReadOnlySpan<byte> key)
    {
        multiplier = BinaryPrimitives.ReadUInt64LittleEndian(key) | 1;
        whitening = BinaryPrimitives.ReadUInt32LittleEndian(key[8..]) | 0x8000_0000;
    }

    /// <summary>Length of the first chunk of <paramref name="content"/>.</summary>
    /// <param name="content">At least one byte; all that is left of the content, or at least <see cref="MaxBytes"/> of it.</param>
    public int FirstCut(ReadOnlySpan<byte> content)
    {
        int length = 0;
        Cut(content, isAll: true, new Span<int>(ref length));
        return length;
    }

    /// <summary>Cuts content into chunks, for less than chunk by chunk: no byte is hashed twice.</summary>
    /// <param name="content">From the start of a chunk on.</param>
    /// <param name="isAll">
    /// Whether the content ends here. If it goes on, the last bytes, fewer than <see cref="MaxBytes"/>, are left uncut.
    /// </param>
    /// <param name="lengths">Takes the lengths of the chunks in order; when it is full, what is left stays uncut.</param>
    /// <returns>How many chunks there are.</returns>
    public int Cut(ReadOnlySpan<byte> content, bool isAll, Span<int> lengths)
    {
        var scan = new HashScan(content, multiplier, whitening, stackalloc uint[(MaxBytes - MinBytes) / BlockMinima.Positions]);
        int count = 0;
        for (int start = 0; start < content.Length && count < lengths.Length; start += lengths[count++])
        {
            int left = content.Length - start;
            if (!isAll && left < MaxBytes) break;
            lengths[count] = left <= MinBytes
                ? left
                : scan.LastSmallest(start + MinBytes, start + Math.Min(MaxBytes, left)) - start;
        }

        return count;
    }
}
