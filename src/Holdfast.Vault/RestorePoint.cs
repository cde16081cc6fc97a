namespace Holdfast.Vault;

/// <summary>How a restore point came about. The value is on disk.</summary>
public enum PointKind : byte
{
    /// <summary>Not a kind.</summary>
    None = 0,

    /// <summary>Every file was read.</summary>
    Full = 1,

    /// <summary>Compared with the last full.</summary>
    Differential = 2,

    /// <summary>Compared with the newest point of the same source.</summary>
    Incremental = 3,
}

/// <summary>Counts that a backup leaves with its restore point.</summary>
public sealed record BackupCounts
{
    /// <summary>Files in the point: everything that is no directory.</summary>
    public long Files { get; init; }

    /// <summary>Directories in the point.</summary>
    public long Directories { get; init; }

    /// <summary>Links, pipes and devices among the files.</summary>
    public long Others { get; init; }

    /// <summary>Bytes of all files.</summary>
    public long Bytes { get; init; }

    /// <summary>Files that the base does not have.</summary>
    public long FilesNew { get; init; }

    /// <summary>Files whose content or attributes differ from the base's.</summary>
    public long FilesChanged { get; init; }

    /// <summary>Files as in the base.</summary>
    public long FilesUnmodified { get; init; }

    /// <summary>Files of the base that are gone.</summary>
    public long FilesDeleted { get; init; }

    /// <summary>Bytes read from the source.</summary>
    public long BytesRead { get; init; }

    /// <summary>Bytes of chunks that the vault did not have, before compression.</summary>
    public long BytesAdded { get; init; }

    /// <summary>Bytes that the backup put into the vault, everything included but the point itself.</summary>
    public long BytesStored { get; init; }

    /// <summary>Items that could not be read, or changed while they were.</summary>
    public long Errors { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }
}

/// <summary>One moment of one source that can be restored.</summary>
public sealed record RestorePoint
{
    /// <summary>Its name: 32 hex digits, any unambiguous beginning of which serves.</summary>
    public required SessionId Id { get; init; }

    /// <summary>When the client says it was made.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>When the store received it.</summary>
    public required DateTimeOffset Received { get; init; }

    /// <summary>The time that retention, <c>latest</c> and <c>--at</c> go by: the claimed one only where the admin wrote it.</summary>
    public required DateTimeOffset EffectiveTime { get; init; }

    /// <summary>How it came about.</summary>
    public required PointKind Kind { get; init; }

    /// <summary>What it was compared with; null for a full.</summary>
    public required SessionId? Base { get; init; }

    /// <summary>The machine.</summary>
    public required string Host { get; init; }

    /// <summary>Absolute paths of its roots, in the order of their bytes.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Roots { get; init; }

    /// <summary>Its tags.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>What made it.</summary>
    public required string Program { get; init; }

    /// <summary>Counts.</summary>
    public required BackupCounts Counts { get; init; }

    /// <summary>The hold that was put on it and not released, whether or not its time is over; null for none.</summary>
    public PointHold? Hold { get; init; }

    /// <summary>What it is of, if it is of a database; else null.</summary>
    public PointDatabase? Database { get; init; }

    /// <summary>Where it was made, of a point that was copied from another vault; else null.</summary>
    public PointOrigin? Origin { get; init; }

    /// <summary>Who signed it.</summary>
    internal ulong WriterId { get; init; }

    internal SessionId References { get; init; }

    internal Trees.Content Tree { get; init; } = Trees.Content.Empty;

    internal Trees.Content Changes { get; init; } = Trees.Content.Empty;

    /// <summary>What it is a moment of.</summary>
    public PointSource Source => new(Host, Roots, Database);

    /// <summary>Whether it is of the same source.</summary>
    public bool IsOfSource(PointSource source) => Source.Equals(source);

    /// <summary>Older first; of equal instants the lower id.</summary>
    internal static int CompareAge(RestorePoint a, RestorePoint b)
    {
        int byTime = a.EffectiveTime.CompareTo(b.EffectiveTime);
        return byTime != 0 ? byTime : a.Id.CompareTo(b.Id);
    }
}
