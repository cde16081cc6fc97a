using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Holdfast.Vault.Chunking;

/// <summary>Finds the position with the smallest hash in one range of a content after the other.</summary>
/// <remarks>
/// The ranges of successive chunks overlap by half. So that no byte is hashed twice, the minima of whole blocks (of
/// <see cref="BlockMinima.Positions"/>, counted from the start of the content) are kept from range to range.
/// </remarks>
/// <param name="content">What is cut.</param>
/// <param name="key">Odd multiplier of the hash.</param>
/// <param name="mask">What the hash is xored with.</param>
/// <param name="minima">Room for as many blocks as lie in a range.</param>
internal ref struct HashScan(ReadOnlySpan<byte> content, ulong key, uint mask, Span<uint> minima)
{
    private readonly ReadOnlySpan<byte> content = content;
    private readonly Span<uint> minima = minima;
    private int firstBlock;
    private int blocks;

    /// <summary>The last position of those with the smallest hash.</summary>
    /// <param name="first">First position of the range; never smaller than the last time, and at least 8.</param>
    /// <param name="last">Last position of the range.</param>
    public int LastSmallest(int first, int last)
    {
        const int size = BlockMinima.Positions;
        int startBlock = (first + size - 1) / size, endBlock = (last + 1) / size;
        uint smallest = uint.MaxValue;
        if (startBlock >= endBlock) return Look(first, last + 1, first, ref smallest);

        int place = Look(first, startBlock * size, first, ref smallest);
        ReadOnlySpan<uint> found = Minima(startBlock, endBlock);
        uint smallestOfBlocks = BlockMinima.Smallest(found);
        if (smallestOfBlocks <= smallest)
        {
            int start = (startBlock + found.LastIndexOf(smallestOfBlocks)) * size;
            place = Look(start, start + size, place, ref smallest);
        }

        return Look(endBlock * size, last + 1, place, ref smallest);
    }

    /// <summary>The minima of these blocks, of which those known from the range before are only moved.</summary>
    private ReadOnlySpan<uint> Minima(int startBlock, int endBlock)
    {
        int passed = Math.Min(startBlock - firstBlock, blocks);
        minima[passed..blocks].CopyTo(minima);
        blocks -= passed;
        firstBlock = startBlock;

        int wanted = endBlock - startBlock;
        if (wanted > blocks)
        {
            int start = ((startBlock + blocks) * BlockMinima.Positions) - BlockMinima.WindowBytes;
            BlockMinima.Find(content[start..], key, mask, minima[blocks..wanted]);
            blocks = wanted;
        }

        return minima[..wanted];
    }

    /// <summary>Looks at each position from <paramref name="first"/> on for a hash that is as small as the smallest, or smaller.</summary>
    /// <returns>The last one found, else <paramref name="place"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly int Look(int first, int end, int place, ref uint smallest)
    {
        ref byte windows = ref MemoryMarshal.GetReference(content[(first - BlockMinima.WindowBytes)..(end - 1)]);
        uint known = smallest;
        for (int i = 0; i < end - first; i++)
        {
            uint hash = BlockMinima.Hash(ref Unsafe.Add(ref windows, i), key, mask);
            if (hash > known) continue;
            known = hash;
            place = first + i;
        }

        smallest = known;
        return place;
    }
}
