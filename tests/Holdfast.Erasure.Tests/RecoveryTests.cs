namespace Holdfast.Erasure.Tests;

public sealed class RecoveryTests
{
    public static TheoryData<int, int> SmallCodes => new()
    {
        { 1, 1 }, { 1, 6 }, { 2, 1 }, { 2, 2 }, { 3, 3 }, { 4, 2 }, { 5, 4 }, { 6, 3 }, { 4, 5 }, { 5, 6 }, { 10, 4 },
    };

    [Theory, MemberData(nameof(SmallCodes))]
    public void EveryPatternOfLostShardsIsMadeGood(int dataShards, int parityShards)
    {
        const int length = 137;
        var random = new Random(dataShards);
        ReedSolomon code = ReedSolomon.Create(dataShards, parityShards);
        using var whole = TestShards.Encoded(random, dataShards, parityShards, length);
        foreach (int[] lost in Patterns.UpTo(parityShards, dataShards + parityShards))
        {
            int[] present = Patterns.Others(code.TotalShards, lost);
            AssertRecovered(code, whole, present, lost, $"{dataShards}+{parityShards}");
        }
    }

    [Theory, InlineData(1), InlineData(2)]
    public void RandomPatternsAreMadeGoodFromAnyOthers(int seed)
    {
        var random = new Random(seed);
        for (int dataShards = 1; dataShards <= 20; dataShards++)
        {
            for (int parityShards = 1; parityShards <= ReedSolomon.MaxParityShards; parityShards++)
            {
                ReedSolomon code = ReedSolomon.Create(dataShards, parityShards);
                using var whole = TestShards.Encoded(random, dataShards, parityShards, random.Next(1, 700));
                for (int round = 0; round < 8; round++)
                {
                    // Any k that are there, and some of the others.
                    int[] present = Patterns.Choose(random, Enumerable.Range(0, code.TotalShards), dataShards);
                    int[] others = Patterns.Others(code.TotalShards, present);
                    int[] wanted = Patterns.Choose(random, others, random.Next(1, parityShards + 1));
                    AssertRecovered(code, whole, present, wanted, $"seed {seed}, {dataShards}+{parityShards}");
                }
            }
        }
    }

    [Fact]
    public void LargeCodesAreMadeGood()
    {
        var random = new Random(3);
        ReedSolomon code = ReedSolomon.Create(249, 6);
        using var whole = TestShards.Encoded(random, 249, 6, 2345);
        for (int round = 0; round < 20; round++)
        {
            int[] lost = Patterns.Choose(random, Enumerable.Range(0, 255), 6);
            AssertRecovered(code, whole, Patterns.Others(255, lost), lost, $"round {round}");
        }
    }

    [Fact]
    public void ShardsBehindEachOtherAreMadeGoodInTheirPlaces()
    {
        const int length = 77;
        var random = new Random(4);
        ReedSolomon code = ReedSolomon.Create(4, 3);
        byte[] shards = new byte[7 * length];
        random.NextBytes(shards.AsSpan(0, 4 * length));
        code.Encode(shards.AsSpan(0, 4 * length), shards.AsSpan(4 * length));
        byte[] whole = [.. shards];
        foreach (int lost in (int[])[1, 3, 5]) shards.AsSpan(lost * length, length).Clear();
        code.PlanRecovery([0, 2, 4, 6], [1, 3, 5]).Recover(shards);
        Assert.Equal(whole, shards);
    }

    [Fact]
    public void OfMoreThanEnoughShardsTheFirstAreRead()
    {
        Recovery recovery = ReedSolomon.Create(3, 3).PlanRecovery([1, 2, 4, 5], [0, 3]);
        Assert.Equal([1, 2, 4], recovery.Sources);
        Assert.Equal([0, 3], recovery.Targets);
    }

    [Fact]
    public void ARecoveryIsRememberedUntilThereAreTooMany()
    {
        ReedSolomon code = ReedSolomon.Create(8, 4);
        Recovery first = code.PlanRecovery([1, 2, 3, 4, 5, 6, 7, 8], [0]);
        Assert.Same(first, code.PlanRecovery([1, 2, 3, 4, 5, 6, 7, 8, 11], [0]));
        Assert.NotSame(first, code.PlanRecovery([1, 2, 3, 4, 5, 6, 7, 9], [0]));
        Assert.NotSame(first, code.PlanRecovery([1, 2, 3, 4, 5, 6, 7, 8], [0, 9]));
        foreach (int[] lost in Patterns.UpTo(4, 12)) code.PlanRecovery(Patterns.Others(12, lost), lost);
        Assert.NotSame(first, code.PlanRecovery([1, 2, 3, 4, 5, 6, 7, 8], [0]));
    }

    [Fact]
    public void ManyThreadsPlanAtTheSameTime()
    {
        ReedSolomon code = ReedSolomon.Create(6, 3);
        using var whole = TestShards.Encoded(new Random(5), 6, 3, 200);
        int[][] patterns = [.. Patterns.UpTo(3, 9)];
        Parallel.For(0, 4 * patterns.Length, i =>
        {
            int[] lost = patterns[i % patterns.Length];
            AssertRecovered(code, whole, Patterns.Others(9, lost), lost, $"pattern {i}");
        });
    }

    private static void AssertRecovered(ReedSolomon code, TestShards whole, int[] present, int[] wanted, string context)
    {
        Recovery recovery = code.PlanRecovery(present, wanted);
        using var made = new TestShards(wanted.Length, whole.Length, wanted[0] % 64);
        recovery.Recover(whole.Of(recovery.Sources), made.Pointers, whole.Length);
        for (int i = 0; i < wanted.Length; i++)
        {
            string pattern = $"present {string.Join(",", present)} wanted {string.Join(",", wanted)}";
            Assert.True(made[i].SequenceEqual(whole[wanted[i]]), $"{context}, {pattern}: shard {wanted[i]} differs");
        }

        made.AssertGuards(context);
    }
}
