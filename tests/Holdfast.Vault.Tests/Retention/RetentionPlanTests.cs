using System.Globalization;
using static Holdfast.Vault.Tests.Retention.RetentionPoints;

namespace Holdfast.Vault.Tests.Retention;

public sealed class RetentionPlanTests
{
    [Theory]
    // The newest N, and all when there are fewer.
    [InlineData("l2", "3 4", "2026-11-01T00:00Z", "2026-11-02T00:00Z", "2026-11-03T00:00Z", "2026-11-04T00:00Z")]
    [InlineData("l9", "1 2", "2026-11-01T00:00Z", "2026-11-02T00:00Z")]
    [InlineData("l2147483647", "1 2", "2026-11-01T00:00Z", "2026-11-02T00:00Z")]
    [InlineData("l1", "")]
    // The newest of each day; days without a point do not count.
    [InlineData("d2", "2 4", "2026-11-01T08:00Z", "2026-11-01T23:59Z", "2026-11-20T00:00Z", "2026-11-20T12:00Z")]
    [InlineData("d1", "4", "2026-11-01T08:00Z", "2026-11-01T23:59Z", "2026-11-20T00:00Z", "2026-11-20T12:00Z")]
    // The oldest too, while there are fewer days than are to be kept.
    [InlineData("d3", "1 2 4", "2026-11-01T08:00Z", "2026-11-01T23:59Z", "2026-11-20T00:00Z", "2026-11-20T12:00Z")]
    [InlineData("y3", "1 4", "2026-11-01T08:00Z", "2026-11-01T23:59Z", "2026-11-20T00:00Z", "2026-11-20T12:00Z")]
    // Hours, weeks (from Monday, over the end of the year), months, years.
    [InlineData("h2", "2 3", "2026-11-20T10:00Z", "2026-11-20T10:59Z", "2026-11-20T11:00Z")]
    [InlineData("w2", "2 3", "2025-12-29T00:00Z", "2026-01-04T23:59Z", "2026-01-05T00:00Z")]
    [InlineData("m2", "2 3", "2026-01-31T00:00Z", "2026-01-31T23:00Z", "2026-02-01T00:00Z")]
    [InlineData("y2", "2 3", "2025-01-01T00:00Z", "2025-12-31T23:59Z", "2026-01-01T00:00Z")]
    // Each rule chooses for itself: one point may satisfy several.
    [InlineData("l1 d2 m2", "2 3 4", "2026-09-30T00:00Z", "2026-10-31T00:00Z", "2026-11-01T00:00Z", "2026-11-02T00:00Z")]
    // Within reaches back from the newest point, its end included, not from now.
    [InlineData("l*:2d", "2 3", "2026-01-01T11:59Z", "2026-01-01T12:00Z", "2026-01-03T12:00Z")]
    [InlineData("l*:1m", "2 3", "2026-02-27T23:59Z", "2026-02-28T12:00Z", "2026-03-31T12:00Z")]
    [InlineData("l*:1y1m1d1h", "2 3", "2024-12-28T10:59Z", "2024-12-30T11:00Z", "2026-01-31T12:00Z")]
    [InlineData("d*:3d", "3 5", "2026-11-16T00:00Z", "2026-11-18T10:00Z", "2026-11-18T12:00Z", "2026-11-20T10:00Z", "2026-11-20T12:00Z")]
    [InlineData("l*:9999y", "1 2", "0001-01-01T00:00Z", "2026-11-20T12:00Z")]
    [InlineData("l*:0h", "2 3", "2026-11-20T11:00Z", "2026-11-20T12:00Z", "2026-11-20T12:00Z")]
    // Of equal instants the higher id counts as newer.
    [InlineData("l1", "3", "2026-11-20T12:00Z", "2026-11-20T12:00Z", "2026-11-20T12:00Z")]
    [InlineData("d1", "3", "2026-11-20T12:00Z", "2026-11-20T12:00Z", "2026-11-20T12:00Z")]
    public void RulesKeepWhatTheySay(string rules, string kept, params string[] times)
    {
        RetentionPolicy policy = Policy([.. rules.Split(' ').Select(Rule)]);

        int[] numbers = Kept(PointsAt(times), policy);

        Assert.Equal(kept, string.Join(' ', numbers));
        Assert.Equal(numbers, Kept(PointsAt(times).Reverse(), policy));
    }

