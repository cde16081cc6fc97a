using Holdfast.Cli.Values;
using Holdfast.Log;

namespace Holdfast.Cli.Tests;

public class SizeTextTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("512", 512)]
    [InlineData("512B", 512)]
    [InlineData("64K", 65_536)]
    [InlineData("64k", 65_536)]
    [InlineData("64KB", 65_536)]
    [InlineData("10M", 10_485_760)]
    [InlineData("1.5GiB", 1_610_612_736)]
    [InlineData(".5M", 524_288)]
    [InlineData("2T", 2_199_023_255_552)]
    [InlineData("7E", 8_070_450_532_247_928_832)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void SizesAreReadInBinaryUnits(string text, long bytes) => Assert.Equal(bytes, SizeText.Parse(text, "--x"));

    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5")]
    [InlineData("1.5.5K")]
    [InlineData("1,5K")]
    [InlineData("10 M")]
    [InlineData("10X")]
    [InlineData("10Mi")]
    [InlineData("8E")]
    [InlineData("9223372036854775808")]
    [InlineData("1e3")]
    [InlineData("٣K")]
    public void WhatIsNoSizeIsRefusedByName(string text)
    {
        var error = Assert.Throws<HoldfastException>(() => SizeText.Parse(text, "--memory"));
        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.StartsWith($"--memory: '{text}'", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Hint);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.00 KiB")]
    [InlineData(1_331_439_862, "1.24 GiB")]
    [InlineData(1_048_575, "1.00 MiB")]
    [InlineData(-2048, "-2.00 KiB")]
    [InlineData(long.MaxValue, "8.00 EiB")]
    public void SizesAreShownWithThreeOrFourDigits(long bytes, string text) => Assert.Equal(text, SizeText.Show(bytes));
}
