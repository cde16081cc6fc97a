namespace Holdfast.Erasure.Tests;

public sealed class ConsistencyTests
{
    [Theory, InlineData(1, 1), InlineData(4, 2), InlineData(10, 4), InlineData(3, 6)]
    public void AFlippedBitOfAnyShardIsNoticed(int dataShards, int parityShards)
    {
        // Two pieces of what is verified at a time, and a bit of a third.
        const int length = 4099;
        var random = new Random(dataShards);
        ReedSolomon code = ReedSolomon.Create(dataShards, parityShards);
        using var shards = TestShards.Encoded(random, dataShards, parityShards, length);
        Assert.True(IsConsistent());
        for (int shard = 0; shard < code.TotalShards; shard++)
        {
            foreach (int at in (int[])[0, 2047, 2048, random.Next(length), length - 1])
            {
                byte bit = (byte)(1 << random.Next(8));
                shards[shard][at] ^= bit;
                Assert.False(IsConsistent(), $"shard {shard}, byte {at}");
                shards[shard][at] ^= bit;
            }
        }

        Assert.True(IsConsistent());

        bool IsConsistent() => code.IsConsistent(shards.Pointers[..dataShards], shards.Pointers[dataShards..], length);
    }

    [Fact]
    public void ShardsBehindEachOtherAreVerifiedToo()
    {
        byte[] data = new byte[400], parity = new byte[200];
        new Random(1).NextBytes(data);
        ReedSolomon code = ReedSolomon.Create(4, 2);
        code.Encode(data, parity);
        Assert.True(code.IsConsistent(data, parity));
        parity[199] ^= 1;
        Assert.False(code.IsConsistent(data, parity));
    }
}