    [Theory]
    // A day is the zone's: 23:30 and 00:30 in Berlin are two days, one in UTC.
    [InlineData("d9", "Europe/Berlin", "1 2", "2026-11-19T22:30Z", "2026-11-19T23:30Z")]
    [InlineData("d1", "Europe/Berlin", "2", "2026-11-19T22:30Z", "2026-11-19T23:30Z")]
    [InlineData("d1", "UTC", "3", "2026-11-19T22:30Z", "2026-11-19T22:40Z", "2026-11-19T23:30Z")]
    // Clocks go back on 25 October 2026: 02:30 occurs twice, and these are two hours of one day of 25 hours.
    [InlineData("h2", "Europe/Berlin", "2 3", "2026-10-25T00:10Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z")]
    [InlineData("d1", "Europe/Berlin", "3", "2026-10-24T22:00Z", "2026-10-25T01:30Z", "2026-10-25T22:59Z")]
    [InlineData("d2", "Europe/Berlin", "1 3", "2026-10-24T21:59Z", "2026-10-25T01:30Z", "2026-10-25T22:59Z")]
    // Clocks go forward on 29 March 2026: 01:59 is followed by 03:00, the next hour.
    [InlineData("h2", "Europe/Berlin", "2 3", "2026-03-29T00:10Z", "2026-03-29T00:59Z", "2026-03-29T01:00Z")]
    // Zones half an hour off have hours of their own; Lord Howe goes back by half an hour.
    [InlineData("h2", "Asia/Kolkata", "2 3", "2026-11-20T10:00Z", "2026-11-20T10:29Z", "2026-11-20T10:30Z")]
    [InlineData("h2", "Australia/Lord_Howe", "2 3", "2026-04-04T14:10Z", "2026-04-04T14:50Z", "2026-04-04T15:10Z")]
    // Newfoundland went back at 00:01: 7 November 2010 began, was left for the 6th, and came again. It is one day.
    [InlineData("d1", "America/St_Johns", "4", "2010-11-07T02:00Z", "2010-11-07T02:30:30Z", "2010-11-07T03:00Z", "2010-11-07T05:00Z")]
    [InlineData("d2", "America/St_Johns", "3 4", "2010-11-07T02:00Z", "2010-11-07T02:30:30Z", "2010-11-07T03:00Z", "2010-11-07T05:00Z")]
    [InlineData("d3", "America/St_Johns", "1 3 4", "2010-11-07T02:00Z", "2010-11-07T02:30:30Z", "2010-11-07T03:00Z", "2010-11-07T05:00Z")]
    // A month before 30 November 12:00 in Berlin is 30 October 12:00 there, an hour more in UTC than 30 days.
    [InlineData("l*:1m", "Europe/Berlin", "2 3", "2026-09-25T09:59Z", "2026-09-25T10:00Z", "2026-10-25T11:00Z")]
    // A month before a time that then occurred twice is its first occurrence.
    [InlineData("l*:1m", "Europe/Berlin", "2 3", "2026-10-25T00:29Z", "2026-10-25T00:30Z", "2026-11-25T01:30Z")]
    public void PeriodsAreThoseOfTheZone(string rule, string zone, string kept, params string[] times) =>
        Assert.Equal(kept, string.Join(' ', Kept(PointsAt(times), Policy(Rule(rule)), TimeZoneInfo.FindSystemTimeZoneById(zone))));

    [Fact]
    public void PointsInTheFutureAreKeptAndTakeNoPlace()
    {
        RestorePoint[] points = PointsAt("2026-11-28T00:00Z", "2026-11-30T00:00Z", "2026-12-01T00:59Z", "2026-12-01T01:01Z", "2030-01-01T00:00Z");

        // Point 3 is within what clocks may differ.
        Assert.Equal([3, 4, 5], Kept(points, Policy(Rule("l1"))));
        Assert.Equal([2, 3, 4, 5], Kept(points, Policy(Rule("l*:2d"))));
        Assert.Equal([4, 5], Kept(points[3..], Policy(Rule("l1"))));
        Assert.Equal(
            RetentionVerdict.InFuture, RetentionPlan.Decide(points, Policy(Rule("l1")), TimeZoneInfo.Utc, Now)[4].Reasons.Single().Verdict);
    }

