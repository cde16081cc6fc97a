using Holdfast.Log;

namespace Holdfast.Vault;

/// <summary>What is to be forgotten, and how.</summary>
public sealed record ForgetRequest
{
    /// <summary>These points and no others; empty to go by the policy.</summary>
    public IReadOnlyList<SessionId> Points { get; init; } = [];

    /// <summary>What of each group is kept; heeded where no points are named.</summary>
    public RetentionPolicy Policy { get; init; } = new();

    /// <summary>The points that the policy is asked about; the others are left alone. Null for all.</summary>
    public Func<RestorePoint, bool>? Selects { get; init; }

    /// <summary>What the points of a group have in common.</summary>
    public PointGrouping Grouping { get; init; } = PointGrouping.Source;

    /// <summary>Whose calendar the policy goes by.</summary>
    public required TimeZoneInfo Zone { get; init; }

    /// <summary>Whether a group may lose all of its points.</summary>
    public bool AllowsEmptyGroups { get; init; }

    /// <summary>Whether it is found out how much comes free: reads the references of all points, and footers of packs.</summary>
    public bool MeasuresSpace { get; init; }
}

/// <summary>One group of a plan.</summary>
/// <param name="Group">Its points.</param>
/// <param name="Decisions">Oldest first: one for each point, or, where points were named, one for each of these.</param>
public sealed record ForgetGroup(PointGroup Group, IReadOnlyList<RetentionDecision> Decisions)
{
    /// <summary>Whether none of its points would be left.</summary>
    public bool LosesAll => Decisions.Count(decision => !decision.Keep) == Group.Points.Count;
}

/// <summary>What forgetting would do, before it is done.</summary>
public sealed record ForgetPlan
{
    /// <summary>Group by group, that of the oldest point first.</summary>
    public required IReadOnlyList<ForgetGroup> Groups { get; init; }

    /// <summary>How much comes free; null where that was not asked for.</summary>
    public FreedSpace? Freed { get; init; }

    /// <summary>The number of the mark that carries it out: taken by somebody else, it is no longer what should be done.</summary>
    internal uint Mark { get; init; }

    /// <summary>Refuses what would leave a group without any point.</summary>
    /// <exception cref="HoldfastException">Kind Refused: there is such a group.</exception>
    public void ThrowIfAnyLosesAll()
    {
        ForgetGroup[] emptied = [.. Groups.Where(group => group.LosesAll)];
        if (emptied.Length == 0) return;
        RestorePoint one = emptied[0].Group.Points[^1];
        string more = emptied.Length > 1 ? $", and {emptied.Length - 1} other groups none of theirs" : "";
        string roots = string.Join(' ', one.Roots.Select(static root => Files.BytePath.Display(root.Span)));
        throw new HoldfastException(
            ErrorKind.Refused, $"the group of restore point {one.Id.ToShortString()} ({one.Host} {roots}) would keep none of its points{more}: nothing was forgotten",
            "keep some of them, or give --allow-remove-all");
    }

    /// <summary>What is forgotten, oldest first in each group.</summary>
    public IEnumerable<RestorePoint> Dropped => Groups.SelectMany(group => group.Decisions).Where(decision => !decision.Keep).Select(decision => decision.Point);
}
