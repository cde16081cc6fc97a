using System.Numerics;

namespace Holdfast.Benchmarks.Measuring;

/// <summary>Counts durations in nanoseconds; adding one allocates nothing.</summary>
/// <remarks>64 buckets for each power of two: a percentile is at most 1.6 % too high. Not safe for several threads.</remarks>
internal sealed class LatencyHistogram
{
    private const int BucketBits = 6;
    private const int BucketsPerPower = 1 << BucketBits;
    private readonly long[] buckets = new long[(64 - BucketBits + 1) * BucketsPerPower];

    public long Count { get; private set; }

    public long Highest { get; private set; }

    public void Add(long nanoseconds)
    {
        buckets[Bucket(nanoseconds)]++;
        Count++;
        Highest = Math.Max(Highest, nanoseconds);
    }

    /// Such that the given share of all is not longer; 0 when there are none.
    public long Percentile(double share)
    {
        long wanted = (long)Math.Ceiling(Count * share), seen = 0;
        for (int bucket = 0; bucket < buckets.Length; bucket++)
        {
            seen += buckets[bucket];
            if (seen >= wanted && seen > 0) return Math.Min(Highest, UpperEnd(bucket));
        }

        return 0;
    }

    // Below 64 each value has a bucket; above, the bits that follow the leading one choose it.
    private static int Bucket(long value)
    {
        ulong positive = (ulong)Math.Max(0, value);
        int shift = Math.Max(0, BitOperations.Log2(positive | 1) - BucketBits);
        return (shift << BucketBits) + (int)(positive >> shift);
    }

    private static long UpperEnd(int bucket)
    {
        int shift = Math.Max(0, (bucket >> BucketBits) - 1);
        return ((long)(bucket - (shift << BucketBits) + 1) << shift) - 1;
    }
}
