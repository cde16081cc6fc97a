using Holdfast.Files;

namespace Holdfast.Vault;

/// <summary>How to apply an export.</summary>
public sealed record ApplyRequest
{
    /// <summary>What the export is called in messages, such as its file name.</summary>
    public string Name { get; init; } = "export";

    /// <summary>Verify everything, but change nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Whether owners are set: only root may give files away.</summary>
    public bool KeepOwners { get; init; } = true;

    /// <summary>Finds the users and groups that the export names; without it, and where there is none of a name, the number counts.</summary>
    public IOwnerNames? Owners { get; init; }

    /// <summary>Told of items that could not be given all their attributes.</summary>
    public Action<ItemNotice>? OnNotice { get; init; }

    /// <summary>Told of each path that is changed; in a dry run, that would be.</summary>
    public Action<TreeChange>? OnChange { get; init; }

    /// <summary>Receives progress.</summary>
    public WorkProgress Progress { get; init; } = new();
}

/// <summary>What applying an export did, or in a dry run would do.</summary>
public sealed record ApplySummary
{
    /// <summary>The restore point that the target is now equal to.</summary>
    public required SessionId Point { get; init; }

    /// <summary>What the export was laid over; null for an empty directory.</summary>
    public required SessionId? Base { get; init; }

    /// <summary>The machine of the point.</summary>
    public required string Host { get; init; }

    /// <summary>When the point was made, as its client said.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Paths added.</summary>
    public long Added { get; init; }

    /// <summary>Paths modified.</summary>
    public long Modified { get; init; }

    /// <summary>Paths deleted.</summary>
    public long Deleted { get; init; }

    /// <summary>Paths that were found as they should become: by an earlier run that was cut off, or all if it finished.</summary>
    public long AlreadyApplied { get; init; }

    /// <summary>Bytes of files written.</summary>
    public long BytesWritten { get; init; }

    /// <summary>Items that could not be given all their attributes.</summary>
    public long Errors { get; init; }
}
