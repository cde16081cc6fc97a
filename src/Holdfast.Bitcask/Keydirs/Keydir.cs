namespace Holdfast.Bitcask.Keydirs;

/// <summary>Key → where its current record lies, in memory.</summary>
/// <remarks>
/// One thread at a time changes it by <see cref="Set"/> and <see cref="Remove"/> (the store's writer lock);
/// <see cref="TryMove"/> and <see cref="MarkVerified"/> may be called by others at the same time, and
/// <see cref="TryFind"/> by any number of threads, inside a read of <see cref="ReadEpochs"/>: what is replaced is freed
/// only after such reads. Nobody waits for longer than another's change of a few slots takes.
/// </remarks>
internal abstract class Keydir : IDisposable
{
    /// <summary>How many keys there are.</summary>
    public abstract long Count { get; }

    /// <summary>Memory held, bytes; that of snapshots not included.</summary>
    public abstract long MemoryBytes { get; }

    /// <summary>A hint that <see cref="Prefetch"/> will be called soon. By any thread, at any time.</summary>
    public virtual void PrefetchFirst(ulong hash)
    {
    }

    /// <summary>A hint that a key will be looked for or changed soon: what that needs is fetched from memory meanwhile.</summary>
    public virtual void Prefetch(ulong hash)
    {
    }

    /// <summary>Finds where the record of a key lies.</summary>
    /// <param name="hash">The key's hash.</param>
    /// <param name="key">The key.</param>
    /// <param name="match">Asked about each candidate. What it says of the one that is returned was said last.</param>
    /// <param name="location">Where it lies.</param>
    public abstract bool TryFind(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location location);

    /// <summary>Adds a key, or gives it another location.</summary>
    /// <param name="hash">The key's hash.</param>
    /// <param name="key">The key.</param>
    /// <param name="location">Where its record lies now.</param>
    /// <param name="match">Asked about each candidate.</param>
    /// <param name="replaced">Where its record lay so far, if the key was there.</param>
    /// <returns>Whether the key was there.</returns>
    public abstract bool Set(
        ulong hash, ReadOnlySpan<byte> key, Location location, IRecordMatch match, out Location replaced);

    /// <summary>Takes a key out; false when it is not there.</summary>
    public abstract bool Remove(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location removed);

    /// <summary>Takes a key out if its record lies at a place still: for the merge, which met an expired record.</summary>
    public abstract bool TryRemove(ulong hash, ReadOnlySpan<byte> key, Location from);

    /// <summary>Gives a key another location if its record lies at <paramref name="from"/> still: for the merge.</summary>
    public abstract bool TryMove(ulong hash, ReadOnlySpan<byte> key, Location from, Location to);

    /// <summary>Notes that the record at a place was read through its CRC. May do nothing when others are busy.</summary>
    public abstract void MarkVerified(ulong hash, ReadOnlySpan<byte> key, Location location);

    /// <summary>All keys as they are now. Called under the store's writer lock; costs the same for any number of keys.</summary>
    public abstract KeydirSnapshot Snapshot();

    /// <inheritdoc/>
    public abstract void Dispose();
}