    [Fact]
    public void TagsAndHoldsKeepBesideTheRules()
    {
        RestorePoint held = Point(1, At("2026-01-01T00:00Z")) with { Hold = new PointHold(Now, null, "audit") };
        RestorePoint ended = Point(2, At("2026-01-02T00:00Z")) with { Hold = new PointHold(Now, Now, "over") };
        RestorePoint tagged = Point(3, At("2026-01-03T00:00Z"), tags: ["release", "other"]);
        RestorePoint plain = Point(4, At("2026-01-04T00:00Z")), newest = Point(5, At("2026-01-05T00:00Z"));
        var policy = new RetentionPolicy { Rules = [Rule("l1")], KeepTags = ["release", "never"] };

        IReadOnlyList<RetentionDecision> decisions = RetentionPlan.Decide([held, ended, tagged, plain, newest], policy, TimeZoneInfo.Utc, Now);

        Assert.Equal([true, false, true, false, true], decisions.Select(decision => decision.Keep));
        Assert.Equal(new RetentionReason(RetentionVerdict.OnHold, Text: "audit"), decisions[0].Reasons.Single());
        Assert.Equal(new RetentionReason(RetentionVerdict.Tagged, Text: "release"), decisions[2].Reasons.Single());
        Assert.Equal([1, 3], Kept([held, ended, tagged, plain, newest], policy with { Rules = [] }));
        Assert.Equal(
            RetentionVerdict.Untagged, RetentionPlan.Decide([plain], policy with { Rules = [] }, TimeZoneInfo.Utc, Now)[0].Reasons.Single().Verdict);
    }

    [Fact]
    public void EachDecisionSaysWhy()
    {
        RestorePoint[] points = PointsAt("2026-11-01T00:00Z", "2026-11-19T08:00Z", "2026-11-19T09:00Z", "2026-11-20T08:00Z");
        RetentionRule daily = Rule("d2"), last = Rule("l1"), within = Rule("w*:7d");

        IReadOnlyList<RetentionDecision> decisions = RetentionPlan.Decide(points, Policy(daily, last, within), TimeZoneInfo.Utc, Now);

        Assert.Equal(
            [
                new RetentionReason(RetentionVerdict.Chosen, daily, "2026-11-20", 1), new RetentionReason(RetentionVerdict.Chosen, last, "", 1),
                new RetentionReason(RetentionVerdict.Chosen, within, "2026-W47", 1),
            ],
            decisions[3].Reasons);
        Assert.Equal([new RetentionReason(RetentionVerdict.Chosen, daily, "2026-11-19", 2)], decisions[2].Reasons);
        Assert.Equal(
            [
                new RetentionReason(RetentionVerdict.Superseded, daily, "2026-11-19", By: points[2].Id), new RetentionReason(RetentionVerdict.Beyond, last),
                new RetentionReason(RetentionVerdict.Superseded, within, "2026-W47", By: points[3].Id),
            ],
            decisions[1].Reasons);
        Assert.Equal(
            [
                new RetentionReason(RetentionVerdict.Beyond, daily, "2026-11-01"), new RetentionReason(RetentionVerdict.Beyond, last),
                new RetentionReason(RetentionVerdict.TooOld, within),
            ],
            decisions[0].Reasons);
    }

