namespace Holdfast.Cli.Values;

/// <summary>Which restore point is meant: a name, a moment, or the newest of a source not after a moment.</summary>
/// <param name="Name">An id, an unambiguous prefix, <c>latest</c> or <c>latest:HOST:PATH</c>; null for any source.</param>
/// <param name="At">Only points not after this moment count, the newest of them is meant.</param>
internal sealed record PointSelector(string? Name, DateTimeOffset? At)
{
    private const string Latest = "latest";

    /// <summary>Whether a word asks for the newest point, of all sources or of one.</summary>
    public static bool IsLatest(string word) =>
        word == Latest || word.StartsWith(Latest + ":", StringComparison.Ordinal);

    /// <summary>Whether one certain point is meant, and not the newest that there is.</summary>
    public bool IsById => Name is not null && !IsLatest(Name);

    /// <summary>Takes POINT from the front of the words after a verb; the rest are paths.</summary>
    /// <remarks>
    /// With <c>--at</c> POINT is left out, except <c>latest:HOST:PATH</c>, which then chooses the source.
    /// A path of that name is written <c>./latest</c>.
    /// </remarks>
    public static (PointSelector Point, IReadOnlyList<string> Others) Take(IReadOnlyList<string> words, DateTimeOffset? at)
    {
        if (at is not null)
        {
            return words.Count > 0 && IsLatest(words[0])
                ? (new PointSelector(words[0], at), [.. words.Skip(1)])
                : (new PointSelector(null, at), words);
        }

        if (words.Count == 0)
        {
            throw UsageError.Of(
                "POINT is missing", "name a restore point (id, prefix or latest; see \"holdfast points\") or give --at TIME");
        }

        return (new PointSelector(words[0], null), [.. words.Skip(1)]);
    }

    /// <summary>As a message names it.</summary>
    public override string ToString() => (Name, At) switch
    {
        (null, { } at) => $"the newest not after {TimeText.ShowExact(at)}",
        ({ } name, { } at) => $"{name} not after {TimeText.ShowExact(at)}",
        _ => Name ?? Latest,
    };
}
