using Holdfast.Cli.Values;
using Holdfast.Log;

namespace Holdfast.Cli.Tests;

public class PercentTextTests
{
    [Theory]
    [InlineData("5%", 0.05)]
    [InlineData("0.5%", 0.005)]
    [InlineData("100%", 1)]
    public void PercentagesAreShares(string text, double share) => Assert.Equal(share, PercentText.Parse(text, "--x"), 12);

    [Theory]
    [InlineData("5")]
    [InlineData("0%")]
    [InlineData("101%")]
    [InlineData("-5%")]
    [InlineData("%")]
    [InlineData("NaN%")]
    [InlineData("five%")]
    public void OthersAreRefused(string text) =>
        Assert.Equal(ErrorKind.Usage, Assert.Throws<HoldfastException>(() => PercentText.Parse(text, "--x")).Kind);
}
