namespace Holdfast.Vault;

/// <summary>What to check of a vault, and how.</summary>
public sealed record CheckRequest
{
    /// <summary>What a check takes for its table of chunks unless told otherwise.</summary>
    public const long DefaultTableBytes = 64 << 20;

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

    /// <summary>
    /// With <see cref="ReadData"/>: packs of about so many bytes in all, at least one, are read; null for no such limit. Drawn
    /// anew as with <see cref="Subset"/>.
    /// </summary>
    public long? MaxBytes { get; init; }

    /// <summary>
    /// With <see cref="ReadData"/>: one of so many parts, by the names of packs, which stay in their part for ever: as many
    /// checks as there are parts cover all. Numbers from 1.
    /// </summary>
    public (int Number, int Count)? Part { get; init; }

    /// <summary>With <see cref="ReadData"/>: no pack is begun when reading has taken so long.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>
    /// With <see cref="ReadData"/>: packs are read in the order in which they were verified last, longest ago first, within
    /// <see cref="Subset"/>, <see cref="MaxBytes"/> and <see cref="MaxTime"/>; which they were is recorded in the vault.
    /// </summary>
    public bool Rolling { get; init; }

    /// <summary>With <see cref="Rolling"/>: how long ago any pack may have been verified at most.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Whether what is found broken in content is recorded in the vault, so that backups store it anew. A key that may not
    /// write goes without.
    /// </summary>
    public bool RecordsDamage { get; init; }

    /// <summary>
    /// How many bytes of memory the table of all chunks may take, 45 for each. Of more chunks than that it is in a temporary file,
    /// which takes about 50 bytes a chunk.
    /// </summary>
    public long TableBytes { get; init; } = DefaultTableBytes;

    /// <summary>Where the temporary file is made, which has no name there.</summary>
    public string TemporaryDirectory { get; init; } = Path.GetTempPath();

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
