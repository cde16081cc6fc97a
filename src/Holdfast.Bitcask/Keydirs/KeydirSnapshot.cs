namespace Holdfast.Bitcask.Keydirs;

/// <summary>The keys and locations as they were at one instant, until it is disposed. For any number of threads.</summary>
/// <remarks>What it names must stay readable: whoever takes one keeps the segments of that instant.</remarks>
internal abstract class KeydirSnapshot : IDisposable
{
    /// <summary>How many keys there were.</summary>
    public abstract long Count { get; }

    /// <inheritdoc cref="Keydir.TryFind"/>
    public abstract bool TryFind(ulong hash, ReadOnlySpan<byte> key, IRecordMatch match, out Location location);

    /// <summary>Whether the record of a key lay at a place: tells current records from dead ones in a walk over segments.</summary>
    public abstract bool IsCurrent(ulong hash, ReadOnlySpan<byte> key, Location location);

    /// <inheritdoc/>
    public abstract void Dispose();
}
