namespace Holdfast.Vault;

/// <summary>How much a prune does, and how far it goes.</summary>
public sealed record PruneRequest
{
    /// <summary>How much of what is kept may be needed by nobody, as a share from 0 to 1: what is beyond is moved together.</summary>
    public double MaxUnusedShare { get; init; } = 0.05;

    /// <summary>The same in bytes; where given, it is heeded instead of the share.</summary>
    public long? MaxUnusedBytes { get; init; }

    /// <summary>
    /// Whether packs are moved, too, of which keys are sealed in an epoch that is not the newest (<see cref="VaultUse.Rewrap"/>): once they are
    /// deleted, a key that was removed before the newest epoch cannot read what is in them, even with the whole store. Nothing is encrypted anew.
    /// </summary>
    public bool Rewraps { get; init; }

    /// <summary>Begins nothing more after so long.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>Writes no more than this when it moves chunks.</summary>
    public long? MaxMovedBytes { get; init; }

    /// <summary>Begins nothing more after so many requests to the store.</summary>
    public long? MaxRequests { get; init; }

    /// <summary>Whether it stays until no session is left that may need what is to be deleted. Else the next prune deletes it.</summary>
    public bool Waits { get; init; }

    /// <summary>For how long a forgotten point is left; null for what the vault's settings say.</summary>
    public TimeSpan? UndeleteWindow { get; init; }

    /// <summary>On which machine it runs, as leases tell.</summary>
    public string Host { get; init; } = Environment.MachineName;

    /// <summary>Counts packs that were looked at, moved and deleted.</summary>
    public WorkProgress Progress { get; init; } = new();
}
