using System.Text;
using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Tests.Keydirs;

/// <summary>The hash of a key: as its document says, and spread evenly in the bits that the keydir uses.</summary>
public class KeyHashTests
{
    private const int PartitionBits = 10;
    private const int CollisionBits = 42;

    public static TheoryData<string> Families => ["counted", "text", "upper byte", "both ends", "zeros"];

    [Theory]
    [InlineData("", 0, 0x6BB86332679746E5)]
    [InlineData("61", 0, 0x876507B713F749A0)]
    [InlineData("30313233343536373839616263646566", 0x0123456789ABCDEF, 0xADAD2BF5CC8B686D)]
    [InlineData("hundred", 1, 0x4443879EF0460A56)]
    public void TheHashIsThatOfTheDocument(string key, ulong seed, ulong expected)
    {
        byte[] bytes = key == "hundred"
            ? [.. Enumerable.Range(0, 100).Select(i => (byte)i)]
            : Convert.FromHexString(key);

        Assert.Equal(expected, KeyHash.Of(bytes, seed));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void KeysOfAnyLengthAndAlignmentAreHashedAsSpelledOut(int seed)
    {
        var random = new Random(seed);
        byte[] buffer = new byte[320];
        random.NextBytes(buffer);
        ulong hashSeed = (ulong)random.NextInt64();
        for (int length = 0; length <= 300; length++)
        {
            for (int offset = 0; offset < 9; offset++)
            {
                ReadOnlySpan<byte> key = buffer.AsSpan(offset, length);
                bool isSame = SpelledOut(key, hashSeed) == KeyHash.Of(key, hashSeed);
                Assert.True(isSame, $"seed {seed}, length {length}, at {offset}");
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(11)]
    [InlineData(16)]
    [InlineData(40)]
    public void EachBitOfKeyAndSeedChangesEachBitOfTheHashHalfOfTheTime(int length)
    {
        const int Samples = 1_500;
        var random = new Random(length);
        byte[] key = new byte[length];
        int[,] flips = new int[(length * 8) + 64, 64];
        for (int sample = 0; sample < Samples; sample++)
        {
            random.NextBytes(key);
            ulong seed = (ulong)random.NextInt64() ^ ((ulong)sample << 63);
            ulong before = KeyHash.Of(key, seed);
            for (int bit = 0; bit < flips.GetLength(0); bit++)
            {
                ulong changed = before ^ HashWithBitFlipped(key, seed, bit);
                for (int i = 0; i < 64; i++)
                {
                    flips[bit, i] += (int)((changed >> i) & 1);
                }
            }
        }

        // Seven standard deviations; the seed is fixed, so this does not fail by chance.
        double bound = 7 * Math.Sqrt(Samples) / 2;
        for (int bit = 0; bit < flips.GetLength(0); bit++)
        {
            for (int i = 0; i < 64; i++)
            {
                Assert.True(
                    Math.Abs(flips[bit, i] - (Samples / 2.0)) < bound,
                    $"length {length}: bit {bit} of key and seed changes bit {i} in {flips[bit, i]} of {Samples}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void SimilarKeysCollideNoMoreThanByChance(string family)
    {
        const int Count = 600_000;
        ulong[] hashes = Hashes(family, Count);
        Array.Sort(hashes);
        int collisions = 0;
        for (int i = 1; i < Count; i++)
        {
            collisions += hashes[i] >> (64 - CollisionBits) == hashes[i - 1] >> (64 - CollisionBits) ? 1 : 0;
        }

        // By chance 0.04: n² / 2 / 2⁴².
        Assert.True(collisions <= 2, $"{family}: {collisions} collisions");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void SimilarKeysFillThePartitionsEvenly(string family)
    {
        const int Count = 300_000;
        int[] counts = new int[1 << PartitionBits];
        foreach (ulong hash in Hashes(family, Count))
        {
            counts[hash >> (64 - PartitionBits)]++;
        }

        double expected = (double)Count / counts.Length;
        double chiSquare = counts.Sum(count => (count - expected) * (count - expected) / expected);

        // 1,023 degrees of freedom: mean 1,023, standard deviation 45.
        Assert.InRange(chiSquare, 1_023 - (6 * 45), 1_023 + (6 * 45));
    }

    private static ulong[] Hashes(string family, int count)
    {
        ulong[] hashes = new ulong[count];
        for (int i = 0; i < count; i++)
        {
            hashes[i] = KeyHash.Of(Key(family, i), 0);
        }

        return hashes;
    }

    private static byte[] Key(string family, int i)
    {
        byte[] key;
        switch (family)
        {
            case "counted":
                return BitConverter.GetBytes((long)i);
            case "text":
                return Encoding.ASCII.GetBytes($"user:{i:D9}");
            case "upper byte":
                key = new byte[24];
                key[7] = (byte)i;
                key[15] = (byte)(i >> 8);
                key[23] = (byte)(i >> 16);
                return key;
            case "both ends":
                key = new byte[33];
                BitConverter.TryWriteBytes(key, (ushort)(i % 1_000));
                BitConverter.TryWriteBytes(key.AsSpan(31), (ushort)(i / 1_000));
                return key;
            default:
                // Zeros, more and more, but for one bit.
                key = new byte[1 + (i / 8 % 280) + (i / 2_240 * 2)];
                key[i / 8 % 280] = (byte)(1 << (i % 8));
                return key;
        }
    }

    private static ulong HashWithBitFlipped(byte[] key, ulong seed, int bit)
    {
        if (bit >= key.Length * 8)
        {
            return KeyHash.Of(key, seed ^ (1UL << (bit - (key.Length * 8))));
        }

        key[bit / 8] ^= (byte)(1 << (bit % 8));
        ulong hash = KeyHash.Of(key, seed);
        key[bit / 8] ^= (byte)(1 << (bit % 8));
        return hash;
    }

    private static ulong SpelledOut(ReadOnlySpan<byte> key, ulong seed)
    {
        const ulong A = 0x243F6A8885A308D3;
        const ulong B = 0xA4093822299F31D0;
        const ulong C = 0x082EFA98EC4E6C89;
        int length = key.Length;
        ulong state = seed ^ A;
        int done = 0;
        while (length - done > 16)
        {
            state = Folded(Number(key, done, 8) ^ B, Number(key, done + 8, 8) ^ state);
            done += 16;
        }

        (ulong first, ulong second) = length switch
        {
            0 => (0UL, 0UL),
            < 4 => (key[0] + (256UL * key[length / 2]) + (65_536UL * key[length - 1]), 0UL),
            < 8 => (Number(key, 0, 4), Number(key, length - 4, 4)),
            < 16 => (Number(key, 0, 8), Number(key, length - 8, 8)),
            _ => (Number(key, length - 16, 8), Number(key, length - 8, 8)),
        };
        first ^= B;
        second ^= state;
        UInt128 product = (UInt128)first * second;
        return Folded((ulong)product ^ first ^ (ulong)length ^ C, (ulong)(product >> 64) ^ second ^ A);
    }

    private static ulong Folded(ulong left, ulong right)
    {
        UInt128 product = (UInt128)left * right;
        return (ulong)product ^ (ulong)(product >> 64) ^ left ^ right;
    }

    private static ulong Number(ReadOnlySpan<byte> source, int offset, int bytes)
    {
        ulong number = 0;
        for (int i = bytes - 1; i >= 0; i--)
        {
            number = (number * 256) + source[offset + i];
        }

        return number;
    }
}
