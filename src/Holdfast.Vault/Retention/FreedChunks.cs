using System.Numerics;
using Holdfast.Vault.Packing;
using Holdfast.Vault.Points;

namespace Holdfast.Vault.Retention;

/// <summary>Chunks that some points need and others do not. References go in one after the other: first of those, then of these.</summary>
/// <remarks>
/// A bit for each chunk of a pack that is needed in part, none for a pack that is needed whole, and about 80 bytes a pack:
/// about 10 MB for 50 million chunks, whatever the number of points.
/// </remarks>
internal sealed class FreedChunks
{
    // Stands for all chunks of a pack.
    private static readonly ulong[] Whole = [];
    private readonly Dictionary<PackId, (int ChunkCount, ulong[] Bits)> packs = [];

    /// <summary>Packs of which a chunk comes free: how many of how many.</summary>
    public IEnumerable<(PackId Pack, int Freed, int ChunkCount)> Packs
    {
        get
        {
            foreach ((PackId pack, (int chunkCount, ulong[] bits)) in packs) yield return (pack, CountOf(bits, chunkCount), chunkCount);
        }
    }

    /// <summary>Whether a chunk comes free.</summary>
    public bool Contains(PackId pack, int ordinal) =>
        packs.TryGetValue(pack, out (int ChunkCount, ulong[] Bits) known) && ordinal < known.ChunkCount
        && (known.Bits == Whole || (known.Bits[ordinal / 64] & (1UL << (ordinal % 64))) != 0);

    /// <summary>Adds what a point needs that is to be dropped.</summary>
    public void Add(ReferenceReader references)
    {
        while (references.MoveNext())
        {
            ulong[]? known = packs.TryGetValue(references.Pack, out (int ChunkCount, ulong[] Bits) entry) ? entry.Bits : null;
            if (known == Whole) continue;
            if (references.IsWhole)
            {
                packs[references.Pack] = (references.ChunkCount, Whole);
                continue;
            }

            ulong[] bits = known ?? new ulong[(references.ChunkCount + 63) / 64];
            for (int i = 0; i < bits.Length; i++) bits[i] |= WordOf(references, i);
            packs[references.Pack] = (references.ChunkCount, bits);
        }
    }

    /// <summary>Takes out what a point needs that is kept.</summary>
    public void Remove(ReferenceReader references)
    {
        while (references.MoveNext())
        {
            if (!packs.TryGetValue(references.Pack, out (int ChunkCount, ulong[] Bits) known)) continue;
            if (references.IsWhole)
            {
                packs.Remove(references.Pack);
                continue;
            }

            ulong[] bits = known.Bits == Whole ? AllOf(known.ChunkCount) : known.Bits;
            ulong left = 0;
            for (int i = 0; i < bits.Length; i++) left |= bits[i] &= ~WordOf(references, i);
            if (left == 0) packs.Remove(references.Pack);
            else packs[references.Pack] = known with { Bits = bits };
        }
    }

    private static ulong WordOf(in ReferenceReader references, int index)
    {
        ulong word = 0;
        ReadOnlySpan<byte> bytes = references.Bitmap[Math.Min(index * 8, references.Bitmap.Length)..];
        for (int i = 0; i < Math.Min(8, bytes.Length); i++) word |= (ulong)bytes[i] << (8 * i);
        // What is written behind the last chunk says nothing.
        int chunksBehind = references.ChunkCount - (index * 64);
        return chunksBehind >= 64 ? word : chunksBehind <= 0 ? 0 : word & ((1UL << chunksBehind) - 1);
    }

    private static ulong[] AllOf(int chunkCount)
    {
        ulong[] bits = new ulong[(chunkCount + 63) / 64];
        Array.Fill(bits, ulong.MaxValue);
        if (chunkCount % 64 != 0) bits[^1] = (1UL << (chunkCount % 64)) - 1;
        return bits;
    }

    private static int CountOf(ulong[] bits, int chunkCount)
    {
        if (bits == Whole) return chunkCount;
        int count = 0;
        foreach (ulong word in bits) count += BitOperations.PopCount(word);
        return count;
    }
}
