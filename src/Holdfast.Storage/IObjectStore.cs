namespace Holdfast.Storage;

/// <summary>
/// Immutable named blobs: all that a vault needs. Objects are written whole, by one put, and never change; there is
/// no append, no rename and no overwrite.
/// </summary>
/// <remarks>
/// Names are lower-case ASCII paths such as <c>data/3f9a…/00000001</c>: components of <c>a-z 0-9 . - _</c> that do not
/// begin with a dot, at most 200 bytes in all. A name is either an object or a prefix of others, never both. May be
/// used from any thread. Every method throws <see cref="ObjectStoreException"/> when the store refuses or does not
/// answer.
/// </remarks>
public interface IObjectStore
{
    /// <summary>Longest object, in bytes.</summary>
    const int MaxObjectBytes = 64 << 20;

    /// <summary>Where it is, as a user would write it; for messages. Holds no secret.</summary>
    string Address { get; }

    /// <summary>What the store promises. A vault relies on what is declared, never on hope.</summary>
    StoreCapabilities Capabilities { get; }

    /// <summary>
    /// The same store past every cache of it on this machine: reads come from where objects are kept, so that they tell what is
    /// there. For whoever verifies; slower. A store that keeps no cache is its own.
    /// </summary>
    IObjectStore Uncached => this;

    /// <summary>
    /// Tries whether the store does what it declares, where only a trial can tell; for whoever is about to rely on it for long.
    /// Leaves nothing behind that a listing shows.
    /// </summary>
    /// <exception cref="ObjectStoreException">It does not; the hint says what is missing.</exception>
    Task VerifyCapabilitiesAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Writes an object unless one of that name exists.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="content">The whole object, 0 bytes to 64 MiB. Only read; not kept after the call.</param>
    /// <param name="cancellationToken">Heeded until the object is durable; cancelling leaves nothing visible, except where the
    /// reply of a remote store was lost.</param>
    /// <returns>Whether it was written, was there with the same content, or the name is taken by another.</returns>
    /// <remarks>When it returns, the object survives power loss (file and directories are synced).</remarks>
    Task<PutOutcome> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Reads part of an object.</summary>
    /// <param name="name">The object's name.</param>
    /// <param name="offset">First byte, from the start of the object.</param>
    /// <param name="target">Filled from its start.</param>
    /// <param name="cancellationToken">Cancelling leaves <paramref name="target"/> undefined.</param>
    /// <returns>Bytes read: fewer than asked only where the object ends; null when there is no such object.</returns>
    ValueTask<int?> ReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken);

    /// <summary>Size and time of an object; null when there is none.</summary>
    Task<ObjectEntry?> StatAsync(string name, CancellationToken cancellationToken);

    /// <summary>Removes an object; false when there was none.</summary>
    /// <remarks>When it returns, the removal survives power loss.</remarks>
    Task<bool> DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// One page of the objects whose names begin with <paramref name="prefix"/>, in ordinal order of names.
    /// </summary>
    /// <param name="prefix">Empty, or ends with '/'.</param>
    /// <param name="after">Names up to and including this one are left out; null for the first page.</param>
    /// <param name="cancellationToken">Stops between entries.</param>
    /// <returns>At most 1,000 entries; an object that is written or deleted meanwhile may or may not be among
    /// them.</returns>
    Task<ObjectPage> ListPageAsync(string prefix, string? after, CancellationToken cancellationToken);
}

/// <summary>What became of a put.</summary>
public enum PutOutcome
{
    /// <summary>The object did not exist and is now durable.</summary>
    Written = 1,

    /// <summary>
    /// An object of that name with exactly this content exists: also the answer to a retry whose first reply was lost.
    /// </summary>
    SameContent = 2,

    /// <summary>An object of that name with other content exists; it was left as it is.</summary>
    Taken = 3,
}

/// <summary>An object as a listing shows it.</summary>
/// <param name="Name">Its whole name.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Stored">When the store received it, by the store's clock.</param>
public readonly record struct ObjectEntry(string Name, long Length, DateTimeOffset Stored);

/// <summary>A page of a listing.</summary>
/// <param name="Entries">In ordinal order of names.</param>
/// <param name="Next">What to pass as <c>after</c> for the next page; null when this was the last.</param>
public readonly record struct ObjectPage(IReadOnlyList<ObjectEntry> Entries, string? Next);

/// <summary>What a store promises.</summary>
/// <param name="CreateOnce">Of several puts of one name at most one is answered with Written, whoever sends
/// them.</param>
/// <param name="Staleness">How long a get or list may go on showing what was; zero when it never does.</param>
/// <param name="RetentionLocks">Objects can be locked against deletion until a date.</param>
public sealed record StoreCapabilities(bool CreateOnce, TimeSpan Staleness, bool RetentionLocks);
