using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;

namespace Holdfast.Vault.Indexing;

/// <summary>A blocked Bloom filter over chunk ids. Layout: docs/formats/vault.md, "Index".</summary>
internal sealed class IndexFilter : IDisposable
{
    private const int BlockWords = 8;
    private const int Probes = 6;
    private const int BitsPerChunk = 10;
    private readonly NativeBytes memory;
    private readonly uint blocks;

    private IndexFilter(NativeBytes memory)
    {
        this.memory = memory;
        blocks = (uint)(memory.Length / (BlockWords * sizeof(ulong)));
    }

    public int EncodedBytes => memory.Length;

    private Span<ulong> Words => MemoryMarshal.Cast<byte, ulong>(memory.GetSpan());

    public static IndexFilter ForCount(int count)
    {
        long blocks = Math.Max(1, (((long)count * BitsPerChunk) + 511) / 512);
        var memory = new NativeBytes((int)blocks * BlockWords * sizeof(ulong));
        memory.GetSpan().Clear();
        return new IndexFilter(memory);
    }

    public static IndexFilter Decode(ReadOnlySpan<byte> source)
    {
        var filter = new IndexFilter(new NativeBytes(source.Length));
        source.CopyTo(filter.memory.GetSpan());
        if (!BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(filter.Words, filter.Words);
        return filter;
    }

    public static int BlocksIn(IndexFilter filter) => (int)filter.blocks;

    public void Encode(Span<byte> target)
    {
        ReadOnlySpan<ulong> words = Words;
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

    public void Dispose() => memory.Dispose();

    private Span<ulong> Block(in ChunkId id) =>
        Words.Slice((int)(((id.W0 >> 32) * blocks) >> 32) * BlockWords, BlockWords);

    // Bytes 4 to 11 of the id as a little-endian number.
    private static ulong Bits(in ChunkId id) => BinaryPrimitives.ReverseEndianness((id.W0 << 32) | (id.W1 >> 32));
}
