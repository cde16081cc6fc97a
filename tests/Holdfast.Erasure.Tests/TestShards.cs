using System.Runtime.InteropServices;

namespace Holdfast.Erasure.Tests;

/// Shards in native memory, each at another alignment and between bytes that nobody may change.
internal sealed unsafe class TestShards : IDisposable
{
    private const int GuardBytes = 64;
    private const byte Guard = 0xA5;

    private readonly byte* memory;
    private readonly nint[] pointers;
    private readonly int strideBytes;

    public TestShards(int count, int length, int alignment)
    {
        Length = length;
        // An odd stride takes the shards through all alignments.
        strideBytes = ((length + GuardBytes) | 1) + 2;
        int bytes = (count * strideBytes) + (2 * GuardBytes) + alignment;
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(memory, bytes).Fill(Guard);
        pointers = new nint[count];
        for (int i = 0; i < count; i++) pointers[i] = (nint)memory + GuardBytes + alignment + (i * strideBytes);
    }

    public int Length { get; }

    public ReadOnlySpan<nint> Pointers => pointers;

    public Span<byte> this[int shard] => new((byte*)pointers[shard], Length);

    /// Random data, and parity of it by ISA-L.
    public static TestShards Encoded(Random random, int dataShards, int parityShards, int length)
    {
        var shards = new TestShards(dataShards + parityShards, length, random.Next(64));
        for (int i = 0; i < dataShards; i++) random.NextBytes(shards[i]);
        byte[] matrix = new byte[(dataShards + parityShards) * dataShards];
        byte[] tables = new byte[IsaL.TableBytes * dataShards * parityShards];
        fixed (byte* rows = matrix, prepared = tables)
        fixed (nint* all = shards.pointers)
        {
            IsaL.WriteCauchyMatrix(rows, dataShards + parityShards, dataShards);
            IsaL.WriteTables(dataShards, parityShards, rows + (dataShards * dataShards), prepared);
            IsaL.Encode(length, dataShards, parityShards, prepared, (byte**)all, (byte**)all + dataShards);
        }

        return shards;
    }

    public ReadOnlySpan<nint> Of(ReadOnlySpan<int> shards)
    {
        nint[] chosen = new nint[shards.Length];
        for (int i = 0; i < shards.Length; i++) chosen[i] = pointers[shards[i]];
        return chosen;
    }

    public void AssertEqual(TestShards expected, int shard, string context) =>
        Assert.True(this[shard].SequenceEqual(expected[shard]), $"{context}: shard {shard} differs");

    /// Nothing was written beside the shards.
    public void AssertGuards(string context)
    {
        for (int i = 0; i < pointers.Length; i++)
        {
            var before = new ReadOnlySpan<byte>((byte*)pointers[i] - GuardBytes, GuardBytes);
            var after = new ReadOnlySpan<byte>((byte*)pointers[i] + Length, GuardBytes);
            bool isWhole = !before.ContainsAnyExcept(Guard) && !after.ContainsAnyExcept(Guard);
            Assert.True(isWhole, $"{context}: written beside shard {i}");
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(memory);
}
