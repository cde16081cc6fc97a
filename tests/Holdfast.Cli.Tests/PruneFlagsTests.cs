using Holdfast.Cli.Commands;
using Holdfast.Log;

namespace Holdfast.Cli.Tests;

public class PruneFlagsTests
{
    private readonly TestWorld world = new();

    [Theory]
    [InlineData("0")]
    [InlineData("0s")]
    [InlineData("99999999d")]
    public void ATimeInWhichNothingCanBeDoneIsRefused(string time) =>
        Assert.Equal(ErrorKind.Usage, Assert.Throws<HoldfastException>(() => world.Read<PruneOptions>("prune", "--max-time", time)).Kind);

    [Theory]
    [InlineData("5", "write 5% or 5M")]
    [InlineData("101%", "write 0% to 100%, such as 5%")]
    public void AShareThatCannotBeMeantIsRefusedWithWhatToWrite(string share, string hint)
    {
        var error = Assert.Throws<HoldfastException>(() => world.Read<PruneOptions>("prune", "--max-unused", share));
        Assert.Equal((ErrorKind.Usage, hint), (error.Kind, error.Hint));
    }

    [Fact]
    public void CheckNamesTheFlagThatHasNoMeaning()
    {
        var error = Assert.Throws<HoldfastException>(() => world.Read<CheckOptions>("check", "--from-password-file", "file"));
        Assert.StartsWith("--from-password-file", error.Message, StringComparison.Ordinal);
    }
}
