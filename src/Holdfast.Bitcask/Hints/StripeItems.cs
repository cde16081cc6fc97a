using System.Runtime.CompilerServices;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Hints;

/// <summary>The entries of one stripe of all sources: collected, checked as they are walked, and sorted. For one thread.</summary>
/// <remarks>
/// Hashes are spread evenly, so sorting is one pass into about as many buckets as there are entries, and a last one
/// over neighbours that stand wrong. Sources come in the order of their segments, and equal hashes stay in it.
/// </remarks>
internal sealed unsafe class StripeItems : IDisposable
{
    private const int StripeBits = 64 - HintStripe.HashShift;
    private const int MinBucketBits = 6;
    private const int MaxBucketBits = 20;
    private const uint FrameAlignment = 8;

    // Records of keys that are written often may all be in one bucket; sorting by neighbours costs their number
    // squared.
    private const uint MaxBucketToWalk = 32;

    private readonly NativeBuffer collected = new();
    private readonly NativeBuffer sorted = new();
    private readonly NativeBuffer buckets = new();
    private StripeItem* items;
    private uint* counts;
    private long capacity;
    private int bucketShift;

    /// <summary>How many were collected.</summary>
    public long Count { get; private set; }

    /// <summary>The first, after <see cref="Sort"/>; one more can be read behind the last, and has another hash.</summary>
    public StripeItem* Sorted => (StripeItem*)sorted.Start;

    /// <summary>Starts anew.</summary>
    /// <param name="count">How many entries will be collected at most.</param>
    public void Begin(long count)
    {
        Count = 0;
        capacity = count;
        int bits = Math.Clamp(64 - (int)ulong.LeadingZeroCount((ulong)count), MinBucketBits, MaxBucketBits);
        bucketShift = 64 - bits;
        items = (StripeItem*)collected.Require(count * sizeof(StripeItem));
        sorted.Require((count + 1) * sizeof(StripeItem));
        counts = (uint*)buckets.Require(BucketCount * sizeof(uint));
        new Span<uint>(counts, BucketCount).Clear();
    }

    /// <summary>Collects the entries of a source.</summary>
    /// <param name="entries">Any bytes; together no more entries than <see cref="Begin"/> was told.</param>
    /// <param name="stripe">That they are of.</param>
    /// <param name="source">Index of the source; greater than that before.</param>
    /// <param name="segmentBytes">No frame ends behind it.</param>
    /// <param name="isSorted">See <see cref="IHintSource.IsSorted"/>.</param>
    /// <param name="usage">Gets what they take, as if all of them counted.</param>
    /// <returns>
    /// False when these bytes are not whole entries in order, as many as said, of that stripe, each with a frame that
    /// fits into the segment. Then nothing that was collected is of use.
    /// </returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryCollect(
        HintEntries entries, int stripe, int source, long segmentBytes, bool isSorted, ref SegmentUsage usage)
    {
        if (entries.Bytes > uint.MaxValue || entries.Count > capacity - Count) return false;
        byte* at = entries.Start, end = entries.End;
        StripeItem* item = items + Count, last = item + entries.Count;
        ulong previous = 0;
        long liveBytes = 0, tombstoneBytes = 0, tombstones = 0;
        for (; at != end && item != last; item++)
        {
            if (end - at < HintEntry.FixedBytes) return false;
            var entry = new HintEntry(at);
            ulong hash = entry.Hash;
            uint keyBytes = (uint)entry.KeyBytes, offset = entry.Offset, frameBytes = entry.FrameBytes;
            bool isValid = hash >> HintStripe.HashShift == (ulong)stripe
                & keyBytes != 0
                & end - at - HintEntry.FixedBytes >= keyBytes
                & offset % FrameAlignment == 0
                & frameBytes >= LogSegment.FrameHeaderBytes + RecordHeader.MinSize + keyBytes
                & (long)offset + frameBytes <= segmentBytes;
            if (!isValid) return false;
            if (isSorted && hash <= previous && item != items + Count && !IsBehind(entries.Start + item[-1].Offset, entry)) return false;
            previous = hash;
            *item = new StripeItem(hash, (uint)source, (uint)(at - entries.Start));
            counts[hash << StripeBits >> bucketShift]++;
            long taken = entry.PaddedFrameBytes;
            long mask = entry.IsTombstone ? -1 : 0;
            liveBytes += taken & ~mask;
            tombstoneBytes += taken & mask;
            tombstones -= mask;
            at += HintEntry.FixedBytes + keyBytes;
        }

        if (at != end || item != last) return false;
        usage.LiveBytes += liveBytes;
        usage.LiveRecords += entries.Count - tombstones;
        usage.TombstoneBytes += tombstoneBytes;
        usage.Tombstones += tombstones;
        Count += entries.Count;
        return true;
    }

    /// <summary>Sorts what was collected; see <see cref="StripeItem.CompareTo"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Sort()
    {
        bool isCrowded = false;
        uint start = 0;
        for (int i = 0; i < BucketCount; i++)
        {
            uint own = counts[i];
            isCrowded |= own > MaxBucketToWalk;
            counts[i] = start;
            start += own;
        }

        StripeItem* target = Sorted;
        StripeItem* end = items + Count;
        for (StripeItem* item = items; item != end; item++) target[counts[item->Hash << StripeBits >> bucketShift]++] = *item;
        if (isCrowded) SortCrowded();
        StripeItem* last = target + Count;
        for (StripeItem* item = target + 1; item < last; item++)
        {
            if (item[-1].Hash > item->Hash) MoveUp(item, target);
        }

        *last = new StripeItem(Count == 0 ? 0 : ~last[-1].Hash, 0, 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        collected.Dispose();
        sorted.Dispose();
        buckets.Dispose();
    }

    private int BucketCount => 1 << (64 - bucketShift);

    private static bool IsBehind(byte* before, HintEntry entry)
    {
        var other = new HintEntry(before);
        return other.Hash == entry.Hash && other.Key.SequenceCompareTo(entry.Key) < 0;
    }

    private static void MoveUp(StripeItem* item, StripeItem* first)
    {
        StripeItem moving = *item;
        do
        {
            *item = item[-1];
            item--;
        }
        while (item != first && item[-1].Hash > moving.Hash);
        *item = moving;
    }

    // The counts are the ends of the buckets by now.
    private void SortCrowded()
    {
        uint start = 0;
        for (int i = 0; i < BucketCount; i++)
        {
            uint own = counts[i] - start;
            if (own > MaxBucketToWalk) new Span<StripeItem>(Sorted + start, checked((int)own)).Sort();
            start = counts[i];
        }
    }
}
