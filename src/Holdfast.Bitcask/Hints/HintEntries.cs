using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Hints;

/// <summary>The entries of one stripe in memory, sorted by hash and key.</summary>
/// <param name="start">The first byte.</param>
/// <param name="end">The byte behind the last.</param>
internal readonly unsafe struct HintEntries(byte* start, byte* end)
{
    private const uint FrameAlignment = 8;

    /// <summary>The first byte.</summary>
    public byte* Start => start;

    /// <summary>The byte behind the last entry.</summary>
    public byte* End => end;

    /// <summary>What they take.</summary>
    public long Bytes => end - start;

    /// <summary>
    /// Whether these bytes, whose CRC is right, can be walked and merged: whole entries in order, as many as said, of
    /// that stripe, each with a frame that fits into the segment.
    /// </summary>
    public bool AreValid(int stripe, uint count, long segmentBytes)
    {
        byte* at = start;
        byte* previous = null;
        ulong previousHash = 0;
        uint found = 0;
        while (at != end)
        {
            var entry = new HintEntry(at);
            if (end - at < HintEntry.FixedBytes || end - at - HintEntry.FixedBytes < entry.KeyBytes) return false;
            ulong hash = entry.Hash;
            if (hash >> HintStripe.HashShift != (uint)stripe || hash < previousHash) return false;
            if (!IsPlausible(entry, segmentBytes)) return false;
            if (hash == previousHash && previous != null
                && new HintEntry(previous).Key.SequenceCompareTo(entry.Key) >= 0)
            {
                return false;
            }

            previous = at;
            previousHash = hash;
            at = entry.End;
            found++;
        }

        return found == count;
    }

    private static bool IsPlausible(HintEntry entry, long segmentBytes)
    {
        uint keyBytes = (uint)entry.KeyBytes, offset = entry.Offset, frameBytes = entry.FrameBytes;
        return keyBytes != 0
            && offset % FrameAlignment == 0
            && frameBytes >= LogSegment.FrameHeaderBytes + RecordHeader.MinSize + keyBytes
            && (long)offset + frameBytes <= segmentBytes;
    }
}
