namespace Holdfast.Erasure.Tests;

public sealed class MisuseTests
{
    [Theory, InlineData(0, 1), InlineData(-1, 1), InlineData(1, 0), InlineData(1, -1), InlineData(1, 7)]
    [InlineData(250, 6), InlineData(255, 1), InlineData(int.MaxValue, 1), InlineData(int.MaxValue, int.MaxValue)]
    public void CodesThatDoNotExistAreRefused(int dataShards, int parityShards) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ReedSolomon.Create(dataShards, parityShards));

    [Fact]
    public void TheLargestCodesExist()
    {
        Assert.Equal(255, ReedSolomon.Create(249, 6).TotalShards);
        Assert.Equal(255, ReedSolomon.Create(254, 1).TotalShards);
    }

    [Fact]
    public void WrongCountsOfShardsAreRefused()
    {
        ReedSolomon code = ReedSolomon.Create(2, 1);
        nint[] two = [1, 1], one = [1];
        Assert.Throws<ArgumentException>("data", () => code.Encode(one, one, 0));
        Assert.Throws<ArgumentException>("parity", () => code.Encode(two, two, 0));
        Assert.Throws<ArgumentException>("data", () => code.IsConsistent(one, one, 0));
        Assert.Throws<ArgumentException>("parity", () => code.UpdateParity(0, 1, 1, two, 0));
        Recovery recovery = code.PlanRecovery([0, 2], [1]);
        Assert.Throws<ArgumentException>("from", () => recovery.Recover(one, one, 0));
        Assert.Throws<ArgumentException>("to", () => recovery.Recover(two, two, 0));
    }

    [Fact]
    public void NullPointersAreRefused()
    {
        ReedSolomon code = ReedSolomon.Create(2, 1);
        nint[] two = [1, 1], holed = [1, 0], one = [1], none = [0];
        Assert.Throws<ArgumentException>("data", () => code.Encode(holed, one, 1));
        Assert.Throws<ArgumentException>("parity", () => code.Encode(two, none, 1));
        Assert.Throws<ArgumentOutOfRangeException>("before", () => code.UpdateParity(0, 0, 1, one, 1));
        Assert.Throws<ArgumentOutOfRangeException>("after", () => code.UpdateParity(0, 1, 0, one, 1));
        Assert.Throws<ArgumentException>("to", () => code.PlanRecovery([0, 2], [1]).Recover(two, none, 1));
    }

    [Fact]
    public void WrongLengthsAreRefused()
    {
        ReedSolomon code = ReedSolomon.Create(2, 1);
        nint[] two = [1, 1], one = [1];
        Recovery recovery = code.PlanRecovery([0, 2], [1]);
        Assert.Throws<ArgumentOutOfRangeException>("length", () => code.Encode(two, one, -1));
        Assert.Throws<ArgumentOutOfRangeException>("length", () => code.IsConsistent(two, one, -1));
        Assert.Throws<ArgumentOutOfRangeException>("length", () => code.UpdateParity(0, 1, 1, one, -1));
        Assert.Throws<ArgumentOutOfRangeException>("length", () => recovery.Recover(two, one, -1));
        Assert.Throws<ArgumentException>("data", () => code.Encode(new byte[3], new byte[1]));
        Assert.Throws<ArgumentException>("parity", () => code.Encode(new byte[4], new byte[1]));
        Assert.Throws<ArgumentException>("parity", () => code.IsConsistent(new byte[4], new byte[3]));
        Assert.Throws<ArgumentException>("after", () => code.UpdateParity(0, new byte[2], new byte[1], new byte[2]));
        Assert.Throws<ArgumentException>("parity", () => code.UpdateParity(0, new byte[2], new byte[2], new byte[1]));
        Assert.Throws<ArgumentException>("shards", () => recovery.Recover(new byte[4]));
    }

    [Theory, InlineData(-1), InlineData(2)]
    public void ADataShardThatDoesNotExistIsRefused(int shard) =>
        Assert.Throws<ArgumentOutOfRangeException>(
            "dataShard", () => ReedSolomon.Create(2, 1).UpdateParity(shard, new byte[1], new byte[1], new byte[1]));

    [Fact]
    public void PlansThatCannotBeAreRefused()
    {
        ReedSolomon code = ReedSolomon.Create(3, 2);
        ArgumentException tooFew = Assert.Throws<ArgumentException>("present", () => code.PlanRecovery([0, 4], [1]));
        Assert.StartsWith("2 shards are there, 3 are needed", tooFew.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("wanted", () => code.PlanRecovery([0, 1, 2], []));
        Assert.Throws<ArgumentException>("wanted", () => code.PlanRecovery([0, 1, 2], [2]));
        Assert.Throws<ArgumentException>("wanted", () => code.PlanRecovery([0, 1, 2, 3], [3]));
        Assert.Throws<ArgumentException>("wanted", () => code.PlanRecovery([0, 1, 2], [4, 3]));
        Assert.Throws<ArgumentException>("present", () => code.PlanRecovery([0, 1, 1, 2], [4]));
        Assert.Throws<ArgumentException>("present", () => code.PlanRecovery([2, 1, 0], [4]));
        Assert.Throws<ArgumentOutOfRangeException>("present", () => code.PlanRecovery([0, 1, 5], [4]));
        Assert.Throws<ArgumentOutOfRangeException>("wanted", () => code.PlanRecovery([0, 1, 2], [-1]));
    }
}
