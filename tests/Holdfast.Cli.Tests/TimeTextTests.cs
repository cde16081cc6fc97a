using Holdfast.Cli.Values;
using Holdfast.Log;

namespace Holdfast.Cli.Tests;

public class TimeTextTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    private static readonly FixedClock Clock = new(TestWorld.Noon, Berlin);

    [Theory]
    [InlineData("2026-11-20T14:03:05Z", "2026-11-20T14:03:05Z")]
    [InlineData("2026-11-20t14:03:05z", "2026-11-20T14:03:05Z")]
    [InlineData("2026-11-20 14:03:05+02:00", "2026-11-20T12:03:05Z")]
    [InlineData("2026-11-20T14:03-05:30", "2026-11-20T19:33:00Z")]
    [InlineData("2026-11-20T14:03:05.1234567Z", "2026-11-20T14:03:05.1234567Z")]
    [InlineData("2026-11-20", "2026-11-19T23:00:00Z")]
    [InlineData("2026-11-20T14:03", "2026-11-20T13:03:00Z")]
    [InlineData("2026-11-20 14:03", "2026-11-20T13:03:00Z")]
    [InlineData("2026-11-20T14:03:05", "2026-11-20T13:03:05Z")]
    [InlineData("2026-11-20T14:03:05.5", "2026-11-20T13:03:05.5Z")]
    [InlineData("2026-07-20T14:03", "2026-07-20T12:03:00Z")]
    [InlineData("202611201403", "2026-11-20T13:03:00Z")]
    [InlineData("now", "2026-11-20T12:00:00Z")]
    [InlineData("90s", "2026-11-20T11:58:30Z")]
    [InlineData("2h", "2026-11-20T10:00:00Z")]
    [InlineData("3d", "2026-11-17T12:00:00Z")]
    [InlineData("2h ago", "2026-11-20T10:00:00Z")]
    [InlineData("2 hours ago", "2026-11-20T10:00:00Z")]
    [InlineData("1 week ago", "2026-11-13T12:00:00Z")]
    [InlineData(" 30min ", "2026-11-20T11:30:00Z")]
    public void TimesAreReadAsLocalUnlessTheySayTheirZone(string text, string utc) =>
        Assert.Equal(utc, TimeText.ShowExact(TimeText.Parse(text, "--at", Clock)));

    [Theory]
    [InlineData("365001d")]
    [InlineData("99999999d")]
    [InlineData("999999999w")]
    public void ADurationThatNoClockHoldsIsAUsageError(string text) =>
        Assert.Equal(ErrorKind.Usage, Assert.Throws<HoldfastException>(() => TimeText.ParseDuration(text, "--undelete-window")).Kind);

    [Fact]
    public void TheLongestDurationIsAThousandYears() => Assert.Equal(TimeSpan.FromDays(365_000), TimeText.ParseDuration("365000d", "--max-time"));

    // A day is 24 hours: 26 October, noon, was one hour of clock time later than three days before.
    [Fact]
    public void AnAgeIsElapsedTimeWhateverTheClocksDid()
    {
        var clock = new FixedClock(new DateTimeOffset(2026, 10, 26, 12, 0, 0, TimeSpan.FromHours(1)), Berlin);
        Assert.Equal("2026-10-23T11:00:00Z", TimeText.ShowExact(TimeText.Parse("3d", "--at", clock)));
    }

    // Clocks went from 02:00 to 03:00 on 29 March 2026: RFC 5545 counts with the offset from before.
    [Theory]
    [InlineData("2026-03-29T01:59", "2026-03-29T00:59:00Z")]
    [InlineData("2026-03-29T02:00", "2026-03-29T01:00:00Z")]
    [InlineData("2026-03-29T02:30", "2026-03-29T01:30:00Z")]
    [InlineData("2026-03-29T03:00", "2026-03-29T01:00:00Z")]
    public void ATimeThatDoesNotOccurCountsWithTheOffsetFromBefore(string text, string utc) =>
        Assert.Equal(utc, TimeText.ShowExact(TimeText.Parse(text, "--at", Clock)));

    // Clocks went from 03:00 back to 02:00 on 25 October 2026.
    [Theory]
    [InlineData("2026-10-25T01:59", "2026-10-24T23:59:00Z")]
    [InlineData("2026-10-25T02:00", "2026-10-25T00:00:00Z")]
    [InlineData("2026-10-25T02:59", "2026-10-25T00:59:00Z")]
    [InlineData("2026-10-25T03:00", "2026-10-25T02:00:00Z")]
    [InlineData("2026-10-25T02:30+01:00", "2026-10-25T01:30:00Z")]
    public void ATimeThatOccursTwiceIsItsFirstOccurrence(string text, string utc) =>
        Assert.Equal(utc, TimeText.ShowExact(TimeText.Parse(text, "--at", Clock)));

    [Fact]
    public void ADayThatWasLeftOutIsRead()
    {
        var samoa = new FixedClock(TestWorld.Noon, TimeZoneInfo.FindSystemTimeZoneById("Pacific/Apia"));
        DateTimeOffset moment = TimeText.Parse("2011-12-30T12:00", "--at", samoa);
        Assert.Equal(new DateTime(2011, 12, 30, 22, 0, 0), moment.UtcDateTime);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("2026-13-01")]
    [InlineData("2026-02-30")]
    [InlineData("2026-11-20T25:00")]
    [InlineData("2026-11-20T14:03:60Z")]
    [InlineData("20261120")]
    [InlineData("2y")]
    [InlineData("-2h")]
    [InlineData("h")]
    [InlineData("9999999999d")]
    [InlineData("999999999w")]
    [InlineData("2026-11-20T14:03+25:00")]
    public void WhatIsNoTimeIsRefusedByName(string text)
    {
        var error = Assert.Throws<HoldfastException>(() => TimeText.Parse(text, "--at", Clock));
        Assert.Equal(ErrorKind.Usage, error.Kind);
        Assert.StartsWith("--at: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PeopleSeeLocalTime() =>
        Assert.Equal("2026-11-20 13:00:00", TimeText.Show(TestWorld.Noon, Berlin));

    [Theory]
    [InlineData(0, "0:00")]
    [InlineData(21, "0:21")]
    [InlineData(3599, "59:59")]
    [InlineData(11_529, "3:12:09")]
    [InlineData(-5, "0:00")]
    public void DurationsAreShort(int seconds, string text) => Assert.Equal(text, TimeText.Show(TimeSpan.FromSeconds(seconds)));
}
