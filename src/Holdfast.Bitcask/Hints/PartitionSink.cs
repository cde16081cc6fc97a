using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Hints;

/// <summary>Collects the records of a stripe, which are those of a partition of the compact keydir.</summary>
/// <param name="entries">Where they go; there is room.</param>
internal unsafe struct PartitionSink(KeydirEntry* entries) : IHintSink
{
    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <inheritdoc/>
    public void Add(ulong hash, HintEntry entry, uint segment) => entries[Count++] = new KeydirEntry(hash, entry.LocationIn(segment));

    /// <inheritdoc/>
    public void AddTombstone(ulong hash, HintEntry entry)
    {
    }
}
