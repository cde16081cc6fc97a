namespace Holdfast.Vault;

/// <summary>How an export is imported.</summary>
public sealed record ImportRequest
{
    /// <summary>How messages name the file.</summary>
    public required string Name { get; init; }

    /// <summary>Who imports, for the lease.</summary>
    public string Host { get; init; } = "";

    /// <summary>zstd level, −5 to 19.</summary>
    public int CompressionLevel { get; init; } = 3;

    /// <summary>Receives progress: paths, and the bytes of files that are written.</summary>
    public WorkProgress Progress { get; init; } = new();
}

/// <summary>What an import did.</summary>
public sealed record ImportSummary
{
    /// <summary>The restore point in the vault.</summary>
    public SessionId Point { get; init; }

    /// <summary>Whether it was there already: then nothing was done.</summary>
    public bool IsThere { get; init; }

    /// <summary>Where it was made.</summary>
    public required PointOrigin Origin { get; init; }

    /// <summary>The point that it was laid over; null for none.</summary>
    public SessionId? Base { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>The machine that it is of.</summary>
    public string Host { get; init; } = "";

    /// <summary>Bytes of chunks that the vault did not have, before compression.</summary>
    public long BytesAdded { get; init; }

    /// <summary>Bytes put into the vault.</summary>
    public long BytesStored { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }
}
