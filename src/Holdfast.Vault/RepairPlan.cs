using Holdfast.Vault.Repairing;

namespace Holdfast.Vault;

/// <summary>What a repair does to an object.</summary>
public enum RepairAction
{
    /// <summary>Not an action.</summary>
    None = 0,

    /// <summary>An object is brought back from a copy of the vault.</summary>
    BringBack = 1,

    /// <summary>The intact chunks of a damaged pack go to new packs.</summary>
    Salvage = 2,

    /// <summary>Lost chunks are brought back from elsewhere into new packs.</summary>
    Heal = 3,

    /// <summary>Index objects are written anew, from the footers of packs.</summary>
    RebuildIndex = 4,

    /// <summary>The list of what points need is written anew, from their trees.</summary>
    RebuildReferences = 5,

    /// <summary>A restore point is written anew without what is lost, and the old one forgotten.</summary>
    RewritePoint = 6,

    /// <summary>An object is copied to quarantine and removed from its place.</summary>
    Quarantine = 7,

    /// <summary>The records of what a check found rotten are removed, since it has gone.</summary>
    ClearRecords = 8,

    /// <summary>Key epochs are delivered anew to the keys that should have them.</summary>
    DeliverEpochs = 9,
}

/// <summary>A step of a repair.</summary>
/// <param name="Action">What is done.</param>
/// <param name="ObjectName">To which object; empty where it concerns several.</param>
/// <param name="What">In words, for a person.</param>
public sealed record RepairStep(RepairAction Action, string ObjectName, string What);

/// <summary>What a repair is going to do; nothing was written yet.</summary>
public sealed record RepairPlan
{
    /// <summary>What the check found that the plan rests on.</summary>
    public required CheckReport Report { get; init; }

    /// <summary>The steps, in the order in which they are taken; empty when nothing can or need be done.</summary>
    public required IReadOnlyList<RepairStep> Steps { get; init; }

    /// <summary>Damage that stays, each with the reason and what would help.</summary>
    public required IReadOnlyList<RepairStep> Left { get; init; }

    /// <summary>Chunks that points need and that stay lost: none of the places that were allowed has them.</summary>
    public long ChunksLost { get; init; }

    /// <summary>The same as types.</summary>
    internal RepairOrder Order { get; init; } = new();
}

/// <summary>What a repair did.</summary>
public sealed record RepairSummary
{
    /// <summary>Intact chunks of damaged packs that were written anew.</summary>
    public long ChunksSalvaged { get; init; }

    /// <summary>Lost chunks that were brought back.</summary>
    public long ChunksHealed { get; init; }

    /// <summary>Bytes of the objects put, without those in quarantine.</summary>
    public long BytesStored { get; init; }

    /// <summary>Objects that are in quarantine now.</summary>
    public IReadOnlyList<string> Quarantined { get; init; } = [];

    /// <summary>Restore points that were written anew: the old and the new id.</summary>
    public IReadOnlyList<(SessionId Old, SessionId New)> Rewritten { get; init; } = [];
}
