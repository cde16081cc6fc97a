namespace Holdfast.Vault;

/// <summary>Keeps a point whatever any policy or person says, until it is released.</summary>
/// <param name="Since">When the store received it.</param>
/// <param name="Until">When it ends by itself; null for never.</param>
/// <param name="Reason">Why, in the words of who made it; may be empty.</param>
public sealed record PointHold(DateTimeOffset Since, DateTimeOffset? Until, string Reason)
{
    /// <summary>Whether it keeps the point at a time, or has ended by then.</summary>
    public bool IsActiveAt(DateTimeOffset time) => Until is null || Until > time;
}
