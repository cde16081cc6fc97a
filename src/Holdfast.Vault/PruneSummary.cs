namespace Holdfast.Vault;

/// <summary>A session for which something must wait before it is deleted.</summary>
/// <param name="Session">Its id.</param>
/// <param name="Host">Where it runs; empty where its lease cannot be read.</param>
/// <param name="LastSeen">When the store received its newest lease object.</param>
public sealed record WaitedSession(SessionId Session, string Host, DateTimeOffset LastSeen);

/// <summary>What stopped a prune before its end.</summary>
public enum PruneLimit
{
    /// <summary>Nothing did.</summary>
    None = 0,

    /// <summary>Its time was over.</summary>
    Time = 1,

    /// <summary>It had moved as many bytes as it may.</summary>
    Moved = 2,

    /// <summary>It had made as many requests as it may.</summary>
    Requests = 3,
}

/// <summary>What a prune would do.</summary>
public sealed record PrunePlan
{
    /// <summary>Forgotten points that go.</summary>
    public required int Points { get; init; }

    /// <summary>Forgotten points that stay until the undelete window is over.</summary>
    public required int PointsInWindow { get; init; }

    /// <summary>Packs that nobody needs.</summary>
    public required int UnneededPacks { get; init; }

    /// <summary>Their size.</summary>
    public required long UnneededBytes { get; init; }

    /// <summary>Packs that an earlier prune condemned, and that go once no session may need them.</summary>
    public required int PendingPacks { get; init; }

    /// <summary>Their size.</summary>
    public required long PendingBytes { get; init; }

    /// <summary>Packs whose chunks are moved, because too much of them is needed by nobody, or because of their keys.</summary>
    public required int MovedPacks { get; init; }

    /// <summary>Their size.</summary>
    public required long MovedPackBytes { get; init; }

    /// <summary>How much of them is needed, and is written again.</summary>
    public required long MovedBytes { get; init; }

    /// <summary>Packs with keys of old epochs, where they are to be sealed anew: those that are not moved stay so until the next prune that does it.</summary>
    public required int OldPacks { get; init; }

    /// <summary>Their size.</summary>
    public required long OldPackBytes { get; init; }

    /// <summary>Size of all packs that stay, those with moved chunks included.</summary>
    public required long KeptBytes { get; init; }

    /// <summary>How much of that nobody needs.</summary>
    public required long UnusedBytes { get; init; }

    /// <summary>Whether sizes of chunks are shares by their number, because there are too many footers to read.</summary>
    public required bool IsEstimate { get; init; }

    /// <summary>Sessions at work, for which deletions may have to wait.</summary>
    public required IReadOnlyList<WaitedSession> Sessions { get; init; }

    /// <summary>How much comes free.</summary>
    public long FreedBytes => UnneededBytes + PendingBytes + MovedPackBytes - MovedBytes;
}

/// <summary>What a prune did.</summary>
public sealed record PruneSummary
{
    /// <summary>What it set out to do.</summary>
    public required PrunePlan Plan { get; init; }

    /// <summary>Points that were deleted.</summary>
    public required int Points { get; init; }

    /// <summary>Packs that were deleted.</summary>
    public required int Packs { get; init; }

    /// <summary>Their size.</summary>
    public required long PackBytes { get; init; }

    /// <summary>Packs whose chunks were moved.</summary>
    public required int MovedPacks { get; init; }

    /// <summary>Bytes that were written for that.</summary>
    public required long MovedBytes { get; init; }

    /// <summary>Packs that are condemned, and wait for <see cref="WaitsFor"/>.</summary>
    public required int WaitingPacks { get; init; }

    /// <summary>Sessions that may need what is condemned. When they are done, or dead, the next prune deletes it.</summary>
    public required IReadOnlyList<WaitedSession> WaitsFor { get; init; }

    /// <summary>What stopped it before its end; the next prune goes on.</summary>
    public required PruneLimit StoppedBy { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }
}
