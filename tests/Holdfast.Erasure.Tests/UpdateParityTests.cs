namespace Holdfast.Erasure.Tests;

public sealed class UpdateParityTests
{
    [Theory, InlineData(1), InlineData(2)]
    public void ParityFollowsAChangeOfOneShard(int seed)
    {
        var random = new Random(seed);
        for (int parityShards = 1; parityShards <= ReedSolomon.MaxParityShards; parityShards++)
        {
            for (int dataShards = 1; dataShards <= 12; dataShards++)
            {
                ReedSolomon code = ReedSolomon.Create(dataShards, parityShards);
                int length = random.Next(1, 900);
                using var shards = TestShards.Encoded(random, dataShards, parityShards, length);
                int changed = random.Next(dataShards);
                using var after = new TestShards(1, length, random.Next(64));
                random.NextBytes(after[0]);

                ReadOnlySpan<nint> parity = shards.Pointers[dataShards..];
                code.UpdateParity(changed, shards.Pointers[changed], after.Pointers[0], parity, length);
                after[0].CopyTo(shards[changed]);

                string context = $"seed {seed}, {dataShards}+{parityShards}, shard {changed}, {length} bytes";
                Assert.True(code.IsConsistent(shards.Pointers[..dataShards], parity, length), context);
                shards.AssertGuards(context);
            }
        }
    }

    [Fact]
    public void ParityFollowsAChangeOfAPiece()
    {
        var random = new Random(3);
        ReedSolomon code = ReedSolomon.Create(4, 3);
        using var shards = TestShards.Encoded(random, 4, 3, 1000);
        byte[] after = new byte[100];
        random.NextBytes(after);
        using (var pinned = new PinnedShards(after))
        {
            const int start = 333;
            nint[] parity = [.. shards.Pointers[4..].ToArray().Select(pointer => pointer + start)];
            code.UpdateParity(2, shards.Pointers[2] + start, pinned.Pointers[0], parity, after.Length);
            after.CopyTo(shards[2][start..]);
        }

        Assert.True(code.IsConsistent(shards.Pointers[..4], shards.Pointers[4..], 1000));
    }

    [Fact]
    public void ParityThatIsLostIsLeftOut()
    {
        var random = new Random(4);
        for (int set = 0; set < 1 << 6; set++)
        {
            ReedSolomon code = ReedSolomon.Create(3, 6);
            using var shards = TestShards.Encoded(random, 3, 6, 150);
            using var expected = TestShards.Encoded(new Random(4), 3, 6, 150);
            for (int i = 0; i < 9; i++) shards[i].CopyTo(expected[i]);
            nint[] some = shards.Pointers[3..].ToArray();
            for (int i = 0; i < 6; i++) some[i] = (set >> i & 1) != 0 ? 0 : some[i];
            using var after = new TestShards(1, 150, 0);
            random.NextBytes(after[0]);

            code.UpdateParity(1, shards.Pointers[1], after.Pointers[0], some, 150);
            code.UpdateParity(1, shards.Pointers[1], after.Pointers[0], expected.Pointers[3..], 150);

            for (int i = 0; i < 6; i++)
            {
                Assert.Equal((set >> i & 1) == 0, shards[3 + i].SequenceEqual(expected[3 + i]));
            }
        }
    }

    [Fact]
    public void ShardsBehindEachOtherFollowToo()
    {
        var random = new Random(5);
        byte[] data = new byte[3 * 99], parity = new byte[2 * 99], after = new byte[99];
        random.NextBytes(data);
        random.NextBytes(after);
        ReedSolomon code = ReedSolomon.Create(3, 2);
        code.Encode(data, parity);
        code.UpdateParity(2, data.AsSpan(2 * 99), after, parity);
        after.CopyTo(data, 2 * 99);
        Assert.True(code.IsConsistent(data, parity));
    }
}
