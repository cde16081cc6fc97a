using Holdfast.Files;
using Holdfast.Files.Selection;

namespace Holdfast.Vault;

/// <summary>What to do with a file that is in the target already.</summary>
public enum OverwriteMode
{
    /// <summary>Compare its content and write what differs.</summary>
    Always = 0,

    /// <summary>The same, but believe that a file of the same size and mtime is the same.</summary>
    IfChanged = 1,

    /// <summary>Leave it as it is.</summary>
    Never = 2,
}

/// <summary>What to restore, and how.</summary>
public sealed record RestoreRequest
{
    /// <summary>Receives the content: of a point with one root that root's; of several each under its absolute path.</summary>
    public required IFileTree Target { get; init; }

    /// <summary>What to take of the point; paths as <c>ls</c> shows them.</summary>
    public PathSelection Selection { get; init; } = PathSelection.All;

    /// <summary>What to do with files that are there.</summary>
    public OverwriteMode Overwrite { get; init; }

    /// <summary>Whether what the point does not have is removed from directories that are restored whole.</summary>
    public bool Delete { get; init; }

    /// <summary>Only say what would be done: nothing is written.</summary>
    public bool DryRun { get; init; }

    /// <summary>Read everything back and compare.</summary>
    public bool Verify { get; init; }

    /// <summary>Whether owners are restored: only root may give files away.</summary>
    public bool KeepOwners { get; init; } = true;

    /// <summary>Finds the users and groups that the point names; without it, and where there is none of a name, the number counts.</summary>
    public IOwnerNames? Owners { get; init; }

    /// <summary>How many packs are read at once.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>How many chunks are gathered before they are fetched: more are read in a better order, and take memory.</summary>
    internal int BatchChunks { get; init; } = 16 << 10;

    /// <summary>Told of items that could not be restored; may be called from any thread.</summary>
    public Action<ItemNotice>? OnNotice { get; init; }

    /// <summary>Told of each entry that is added, modified or deleted in the target.</summary>
    public Action<TreeChange>? OnChange { get; init; }

    /// <summary>Receives progress.</summary>
    public WorkProgress Progress { get; init; } = new();
}

/// <summary>What a restore did.</summary>
public sealed record RestoreSummary
{
    /// <summary>Files, links, pipes and devices that are new in the target.</summary>
    public long FilesAdded { get; init; }

    /// <summary>Those that were there and differed.</summary>
    public long FilesModified { get; init; }

    /// <summary>Those that were there and were as they should be.</summary>
    public long FilesUnmodified { get; init; }

    /// <summary>Those that were there and were left as they are, as asked.</summary>
    public long FilesSkipped { get; init; }

    /// <summary>Entries that the point does not have and that were removed.</summary>
    public long Deleted { get; init; }

    /// <summary>Directories.</summary>
    public long Directories { get; init; }

    /// <summary>Bytes written.</summary>
    public long BytesWritten { get; init; }

    /// <summary>Items that could not be restored, or not with all their attributes.</summary>
    public long Errors { get; init; }

    /// <summary>Of these, items whose data is damaged or missing in the vault.</summary>
    public long Damaged { get; init; }

    /// <summary>Items that did not read back as they should.</summary>
    public long Unverified { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }
}
