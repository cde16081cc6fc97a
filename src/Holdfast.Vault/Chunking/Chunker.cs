using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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

    private const int WindowBytes = 8;
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
        if (content.Length <= MinBytes) return content.Length;
        int last = Math.Min(content.Length, MaxBytes);
        return MinBytes + SmallestHash(content[(MinBytes - WindowBytes)..last]);
    }

    /// <summary>The last index i with the smallest hash of the 8 bytes at i.</summary>
    private int SmallestHash(ReadOnlySpan<byte> span)
    {
        ref byte start = ref MemoryMarshal.GetReference(span);
        int count = span.Length - WindowBytes + 1;
        ulong key = multiplier;
        uint mask = whitening;
        uint smallest = uint.MaxValue;
        int place = 0;
        for (int i = 0; i < count; i++)
        {
            ulong window = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i));
            if (!BitConverter.IsLittleEndian) window = BinaryPrimitives.ReverseEndianness(window);
            uint hash = (uint)((window * key) >> 32) ^ mask;
            if (hash <= smallest)
            {
                smallest = hash;
                place = i;
            }
        }

        return place;
    }
}
