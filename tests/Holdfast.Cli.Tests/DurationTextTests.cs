using Holdfast.Cli.Values;
using Holdfast.Log;

namespace Holdfast.Cli.Tests;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("45s", 45)]
    [InlineData("90m", 5400)]
    [InlineData("1.5h", 5400)]
    [InlineData("30d", 2_592_000)]
    [InlineData("2w", 1_209_600)]
    public void ANumberAndAUnitAreALengthOfTime(string text, double seconds) => Assert.Equal(seconds, DurationText.Parse(text, "--flag").TotalSeconds, 3);

    [Theory]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("30")]
    [InlineData("0h")]
    [InlineData("-1h")]
    [InlineData("1y")]
    [InlineData("999999d")]
    public void AnythingElseIsRefused(string text) =>
        Assert.Equal(ErrorKind.Usage, Assert.Throws<HoldfastException>(() => DurationText.Parse(text, "--flag")).Kind);

    [Theory]
    [InlineData(10, "minute")]
    [InlineData(7000, "117 minutes")]
    [InlineData(90_000, "25 hours")]
    [InlineData(172_801, "3 days")]
    public void ItIsShownRoundedUp(int seconds, string shown) => Assert.Equal(shown, DurationText.Show(TimeSpan.FromSeconds(seconds)));
}
