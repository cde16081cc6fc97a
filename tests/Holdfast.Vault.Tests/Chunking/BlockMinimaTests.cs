using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using Holdfast.Vault.Chunking;

namespace Holdfast.Vault.Tests.Chunking;

/// Goal: every way to compute the minima gives what the formula of docs/formats/vault.md gives, position by position.
public sealed class BlockMinimaTests
{
    private delegate void Kernel(ReadOnlySpan<byte> content, ulong key, uint mask, Span<uint> minima);

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void TheScalarKernelFollowsTheFormula(int seed) => Compare(BlockMinima.FindScalar, seed);

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void The256BitKernelFollowsTheFormula(int seed)
    {
        Assert.SkipUnless(Avx2.IsSupported, "this processor has no AVX2");
        Compare(BlockMinima.FindBy256, seed);
    }

    /// Where the processor has no 512 bits, the runtime makes the vectors up from smaller ones.
    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void The512BitKernelFollowsTheFormula(int seed) => Compare(BlockMinima.FindBy512, seed);

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void TheKernelOfThisProcessorFollowsTheFormula(int seed) => Compare(BlockMinima.Find, seed);

    [Fact]
    public void ContentShorterThanItsBlocksIsRefused()
    {
        byte[] content = new byte[(2 * BlockMinima.Positions) + BlockMinima.WindowBytes - 2];
        foreach (Kernel kernel in (Kernel[])[BlockMinima.FindScalar, BlockMinima.FindBy256, BlockMinima.FindBy512, BlockMinima.Find])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => kernel(content, 1, 0, new uint[2]));
        }
    }

    [Fact]
    public void TheSmallestOfNumbersIsFoundWhereverItLies()
    {
        const int seed = 3;
        var random = new Random(seed);
        for (int count = 0; count < 40; count++)
        {
            uint[] values = [.. Enumerable.Range(0, count).Select(_ => (uint)random.NextInt64(1, 1L << 32))];
            Assert.True(values.Append(uint.MaxValue).Min() == BlockMinima.Smallest(values), $"seed {seed}, {count} values");
            for (int i = 0; i < count; i++)
            {
                uint[] with = [.. values];
                with[i] = 0;
                Assert.True(BlockMinima.Smallest(with) == 0, $"seed {seed}, {count} values, smallest at {i}");
            }
        }
    }

    private static void Compare(Kernel kernel, int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            ulong key = (ulong)random.NextInt64() << 1 | 1;
            uint mask = (uint)random.Next() | 0x8000_0000;
            int blocks = round % 9, offset = round % 67;
            byte[] content = Contents.Any(random, offset + (blocks * BlockMinima.Positions) + BlockMinima.WindowBytes - 1);
            uint[] minima = new uint[blocks + 1];
            minima[blocks] = 7;

            kernel(content.AsSpan(offset), key, mask, minima.AsSpan(0, blocks));

            Assert.True(minima[blocks] == 7, $"seed {seed}, round {round}: wrote past the end");
            for (int block = 0; block < blocks; block++)
            {
                Assert.True(
                    ByFormula(content.AsSpan(offset + (block * BlockMinima.Positions)), key, mask) == minima[block],
                    $"seed {seed}, round {round}, block {block}");
            }
        }
    }

    private static uint ByFormula(ReadOnlySpan<byte> content, ulong key, uint mask)
    {
        uint smallest = uint.MaxValue;
        for (int i = 0; i < BlockMinima.Positions; i++)
        {
            ulong window = BinaryPrimitives.ReadUInt64LittleEndian(content[i..]);
            smallest = Math.Min(smallest, (uint)(unchecked(window * key) >> 32) ^ mask);
        }

        return smallest;
    }
}
