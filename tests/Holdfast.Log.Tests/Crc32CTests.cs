namespace Holdfast.Log.Tests;

public sealed class Crc32CTests
{
    /// RFC 3720 appendix B.4.
    public static TheoryData<byte[], uint> Vectors => new()
    {
        { [], 0 },
        { new byte[32], 0x8A9136AA },
        { [.. Enumerable.Repeat((byte)0xFF, 32)], 0x62A8AB43 },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 0x46DD794E },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))], 0x113FDB5C },
        {
            [
                0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
                0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
            ],
            0xD9963A56
        },
        { [.. "123456789"u8], 0xE3069283 },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void AgreesWithPublishedVectors(byte[] source, uint expected) =>
        Assert.Equal(expected, Crc32C.Compute(source));

    [Theory]
    [InlineData(20260101)]
    public void AgreesWithThePlainDefinitionAndWithAnySplit(int seed)
    {
        var random = new Random(seed);
        byte[] source = new byte[4096 + 64];
        random.NextBytes(source);
        for (int length = 0; length <= 4096; length++)
        {
            int offset = random.Next(64);
            ReadOnlySpan<byte> part = source.AsSpan(offset, length);
            int at = random.Next(length + 1);

            uint expected = ~BitByBit(uint.MaxValue, part);
            bool agrees = expected == Crc32C.Compute(part) && expected == Crc32C.AppendByOne(0, part)
                && expected == Crc32C.Append(Crc32C.Compute(part[..at]), part[at..]);

            Assert.True(agrees, $"seed {seed}, length {length} at {offset}, split at {at}");
        }
    }

    [Theory]
    [InlineData(7)]
    public void AgreesWithThePlainDefinitionOfLongInput(int seed)
    {
        var random = new Random(seed);
        byte[] source = new byte[(1 << 20) + 7];
        random.NextBytes(source);
        foreach (int length in (int[])[4079, 4080, 4081, 8160 + 1008 + 7, 65_536, 100_003, 1 << 20])
        {
            int offset = random.Next(8);
            ReadOnlySpan<byte> part = source.AsSpan(offset, length);
            uint before = (uint)random.NextInt64();

            uint expected = ~BitByBit(~before, part);

            Assert.True(expected == Crc32C.Append(before, part), $"seed {seed}, length {length} at {offset}");
        }
    }

    /// The polynomial 0x1EDC6F41, bits reversed.
    private static uint BitByBit(uint state, ReadOnlySpan<byte> source)
    {
        foreach (byte b in source)
        {
            state ^= b;
            for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ ((state & 1) * 0x82F63B78);
        }

        return state;
    }
}
