using Holdfast.Vault.Tests.Retention;

namespace Holdfast.Vault.Tests.Measuring;

public sealed class GrowthPeriodTests
{
    [Fact]
    public void PointsAreCountedByThePeriodsOfTheirZone()
    {
        RestorePoint[] points =
        [
            Point(3, "2026-11-01 00:30", read: 100, added: 50, stored: 20), Point(1, "2026-10-31 12:00", read: 10, added: 10, stored: 5),
            Point(2, "2026-10-31 23:30", read: 1, added: 0, stored: 1),
        ];

        Assert.Equal(
            [new GrowthPeriod("2026-10", 2, 11, 10, 6, 6), new GrowthPeriod("2026-11", 1, 100, 50, 20, 26)],
            GrowthPeriod.Of(points, RetentionPeriod.Month, TimeZoneInfo.Utc));
        TimeZoneInfo east = TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(1), "east", "east");
        Assert.Equal(
            [new GrowthPeriod("2026-10-31", 1, 10, 10, 5, 5), new GrowthPeriod("2026-11-01", 2, 101, 50, 21, 26)],
            GrowthPeriod.Of(points, RetentionPeriod.Day, east));
        Assert.Empty(GrowthPeriod.Of([], RetentionPeriod.Year, TimeZoneInfo.Utc));
    }

    [Fact]
    public void CountsThatOverflowAreTheGreatestThereAre()
    {
        RestorePoint[] points =
        [
            Point(1, "2026-10-31 12:00", long.MaxValue, long.MaxValue, long.MaxValue), Point(2, "2026-10-31 13:00", long.MaxValue, 1, 1),
        ];

        Assert.Equal(
            [new GrowthPeriod("2026", 2, long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue)],
            GrowthPeriod.Of(points, RetentionPeriod.Year, TimeZoneInfo.Utc));
    }

    private static RestorePoint Point(int number, string time, long read, long added, long stored) =>
        RetentionPoints.Point(number, RetentionPoints.At(time)) with
        {
            Counts = new BackupCounts { BytesRead = read, BytesAdded = added, BytesStored = stored },
        };
}
