using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Holdfast.Vault.Chunking;

namespace Holdfast.Vault.Indexing;

/// <summary>A blocked Bloom filter over chunk ids. Layout: docs/formats/vault.md, "Index".</summary>
internal sealed class IndexFilter
{
    private const int BlockWords = 8;
    private const int Probes = 6;
    private const int BitsPerChunk = 12;
    private readonly ulong[] words;
    private readonly uint blocks;

    private IndexFilter(ulong[] words)
    {
        this.words = words;
        blocks = (uint)(words.Length / BlockWords);
    }

    public int EncodedBytes => words.Length * sizeof(ulong);

    public static IndexFilter ForCount(int count) =>
        new(new ulong[Math.Max(1, (((long)count * BitsPerChunk) + 511) / 512) * BlockWords]);

    public static IndexFilter Decode(ReadOnlySpan<byte> source)
    {
        ulong[] words = GC.AllocateUninitializedArray<ulong>(source.Length / sizeof(ulong));
        source[..(words.Length * sizeof(ulong))].CopyTo(MemoryMarshal.AsBytes(words.AsSpan()));
        if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(words, words);
        return new IndexFilter(words);
    }

    public static int BlocksIn(IndexFilter filter) => (int)filter.blocks;

    public void Encode(Span<byte> target)
    {
        for (int i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(target[(i * sizeof(ulong))..], words[i]);
    }

    public void Add(in ChunkId id)
    {
        Span<ulong> block = Block(id);
        ulong bits = Bits(id);
        for (int probe = 0; probe < Probes; probe++, bits >>= 9) block[(int)(bits >> 6) & 7] |= 1UL << (int)(bits & 63);
    }

    public bool MayContain(in ChunkId id)
    {
        ReadOnlySpan<ulong> block = Block(id);
        ulong bits = Bits(id);
        for (int probe = 0; probe < Probes; probe++, bits >>= 9)
        {
            if ((block[(int)(bits >> 6) & 7] & (1UL << (int)(bits & 63))) == 0) return false;
        }

        return true;
    }

    private Span<ulong> Block(in ChunkId id) =>
        words.AsSpan((int)(((id.W0 >> 32) * blocks) >> 32) * BlockWords, BlockWords);

    // Bytes 4 to 11 of the id as a little-endian number.
    private static ulong Bits(in ChunkId id) => BinaryPrimitives.ReverseEndianness((id.W0 << 32) | (id.W1 >> 32));
}
