using System.CommandLine;
using System.Globalization;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands.Forget;

/// <summary>The flags that say what is kept, and their names in what is said of a point.</summary>
internal sealed class RetentionFlags
{
    private const string UnlimitedText = "unlimited";

    private static readonly (RetentionPeriod Period, string Name, string Unit)[] Periods =
    [
        (RetentionPeriod.Each, "last", ""), (RetentionPeriod.Hour, "hourly", "hour"), (RetentionPeriod.Day, "daily", "day"),
        (RetentionPeriod.Week, "weekly", "week (from Monday)"), (RetentionPeriod.Month, "monthly", "month"), (RetentionPeriod.Year, "yearly", "year"),
    ];

    private readonly (RetentionPeriod Period, Option<string?> Option)[] counts =
    [
        .. Periods.Select(each => (each.Period, One(
            "--keep-" + each.Name, "N",
            each.Period == RetentionPeriod.Each ? "keep the newest N points" : $"keep the newest point of each {each.Unit}, of the newest N that have one"))),
    ];

    private readonly (RetentionPeriod Period, Option<string?> Option)[] spans =
    [
        .. Periods.Select(each => (each.Period, One(
            each.Period == RetentionPeriod.Each ? "--keep-within" : "--keep-within-" + each.Name, "SPAN",
            each.Period == RetentionPeriod.Each
                ? "keep all points that are at most SPAN older than the newest"
                : $"of these keep the newest point of each {each.Unit}"))),
    ];

    private readonly Option<string[]> tags = Many("--keep-tag", "TAG", "keep points with this tag (repeatable: one of them)");

    /// <summary>All of them, in the order of help.</summary>
    public Symbol[] All => [.. counts.Select(static each => each.Option), .. spans.Select(static each => each.Option), tags];

    /// <summary>The policy that a command line means.</summary>
    public RetentionPolicy Read(ParseResult parse)
    {
        var rules = new List<RetentionRule>();
        foreach ((RetentionPeriod period, Option<string?> option) in counts)
        {
            if (parse.GetValue(option) is { } text) rules.Add(new RetentionRule(period, ParseCount(text, option.Name)));
        }

        foreach ((RetentionPeriod period, Option<string?> option) in spans)
        {
            if (parse.GetValue(option) is { } text) rules.Add(new RetentionRule(period, Within: CalendarSpanText.Parse(text, option.Name)));
        }

        return new RetentionPolicy { Rules = rules, KeepTags = parse.All(tags) };
    }

    /// <summary>A rule as its flag names it: <c>daily</c>, <c>within-weekly</c>.</summary>
    public static string NameOf(RetentionRule rule)
    {
        string name = Periods[(int)rule.Period].Name;
        return rule.Within is null ? name : rule.Period == RetentionPeriod.Each ? "within" : "within-" + name;
    }

    /// <summary>The same with its value: <c>daily 7</c>, <c>within 2m</c>.</summary>
    public static string Describe(RetentionRule rule) =>
        $"{NameOf(rule)} {rule.Within?.ToString() ?? (rule.Count == RetentionRule.Unlimited ? UnlimitedText : rule.Count.ToString(CultureInfo.InvariantCulture))}";

    // 0 would read as "keep none" and mean "no rule".
    private static int ParseCount(string text, string flag) =>
        text == UnlimitedText ? RetentionRule.Unlimited : NumberText.Parse(text, flag, 1, int.MaxValue);
}
