using Holdfast.Bitcask.Keydirs;

namespace Holdfast.Bitcask.Hints;

/// <summary>Takes all current records of a partition. Called by several threads, each with other partitions.</summary>
/// <param name="partition">See <see cref="CompactKeydir.PartitionOf"/>.</param>
/// <param name="entries">Sorted by hash, one or more. Valid during the call.</param>
internal delegate void FillPartition(int partition, ReadOnlySpan<KeydirEntry> entries);
