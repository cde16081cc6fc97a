namespace Holdfast.Vault;

/// <summary>Of how many points one is kept.</summary>
public enum RetentionPeriod
{
    /// <summary>Every point by itself.</summary>
    Each = 0,

    /// <summary>An hour of the clock. Where clocks go back, the hour that occurs twice is two.</summary>
    Hour = 1,

    /// <summary>A day of the calendar.</summary>
    Day = 2,

    /// <summary>A week that begins on Monday (ISO 8601).</summary>
    Week = 3,

    /// <summary>A month of the calendar.</summary>
    Month = 4,

    /// <summary>A year of the calendar.</summary>
    Year = 5,
}

/// <summary>Keeps the newest point of each of some periods.</summary>
/// <param name="Period">The period.</param>
/// <param name="Count">Of so many periods that have a point, from the newest on.</param>
/// <param name="Within">Only of points that are at most so much older than the newest; null for all.</param>
/// <remarks>While there are fewer periods than <paramref name="Count"/>, the oldest point is kept too, so that a history begins to grow.</remarks>
public sealed record RetentionRule(RetentionPeriod Period, int Count = RetentionRule.Unlimited, CalendarSpan? Within = null)
{
    /// <summary>Any number of periods.</summary>
    public const int Unlimited = int.MaxValue;
}

/// <summary>What is to be kept. A point that any rule keeps is kept, whatever the others say.</summary>
public sealed record RetentionPolicy
{
    /// <summary>The rules.</summary>
    public IReadOnlyList<RetentionRule> Rules { get; init; } = [];

    /// <summary>Points that have one of these tags are kept.</summary>
    public IReadOnlyList<string> KeepTags { get; init; } = [];

    /// <summary>Whether it says nothing: it would keep only what is on hold.</summary>
    public bool IsEmpty => Rules.Count == 0 && KeepTags.Count == 0;
}
