namespace Holdfast.Vault;

/// <summary>What to check of a vault, and how.</summary>
public sealed record CheckRequest
{
    /// <summary>
    /// Whether content is read and verified too. Without it, all that leads to content is: points, trees, references,
    /// index objects and the footers of all packs.
    /// </summary>
    public bool ReadData { get; init; }

    /// <summary>
    /// With <see cref="ReadData"/>: the fraction of packs to read, above 0 and at most 1; null for all. They are drawn
    /// anew for each check, each pack with the same chance.
    /// </summary>
    public double? Subset { get; init; }

    /// <summary>How many packs and trees are read at once.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Receives progress: packs, and the bytes read of those whose content is read.</summary>
    public WorkProgress Progress { get; init; } = new();

    /// <summary>
    /// Told of damage when it is found (an error; what it affects is known at the end only), and of what is no damage
    /// but worth knowing. The path is the object's name. May be called from any thread.
    /// </summary>
    public Action<ItemNotice>? OnNotice { get; init; }
}
