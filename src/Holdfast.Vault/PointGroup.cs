using System.Globalization;
using System.Text;

namespace Holdfast.Vault;

/// <summary>What points must have in common to be of one group.</summary>
[Flags]
public enum PointGrouping
{
    /// <summary>Nothing: all points are one group.</summary>
    None = 0,

    /// <summary>The host.</summary>
    Host = 1,

    /// <summary>All roots.</summary>
    Path = 2,

    /// <summary>All tags, in any order.</summary>
    Tags = 4,

    /// <summary>Host and roots: the source.</summary>
    Source = Host | Path,
}

/// <summary>Points among which a policy chooses.</summary>
/// <param name="Host">The host of all of them; null where points are not grouped by it.</param>
/// <param name="Roots">The roots of each of them, or null.</param>
/// <param name="Tags">The tags of each of them, sorted, or null.</param>
/// <param name="Points">At least one, in the order in which they were given.</param>
public sealed record PointGroup(
    string? Host, IReadOnlyList<ReadOnlyMemory<byte>>? Roots, IReadOnlyList<string>? Tags, IReadOnlyList<RestorePoint> Points)
{
    /// <summary>Divides points into groups; the group of the first point comes first.</summary>
    public static IReadOnlyList<PointGroup> Divide(IEnumerable<RestorePoint> points, PointGrouping grouping)
    {
        ArgumentNullException.ThrowIfNull(points);
        var groups = new List<PointGroup>();
        var members = new Dictionary<string, List<RestorePoint>>(StringComparer.Ordinal);
        foreach (RestorePoint point in points)
        {
            string[]? tags = grouping.HasFlag(PointGrouping.Tags) ? [.. point.Tags.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)] : null;
            string key = KeyOf(point, grouping, tags);
            if (!members.TryGetValue(key, out List<RestorePoint>? group))
            {
                members.Add(key, group = []);
                groups.Add(new PointGroup(
                    grouping.HasFlag(PointGrouping.Host) ? point.Host : null, grouping.HasFlag(PointGrouping.Path) ? point.Roots : null, tags, group));
            }

            group.Add(point);
        }

        return groups;
    }

    // Each part behind its length: no host, path or tag can be written so that two groups look alike.
    private static string KeyOf(RestorePoint point, PointGrouping grouping, string[]? tags)
    {
        var key = new StringBuilder();
        // A database with an id is one wherever it lies; and a point of one is never in a group with points of the files there.
        bool hasId = grouping.HasFlag(PointGrouping.Source) && point.Database?.Id is not null;
        if (grouping.HasFlag(PointGrouping.Path) && point.Database is { } database) Append(key, $"{database.Engine}:{(hasId ? database.Id : "")}");
        if (grouping.HasFlag(PointGrouping.Host) && !hasId) Append(key, point.Host);
        if (grouping.HasFlag(PointGrouping.Path) && !hasId)
        {
            key.Append(CultureInfo.InvariantCulture, $"{point.Roots.Count};");
            foreach (ReadOnlyMemory<byte> root in point.Roots) Append(key, Convert.ToHexString(root.Span));
        }

        foreach (string tag in tags ?? []) Append(key, tag);
        return key.ToString();
    }

    private static void Append(StringBuilder key, string part) => key.Append(CultureInfo.InvariantCulture, $"{part.Length}:{part}");
}
