namespace Holdfast.Vault;

/// <summary>What a repair looks for, and where it may take lost content from.</summary>
public sealed record RepairRequest
{
    /// <summary>Whether the content of packs is read, to find what has rotted. Without it, all that leads to content is.</summary>
    public bool ReadData { get; init; }

    /// <summary>
    /// Another vault that may hold what is lost: one with equal secrets gives chunks by their ids, a copy of this one also
    /// restore points, marks and key slots, any other the ranges of files. Opened with a key that reads; not written to.
    /// </summary>
    public OpenVault? From { get; init; }

    /// <summary>Whether lost content is looked for in the files that were backed up, at their absolute paths on this machine.</summary>
    public bool ReadsSource { get; init; }

    /// <summary>
    /// Whether restore points and marks that cannot be read, and of which there is no copy, are put into quarantine: what
    /// only such points need may then be pruned, and holds that such marks put are over.
    /// </summary>
    public bool DropsUnreadable { get; init; }

    /// <summary>Whether restore points of which files or directories are lost are written anew without these.</summary>
    public bool RewritesPoints { get; init; }

    /// <summary>Who repairs, for the lease.</summary>
    public string Host { get; init; } = "";

    /// <summary>Level of zstd for what is written.</summary>
    public int CompressionLevel { get; init; } = 3;

    /// <summary>How many packs and trees are read at once while looking for damage.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>As <see cref="CheckRequest.TableBytes"/>.</summary>
    public long TableBytes { get; init; } = CheckRequest.DefaultTableBytes;

    /// <summary>Receives the progress of looking for damage.</summary>
    public WorkProgress Progress { get; init; } = new();

    /// <summary>As <see cref="CheckRequest.OnNotice"/>; while a plan is carried out, told of what turned out otherwise.</summary>
    public Action<ItemNotice>? OnNotice { get; init; }
}
