using Holdfast.Erasure.Coding;

namespace Holdfast.Erasure.Tests;

public sealed class EncodeTests
{
    public static TheoryData<int> ParityCounts => [.. Enumerable.Range(1, ReedSolomon.MaxParityShards)];

    [Theory, MemberData(nameof(ParityCounts))]
    public unsafe void TheMatrixIsThatOfIsaL(int parityShards)
    {
        for (int dataShards = 1; dataShards <= ReedSolomon.MaxShards - parityShards; dataShards++)
        {
            byte[] expected = new byte[(dataShards + parityShards) * dataShards];
            fixed (byte* rows = expected) IsaL.WriteCauchyMatrix(rows, dataShards + parityShards, dataShards);
            Assert.Equal(expected[(dataShards * dataShards)..], CauchyMatrix.Rows(dataShards, parityShards));
        }
    }

    [Theory, MemberData(nameof(ParityCounts))]
    public void ParityIsThatOfIsaL(int parityShards)
    {
        var random = new Random(parityShards);
        int[] manyShards = [63, 64, 128, ReedSolomon.MaxShards - parityShards];
        foreach (int dataShards in (int[])[.. Enumerable.Range(1, 20), .. manyShards])
        {
            ReedSolomon code = ReedSolomon.Create(dataShards, parityShards);
            foreach (int length in (int[])[1, 64, 333, random.Next(1, 5000)])
            {
                string context = $"{dataShards}+{parityShards}, {length} bytes";
                using var expected = TestShards.Encoded(random, dataShards, parityShards, length);
                using var parity = new TestShards(parityShards, length, random.Next(64));
                code.Encode(expected.Pointers[..dataShards], parity.Pointers, length);
                for (int i = 0; i < parityShards; i++)
                {
                    Assert.True(parity[i].SequenceEqual(expected[dataShards + i]), $"{context}: parity {i} differs");
                }

                parity.AssertGuards(context);
            }
        }
    }

    [Fact]
    public void ShardsBehindEachOtherAreCodedAsThoseElsewhere()
    {
        const int length = 1001;
        var random = new Random(1);
        using var expected = TestShards.Encoded(random, 5, 3, length);
        byte[] shards = new byte[8 * length];
        for (int i = 0; i < 8; i++) expected[i].CopyTo(shards.AsSpan(i * length));
        byte[] parity = new byte[3 * length];
        ReedSolomon.Create(5, 3).Encode(shards.AsSpan(0, 5 * length), parity);
        Assert.Equal(shards[(5 * length)..], parity);
    }

    [Fact]
    public void PiecesAreCodedAsTheWhole()
    {
        var random = new Random(2);
        using var expected = TestShards.Encoded(random, 4, 2, 3000);
        using var parity = new TestShards(2, 3000, 0);
        ReedSolomon code = ReedSolomon.Create(4, 2);
        nint[] from = new nint[4], to = new nint[2];
        for (int start = 0, length; start < 3000; start += length)
        {
            length = Math.Min(random.Next(1, 500), 3000 - start);
            for (int i = 0; i < from.Length; i++) from[i] = expected.Pointers[i] + start;
            for (int i = 0; i < to.Length; i++) to[i] = parity.Pointers[i] + start;
            code.Encode(from, to, length);
        }

        Assert.Equal(expected[4], parity[0]);
        Assert.Equal(expected[5], parity[1]);
    }

    [Fact]
    public void WithOneDataShardTheFirstParityIsItsCopy()
    {
        byte[] parity = new byte[6];
        ReedSolomon.Create(1, 2).Encode([1, 2, 3], parity);
        Assert.Equal([1, 2, 3], parity[..3]);
        Assert.NotEqual([1, 2, 3], parity[3..]);
    }

    [Fact]
    public void NothingIsCodedOfNothing()
    {
        ReedSolomon code = ReedSolomon.Create(3, 2);
        code.Encode([], []);
        code.UpdateParity(1, [], [], []);
        Assert.True(code.IsConsistent([], []));
        code.PlanRecovery([0, 1, 2], [4]).Recover([]);
        using var shards = new TestShards(5, 0, 1);
        code.Encode(shards.Pointers[..3], shards.Pointers[3..], 0);
        shards.AssertGuards("no bytes");
    }
}
