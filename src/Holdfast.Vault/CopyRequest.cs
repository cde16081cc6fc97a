namespace Holdfast.Vault;

/// <summary>What is copied from another vault.</summary>
public sealed record CopyRequest
{
    /// <summary>
    /// The vault to copy from. Only read; it may have the same keys or others. Opened with a key that reads data; where both vaults have
    /// all keys in common any key will do, but what that cannot open is copied without being verified.
    /// </summary>
    public required OpenVault From { get; init; }

    /// <summary>The points to copy, of those that <see cref="From"/> lists; null for all of them.</summary>
    public IReadOnlyList<RestorePoint>? Points { get; init; }

    /// <summary>Who copies, for the lease.</summary>
    public string Host { get; init; } = "";

    /// <summary>zstd level, −5 to 19.</summary>
    public int CompressionLevel { get; init; } = 3;

    /// <summary>How many packs are copied at once, at most: the more, the more memory.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Told of points that are not copied, and why.</summary>
    public Action<ItemNotice>? OnNotice { get; init; }

    /// <summary>Told of each point that was copied: the point there, and its id here. It is durable by then.</summary>
    public Action<RestorePoint, SessionId>? OnCopied { get; init; }

    /// <summary>Receives progress: files, and the bytes that they have.</summary>
    public WorkProgress Progress { get; init; } = new();
}

/// <summary>What a copy did.</summary>
public sealed record CopySummary
{
    /// <summary>Points that were copied.</summary>
    public long Points { get; init; }

    /// <summary>Points that the vault had already.</summary>
    public long PointsThere { get; init; }

    /// <summary>Points that could not be copied since something of them is damaged. Each was named.</summary>
    public long Damaged { get; init; }

    /// <summary>Points that went while they were copied. Each was named.</summary>
    public long Gone { get; init; }

    /// <summary>Bytes of chunks read from the other vault, before compression.</summary>
    public long BytesRead { get; init; }

    /// <summary>Bytes put into the vault.</summary>
    public long BytesStored { get; init; }

    /// <summary>Chunks that the vault did not have.</summary>
    public long ChunksCopied { get; init; }

    /// <summary>Chunks that it had; one that several files or points have counts each time.</summary>
    public long ChunksThere { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }
}
