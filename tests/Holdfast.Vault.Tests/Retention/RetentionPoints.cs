using System.Globalization;

namespace Holdfast.Vault.Tests.Retention;

/// Points that are nothing but an id, a time and tags.
internal static class RetentionPoints
{
    public static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    public static readonly DateTimeOffset Now = At("2026-12-01T00:00Z");

    public static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public static RestorePoint Point(int number, DateTimeOffset time, string host = "here", string root = "/home", params string[] tags) => new()
    {
        Id = new SessionId(0, (ulong)number),
        Time = time,
        Received = time,
        EffectiveTime = time,
        Kind = PointKind.Incremental,
        Base = null,
        Host = host,
        Roots = [System.Text.Encoding.UTF8.GetBytes(root)],
        Tags = tags,
        Program = "test",
        Counts = new BackupCounts(),
    };

    /// Points at times, numbered from 1.
    public static RestorePoint[] PointsAt(params string[] times) => [.. times.Select((time, i) => Point(i + 1, At(time)))];

    public static RetentionPolicy Policy(params RetentionRule[] rules) => new() { Rules = rules };

    /// The numbers of the points that are kept, oldest first.
    public static int[] Kept(IEnumerable<RestorePoint> points, RetentionPolicy policy, TimeZoneInfo? zone = null, DateTimeOffset? now = null) =>
        [.. RetentionPlan.Decide([.. points], policy, zone ?? TimeZoneInfo.Utc, now ?? Now).Where(decision => decision.Keep).Select(decision => (int)decision.Point.Id.Low)];

    /// One rule as letters: l, h, d, w, m, y, then a count or *; behind a colon a span such as 1y2m3d4h.
    public static RetentionRule Rule(string text)
    {
        string[] parts = text.Split(':');
        RetentionPeriod period = text[0] switch
        {
            'l' => RetentionPeriod.Each,
            'h' => RetentionPeriod.Hour,
            'd' => RetentionPeriod.Day,
            'w' => RetentionPeriod.Week,
            'm' => RetentionPeriod.Month,
            _ => RetentionPeriod.Year,
        };
        int count = parts[0][1..] == "*" ? RetentionRule.Unlimited : int.Parse(parts[0][1..], CultureInfo.InvariantCulture);
        return new RetentionRule(period, count, parts.Length > 1 ? Span(parts[1]) : null);
    }

    public static CalendarSpan Span(string text)
    {
        int[] counts = new int[4];
        int count = 0;
        foreach (char c in text)
        {
            if (char.IsAsciiDigit(c)) count = (count * 10) + c - '0';
            else (counts["ymdh".IndexOf(c, StringComparison.Ordinal)], count) = (count, 0);
        }

        return new CalendarSpan(counts[0], counts[1], counts[2], counts[3]);
    }
}
