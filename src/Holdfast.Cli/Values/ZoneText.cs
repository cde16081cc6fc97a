namespace Holdfast.Cli.Values;

/// <summary>Names of time zones.</summary>
internal static class ZoneText
{
    /// <summary>The zone of a name such as <c>UTC</c> or <c>Europe/Berlin</c>.</summary>
    /// <param name="flag">For the error.</param>
    /// <param name="name">The name.</param>
    public static TimeZoneInfo Parse(string flag, string name) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone)
            ? zone
            : throw UsageError.Of($"{flag}: there is no zone '{name}'", "write UTC, or a name such as Europe/Berlin");
}
