namespace Holdfast.Files;

/// <summary>On whose behalf an operation is done, and how to stop it.</summary>
/// <remarks>
/// A tree does not check permissions: the kernel does under FUSE, a wrapper does for NFS. It uses the caller to own what
/// it creates, to journal who did it, and to stop when asked.
/// </remarks>
public sealed record Caller
{
    /// <summary>Owner of what is created.</summary>
    public required uint Uid { get; init; }

    /// <summary>Group of what is created.</summary>
    public required uint Gid { get; init; }

    /// <summary>Further groups.</summary>
    public IReadOnlyList<uint> Groups { get; init; } = [];

    /// <summary>Bits taken away from the mode of what is created.</summary>
    public uint Umask { get; init; }

    /// <summary>The process that asks; 0 when it is on another machine.</summary>
    public int ProcessId { get; init; }

    /// <summary>The address of the client on another machine; null for a local process.</summary>
    public string? ClientAddress { get; init; }

    /// <summary>The client's number of this request, so that one sent again is known; 0 for a local process.</summary>
    public ulong RequestId { get; init; }

    /// <summary>
    /// Whether the answer to a change is to hold the attributes before and after it. Who does not look at them says no, and
    /// a tree may leave every <see cref="Mutation"/> empty: on a local disk reading them costs as much as many a change.
    /// </summary>
    public bool WantsMutations { get; init; } = true;

    /// <summary>Stops waits; an operation that has begun to change something finishes.</summary>
    public CancellationToken Cancellation { get; init; }
}
