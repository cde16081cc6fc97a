using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Hints;

/// <summary>Takes all current records of a partition. Called by several threads, each with other partitions.</summary>
/// <param name="partition">The upper ten bits of the hashes.</param>
/// <param name="entries">Sorted by hash, one or more. Valid during the call.</param>
internal delegate void FillPartition(int partition, ReadOnlySpan<KeydirEntry> entries);

/// <summary>Takes a key and where its current record lies; keys come in ascending order, each once.</summary>
/// <param name="key">Valid during the call.</param>
/// <param name="location">Where its record lies.</param>
internal delegate void AppendKey(ReadOnlySpan<byte> key, Location location);
