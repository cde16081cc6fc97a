using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Tests.Formats;

namespace Holdfast.Vault.Tests.Chunking;

public sealed class ChunkerTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void CutsAreTheTestVectorsOfTheDocument()
    {
        int[] cuts = [.. VaultDocument.ValueOf("cuts").Split(' ').Select(int.Parse)];

        Assert.Equal(cuts, Cut(new Chunker(Key), TestKeys.Content(1 << 20)));
    }

    [Fact]
    public void CutsAreThoseOfTheFormulaOfTheDocument()
    {
        const int seed = 3;
        var random = new Random(seed);
        for (int i = 0; i < 6; i++)
        {
            byte[] key = TestKeys.Random(random, 32);
            byte[] content = TestKeys.Random(random, random.Next(Chunker.MinBytes + 1, Chunker.MaxBytes + 1000));
            // Few different bytes: windows repeat, so that equal hashes occur.
            if (i % 2 == 0) content = [.. content.Select(b => (byte)(b & 1))];

            Assert.True(SlowFirstCut(key, content) == new Chunker(key).FirstCut(content), $"seed {seed}, round {i}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(Chunker.MinBytes - 1)]
    [InlineData(Chunker.MinBytes)]
    public void ContentOfAtMostTheMinimumIsOneChunk(int bytes) =>
        Assert.Equal(bytes, new Chunker(Key).FirstCut(TestKeys.Content(bytes)));

    [Theory]
    [InlineData(Chunker.MinBytes + 1)]
    [InlineData(Chunker.MaxBytes - 1)]
    [InlineData(Chunker.MaxBytes)]
    [InlineData(Chunker.MaxBytes + 1)]
    [InlineData(4 << 20)]
    public void ChunksStayWithinTheirBounds(int bytes)
    {
        List<int> cuts = Cut(new Chunker(Key), TestKeys.Content(bytes));

        Assert.Equal(bytes, cuts.Sum());
        Assert.All(cuts[..^1], length => Assert.InRange(length, Chunker.MinBytes, Chunker.MaxBytes));
        Assert.InRange(cuts[^1], 1, Chunker.MaxBytes);
    }

    [Fact]
    public void ZerosAreCutIntoLongestChunks()
    {
        var random = new Random(5);
        for (int i = 0; i < 20; i++)
        {
            var chunker = new Chunker(TestKeys.Random(random, 32));
            Assert.Equal(Chunker.MaxBytes, chunker.FirstCut(new byte[1 << 20]));
        }
    }

    [Fact]
    public void OnlyTheFirstBytesUpToTheMaximumDecide()
    {
        byte[] content = TestKeys.Content(1 << 20);
        var chunker = new Chunker(Key);

        Assert.Equal(chunker.FirstCut(content.AsSpan(0, Chunker.MaxBytes)), chunker.FirstCut(content));
    }

    [Fact]
    public void OneByteMoreChangesFewChunks()
    {
        const int seed = 7;
        var random = new Random(seed);
        byte[] content = TestKeys.Random(random, 8 << 20);
        var chunker = new Chunker(Key);
        HashSet<string> before = Ids(chunker, content);
        int most = 0;
        for (int i = 0; i < 8; i++)
        {
            int at = random.Next(content.Length);
            byte[] edited = [.. content[..at], (byte)random.Next(256), .. content[at..]];
            most = Math.Max(most, Ids(chunker, edited).Count(id => !before.Contains(id)));
        }

        Assert.True(most <= 12, $"seed {seed}: {most} of {before.Count} chunks are new");
    }

    [Fact]
    public void AnotherKeyCutsElsewhere()
    {
        byte[] content = TestKeys.Content(4 << 20);
        byte[] other = [.. Key];
        other[3] ^= 1;

        HashSet<int> ends = Ends(Cut(new Chunker(Key), content)), otherEnds = Ends(Cut(new Chunker(other), content));

        Assert.True(ends.Intersect(otherEnds).Count() < ends.Count / 4);
    }

    [Fact]
    public void ChunksOfRandomContentAreOf64KibiBytesOnAverage()
    {
        byte[] content = TestKeys.Random(new Random(11), 32 << 20);

        List<int> cuts = Cut(new Chunker(Key), content);

        Assert.InRange(content.Length / (double)cuts.Count, 65536 * 0.9, 65536 * 1.1);
    }

    /// Method: contents of every kind, of lengths around those where something changes, and from every alignment; what
    /// Cut and FirstCut find is compared with a plain look at one position after the other.
    [Theory]
    [InlineData(13)]
    [InlineData(20260101)]
    public void CutsAreThoseOfAPlainLookAtEveryPosition(int seed)
    {
        var random = new Random(seed);
        int[] edges = [Chunker.MinBytes, Chunker.MinBytes + BlockMinima.Positions, Chunker.MaxBytes, Chunker.MaxBytes + Chunker.MinBytes, 300_000];
        for (int round = 0; round < 150; round++)
        {
            byte[] key = TestKeys.Random(random, 32);
            int offset = round % 131, bytes = edges[round / 5 % edges.Length] + random.Next(-140, 140);
            byte[] content = Contents.OfKind(round % Contents.Kinds, random, offset + bytes)[offset..];
            var chunker = new Chunker(key);
            var expected = new List<int>();
            for (int start = 0; start < bytes; start += expected[^1]) expected.Add(PlainFirstCut(key, content.AsSpan(start)));
            int[] lengths = new int[expected.Count + 1];

            int count = chunker.Cut(content, isAll: true, lengths);

            Assert.True(expected.SequenceEqual(lengths[..count]), $"seed {seed}, round {round}");
            Assert.True(expected.SequenceEqual(Cut(chunker, content)), $"seed {seed}, round {round}, one by one");
        }
    }

    /// Where a window ends, or the room for lengths, must not change where the content is cut.
    [Theory]
    [InlineData(17)]
    [InlineData(20260101)]
    public void CutsDoNotDependOnTheWindowsTheyAreFoundIn(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 20; round++)
        {
            var chunker = new Chunker(TestKeys.Random(random, 32));
            byte[] content = Contents.OfKind(round % Contents.Kinds, random, random.Next(1, 2 << 20));
            var found = new List<int>();
            int start = 0;
            while (start < content.Length)
            {
                int end = Math.Min(content.Length, start + Chunker.MaxBytes + random.Next(600_000));
                int[] lengths = new int[random.Next(1, 12)];
                int count = chunker.Cut(content.AsSpan(start..end), isAll: end == content.Length, lengths);
                found.AddRange(lengths[..count]);
                start += lengths[..count].Sum();
                Assert.True(
                    count == lengths.Length || start == content.Length || end - start < Chunker.MaxBytes,
                    $"seed {seed}, round {round}: stopped early at {start}");
            }

            Assert.True(Cut(chunker, content).SequenceEqual(found), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void ContentThatGoesOnIsNotCutBeforeTheLongestChunkIsThere()
    {
        byte[] content = TestKeys.Content(Chunker.MaxBytes);
        int[] lengths = new int[8];
        var chunker = new Chunker(Key);

        Assert.Equal(0, chunker.Cut(content.AsSpan(1), isAll: false, lengths));
        Assert.Equal(1, chunker.Cut(content, isAll: false, lengths));
        Assert.Equal(0, chunker.Cut([], isAll: true, lengths));
        Assert.Equal(0, chunker.Cut(content, isAll: true, []));
    }

    private static List<int> Cut(Chunker chunker, byte[] content)
    {
        var cuts = new List<int>();
        for (int start = 0; start < content.Length; start += cuts[^1]) cuts.Add(chunker.FirstCut(content.AsSpan(start)));
        return cuts;
    }

    private static HashSet<int> Ends(List<int> cuts)
    {
        var ends = new HashSet<int>();
        int end = 0;
        foreach (int cut in cuts) ends.Add(end += cut);
        return ends;
    }

    private static HashSet<string> Ids(Chunker chunker, byte[] content)
    {
        var ids = new HashSet<string>();
        int start = 0;
        foreach (int length in Cut(chunker, content))
        {
            ids.Add(Convert.ToHexString(SHA256.HashData(content.AsSpan(start, length))));
            start += length;
        }

        return ids;
    }

    private static int PlainFirstCut(byte[] key, ReadOnlySpan<byte> content)
    {
        if (content.Length <= Chunker.MinBytes) return content.Length;
        ulong multiplier = BinaryPrimitives.ReadUInt64LittleEndian(key) | 1;
        uint mask = BinaryPrimitives.ReadUInt32LittleEndian(key.AsSpan(8)) | 0x8000_0000;
        uint smallest = uint.MaxValue;
        int best = 0;
        for (int p = Chunker.MinBytes; p <= Math.Min(Chunker.MaxBytes, content.Length); p++)
        {
            uint hash = (uint)(unchecked(BinaryPrimitives.ReadUInt64LittleEndian(content[(p - 8)..]) * multiplier) >> 32) ^ mask;
            if (hash > smallest) continue;
            smallest = hash;
            best = p;
        }

        return best;
    }

    /// <summary>Written from docs/formats/vault.md alone, with numbers that cannot overflow.</summary>
    private static int SlowFirstCut(byte[] key, byte[] content)
    {
        const int min = 16 * 1024, max = 112 * 1024;
        int left = content.Length;
        if (left <= min) return left;
        BigInteger k = new(BinaryPrimitives.ReadUInt64LittleEndian(key) | 1);
        BigInteger c = new(BinaryPrimitives.ReadUInt32LittleEndian(key.AsSpan(8)) | 0x80000000);
        BigInteger smallest = BigInteger.Pow(2, 64);
        int best = 0;
        for (int p = min; p <= Math.Min(max, left); p++)
        {
            var w = new BigInteger(content.AsSpan(p - 8, 8), isUnsigned: true, isBigEndian: false);
            BigInteger h = ((w * k % BigInteger.Pow(2, 64)) >> 32) ^ c;
            if (h > smallest) continue;
            smallest = h;
            best = p;
        }

        return best;
    }
}
