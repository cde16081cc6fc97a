using Holdfast.Log;

namespace Holdfast.Bitcask;

/// <summary>What the store holds.</summary>
public sealed partial class BitcaskStore
{
    /// <summary>What the store holds now.</summary>
    public StoreStatistics GetStatistics()
    {
        ThrowIfDisposed();
        lock (log.Gate)
        {
            var segments = new List<SegmentStatistics>();
            foreach (LogSegment segment in log.Segments)
            {
                // An active one without a record yet has no tally.
                if (segment.Tag is not SegmentTally tally) continue;
                long bytes = segment.IsSealed ? segment.Length : segment.End;
                segments.Add(new SegmentStatistics(
                    segment.Number, bytes, tally.LiveRecords, tally.LiveBytes,
                    Math.Max(0, bytes - segment.FirstOffset - tally.LiveBytes - tally.TombstoneBytes - (segment.IsSealed ? LogSegment.SealBytes : 0)),
                    tally.TombstoneBytes, segment.IsSealed, tally.HasHint, tally.IsDamaged));
            }

            return new StoreStatistics(Count, sequence, options.Keydir, keydir.MemoryBytes, segments);
        }
    }
}