    /// Goal: the laws of a policy hold whatever the points, rules and zone.
    /// Method: random points, many of them at the same instants or around changes of clocks, and random rules.
    [Fact]
    public void MoreRulesNeverDropMoreAndDecidingAgainDropsNothing()
    {
        string[] zones = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"];
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(zones[random.Next(zones.Length)]);
            RestorePoint[] points = RandomPoints(random);
            RetentionPolicy policy = RandomPolicy(random);
            RetentionRule more = RandomRule(random);

            int[] kept = Kept(points, policy, zone);
            int[] keptWithMore = Kept(points, policy with { Rules = [.. policy.Rules, more] }, zone);
            int[] keptWithHigher = Kept(
                points, policy with { Rules = [.. policy.Rules.Select(rule => rule with { Count = rule.Count == RetentionRule.Unlimited ? rule.Count : rule.Count + 1 })] }, zone);
            int[] again = Kept(points.Where(point => kept.Contains((int)point.Id.Low)), policy, zone);

            Assert.True(kept.All(keptWithMore.Contains), $"seed {seed}: {more} dropped more");
            Assert.True(kept.All(keptWithHigher.Contains), $"seed {seed}: higher counts dropped more");
            Assert.True(kept.SequenceEqual(again), $"seed {seed}: deciding again dropped more");
            Assert.True(policy.Rules.Count == 0 || points.Length == 0 || kept.Length > 0, $"seed {seed}: a rule kept nothing");
        }
    }

    [Fact]
    public void RulesOfHighCountsKeepEverythingOfTheirPeriods()
    {
        RestorePoint[] points = [.. Enumerable.Range(0, 10_000).Select(i => Point(i, At("2026-11-30T00:00Z").AddHours(-i)))];

        IReadOnlyList<RetentionDecision> decisions = RetentionPlan.Decide(
            points, Policy(Rule("l10"), Rule("h100"), Rule("d2147483647"), Rule("w*:10y")), RetentionPoints.Berlin, Now);

        Assert.Equal(10_000, decisions.Count);
        // Of an hour, a day and a week each the newest, found in another way; and the oldest of all.
        IEnumerable<RestorePoint> hours = points.Take(100), last = points.Take(10);
        IEnumerable<RestorePoint> days = points.GroupBy(point => TimeZoneInfo.ConvertTime(point.EffectiveTime, RetentionPoints.Berlin).Date).Select(day => day.First());
        HashSet<SessionId> expected = [.. hours.Concat(last).Concat(days).Append(points[^1]).Select(point => point.Id)];
        Assert.Equal(expected.Count, decisions.Count(decision => decision.Keep));
        Assert.All(decisions, decision => Assert.Equal(expected.Contains(decision.Point.Id), decision.Keep));
    }

    [Theory]
    [InlineData("1y5m7d2h", "1y5m7d2h")]
    [InlineData("", "0h")]
    [InlineData("14d", "14d")]
    public void SpansAreWrittenAsTheyAreRead(string text, string written) => Assert.Equal(written, Span(text).ToString());

    [Fact]
    public void SpansLongerThanTheCalendarEndAtItsBeginning()
    {
        DateTimeOffset moment = DateTimeOffset.Parse("2026-11-20T12:00Z", CultureInfo.InvariantCulture);
        foreach (CalendarSpan span in (CalendarSpan[])[new(int.MaxValue, 0, 0, 0), new(0, int.MaxValue, 0, 0), new(0, 0, int.MaxValue, int.MaxValue), new(2024, 11, 0, 0)])
        {
            Assert.Equal(DateTimeOffset.MinValue, span.Before(moment, RetentionPoints.Berlin));
        }
    }

    private static RestorePoint[] RandomPoints(Random random)
    {
        DateTimeOffset[] ends = [At("2026-11-30T00:00Z"), At("2026-10-25T03:00Z"), At("2026-03-29T03:00Z"), At("2010-11-07T06:00Z"), At("2026-04-04T16:00Z"), At("2012-01-02T00:00Z")];
        DateTimeOffset end = ends[random.Next(ends.Length)];
        double reachHours = Math.Pow(10, random.NextDouble() * 4.5);
        return
        [
            .. Enumerable.Range(1, random.Next(40)).Select(i =>
            {
                DateTimeOffset time = end.AddMinutes(-Math.Round(random.NextDouble() * reachHours * 60 / 15) * 15);
                RestorePoint point = Point(i, time, tags: random.Next(5) == 0 ? ["t"] : []);
                return random.Next(10) == 0 ? point with { Hold = new PointHold(end, null, "") } : point;
            }),
        ];
    }

    private static RetentionPolicy RandomPolicy(Random random) => new()
    {
        Rules = [.. Enumerable.Range(0, random.Next(4)).Select(_ => RandomRule(random))],
        KeepTags = random.Next(3) == 0 ? ["t"] : [],
    };

    private static RetentionRule RandomRule(Random random) => new(
        (RetentionPeriod)random.Next(6),
        random.Next(4) == 0 ? RetentionRule.Unlimited : random.Next(1, 6),
        random.Next(3) == 0 ? new CalendarSpan(0, random.Next(3), random.Next(20), random.Next(30)) : null);
}
