using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Tests.Formats;

namespace Holdfast.Vault.Tests.Chunking;

/// Goal: every way to name chunks gives HMAC-SHA-256, however long the chunks and in whatever company.
public sealed class ChunkIdentityTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly ChunkIdentity Identity = new(Key);

    private delegate void Way(ReadOnlySpan<byte> content, ReadOnlySpan<int> lengths, Span<ChunkId> ids);

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(119)]
    [InlineData(120)]
    [InlineData(94575)]
    public void IdsAreTheTestVectorsOfTheDocument(int bytes)
    {
        string expected = VaultDocument.ValueOf($"id of {bytes}");
        byte[] content = TestKeys.Content(bytes);

        Assert.Equal(expected, Identity.Of(content).ToString());
        Assert.Equal(expected, Identity.Plain(content).ToString());
        foreach (Way way in Ways())
        {
            ChunkId[] ids = new ChunkId[1];
            way(content, [bytes], ids);
            Assert.Equal(expected, ids[0].ToString());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void ChunksOneByOneAreNamedAsByDotNet(int seed) => Compare(Identity.OneByOne, seed, 400_000);

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void ChunksInTheFastestWayAreNamedAsByDotNet(int seed) => Compare(Identity.OfEach, seed, 400_000);

    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void ChunksIn8LanesAreNamedAsByDotNet(int seed)
    {
        Assert.SkipUnless(Avx2.IsSupported, "this processor has no AVX2");
        Compare(Identity.By8Lanes, seed, 400_000);
    }

    /// Where the processor has no 512 bits, the runtime makes the vectors up from smaller ones, at a tenth of the speed.
    [Theory]
    [InlineData(1)]
    [InlineData(20260101)]
    public void ChunksIn16LanesAreNamedAsByDotNet(int seed)
    {
        Assert.SkipUnless(Avx2.IsSupported, "this processor has no AVX2");
        Compare(Identity.By16Lanes, seed, 40_000);
    }

    [Fact]
    public void EveryLengthUpToThreeBlocksIsPaddedRightly()
    {
        int[] lengths = [.. Enumerable.Range(0, 193)];
        byte[] content = TestKeys.Content(lengths.Sum());
        foreach (Way way in Ways())
        {
            ChunkId[] ids = new ChunkId[lengths.Length];
            way(content, lengths, ids);
            Assert.Equal(Expected(Key, content, lengths), ids);
        }
    }

    [Fact]
    public void TheLongestChunkAmongShortOnesIsNamedRightly()
    {
        int[] lengths = [100, 4 << 20, 3000, .. Enumerable.Repeat(5000, 20)];
        byte[] content = TestKeys.Content(lengths.Sum());
        ChunkId[] ids = new ChunkId[lengths.Length];

        Identity.OfEach(content, lengths, ids);
        Assert.Equal(Expected(Key, content, lengths), ids);

        Assert.SkipUnless(Avx2.IsSupported, "this processor has no AVX2");
        Identity.By8Lanes(content, lengths, ids = new ChunkId[lengths.Length]);
        Assert.Equal(Expected(Key, content, lengths), ids);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        byte[] content = new byte[100];

        Assert.Throws<ArgumentOutOfRangeException>(() => Identity.OfEach(content, [50, 51], new ChunkId[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Identity.OfEach(content, [int.MaxValue, int.MaxValue, 2], new ChunkId[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Identity.OfEach(content, [60, -10], new ChunkId[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Identity.OfEach(content, [50, 50], new ChunkId[1]));
    }

    [Fact]
    public unsafe void TheContextIsThatOfTheLibrary() => Assert.Equal(112, Unsafe.SizeOf<Sha256Context>());

    /// Where it is not, ids are right and slow: this says so.
    [Fact]
    public void TheLibraryIsThere() => Assert.True(LibCrypto.IsAvailable);

    private static void Compare(Way way, int seed, int mostBytes)
    {
        var random = new Random(seed);
        for (int round = 0; round < 24; round++)
        {
            int[] lengths = Lengths(round, random, mostBytes);
            int bytes = lengths.Sum(), offset = random.Next(64);
            byte[] content = TestKeys.Random(random, offset + bytes + random.Next(3));
            // What is behind the last id must not be touched.
            ChunkId[] ids = new ChunkId[lengths.Length + 1];
            ChunkId behind = ids[^1] = TestKeys.RandomId(random);

            way(content.AsSpan(offset), lengths, ids);

            ChunkId[] expected = Expected(Key, content.AsSpan(offset), lengths);
            Assert.True(ids.AsSpan(0, lengths.Length).SequenceEqual(expected), $"seed {seed}, round {round}");
            Assert.True(behind == ids[^1], $"seed {seed}, round {round}: wrote past the end");
        }
    }

    /// <summary>Tiny ones, and more than a group of them; around the block size; equal; of any size; one long among short.</summary>
    private static int[] Lengths(int round, Random random, int mostBytes)
    {
        int count = random.Next(round % 4 == 0 ? 3 : 40);
        return (round % 6) switch
        {
            0 => Many(random.Next(250, 600), () => random.Next(40)),
            1 => Many(count, () => Math.Max(0, (64 * random.Next(1, 6)) + random.Next(-10, 10))),
            2 => Many(count, () => 1000),
            3 => Many(count, () => random.Next(2 * mostBytes / (count + 1))),
            4 => [.. Many(count, () => random.Next(200)), mostBytes / 2, .. Many(count, () => random.Next(200))],
            _ => Many(count, () => 1 << random.Next(int.Log2(mostBytes / (count + 1)))),
        };
    }

    private static int[] Many(int count, Func<int> length) => [.. Enumerable.Range(0, count).Select(_ => length())];

    private static IEnumerable<Way> Ways()
    {
        yield return Identity.OfEach;
        yield return Identity.OneByOne;
        if (!Avx2.IsSupported) yield break;
        yield return Identity.By8Lanes;
        yield return Identity.By16Lanes;
    }

    private static ChunkId[] Expected(byte[] key, ReadOnlySpan<byte> content, int[] lengths)
    {
        ChunkId[] ids = new ChunkId[lengths.Length];
        for (int i = 0; i < lengths.Length; i++)
        {
            ids[i] = ChunkId.Decode(HMACSHA256.HashData(key, content[..lengths[i]]));
            content = content[lengths[i]..];
        }

        return ids;
    }
}
