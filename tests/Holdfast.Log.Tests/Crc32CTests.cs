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

    [Fact]
    public void AgreesWithThePlainDefinitionAndWithAnySplit()
    {
        const int seed = 20260101;
        var random = new Random(seed);
        for (int length = 0; length < 300; length++)
        {
            byte[] source = new byte[length];
            random.NextBytes(source);
            uint expected = BitByBit(source);
            int at = random.Next(length + 1);

            Assert.True(expected == Crc32C.Compute(source), $"seed {seed}, length {length}");
            uint joined = Crc32C.Append(Crc32C.Compute(source.AsSpan(0, at)), source.AsSpan(at));
            Assert.True(expected == joined, $"seed {seed}, length {length}, split at {at}");
        }
    }

    /// The polynomial 0x1EDC6F41, bits reversed.
    private static uint BitByBit(byte[] source)
    {
        uint state = uint.MaxValue;
        foreach (byte b in source)
        {
            state ^= b;
            for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ ((state & 1) * 0x82F63B78);
        }

        return ~state;
    }
}
