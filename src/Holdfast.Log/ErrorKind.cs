namespace Holdfast.Log;

/// <summary>What sort of failure a <see cref="HoldfastException"/> is. The value is the process's exit code.</summary>
public enum ErrorKind
{
    /// <summary>It failed; the message says what to do.</summary>
    Failed = 1,

    /// <summary>The command line or a configuration file is wrong.</summary>
    Usage = 2,

    /// <summary>Finished, but some items could not be read or written.</summary>
    Incomplete = 3,

    /// <summary>There is no vault, pool, volume or store at the given place.</summary>
    NotThere = 10,

    /// <summary>Somebody else holds it; the message names who.</summary>
    Busy = 11,

    /// <summary>The key is wrong or does not allow this.</summary>
    WrongKey = 12,

    /// <summary>Bytes fail their check where they should be whole.</summary>
    Damage = 13,

    /// <summary>A drill or a verification found a difference.</summary>
    Unverified = 14,

    /// <summary>A policy forbids it.</summary>
    Refused = 15,

    /// <summary>Done, but redundancy is degraded.</summary>
    Degraded = 16,
}
