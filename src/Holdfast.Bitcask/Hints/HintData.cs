using System.Buffers;
using Holdfast.Log;

namespace Holdfast.Bitcask.Hints;

/// <summary>The hints of a segment in memory, as they stand in a file. Immutable; for any number of threads.</summary>
internal sealed class HintData : IHintSource, IDisposable
{
    private const int MaxWriteBytes = 1 << 20;

    private readonly NativeBuffer entries;
    private readonly long[] offsets;
    private readonly uint[] counts;

    /// <summary>Takes over what <see cref="HintBuilder"/> made.</summary>
    /// <param name="segment">Number of the segment.</param>
    /// <param name="entries">Owned by the result.</param>
    /// <param name="offsets">Where each stripe begins, and where the last ends, bytes.</param>
    /// <param name="counts">Entries in each stripe.</param>
    internal HintData(uint segment, NativeBuffer entries, long[] offsets, uint[] counts)
    {
        Segment = segment;
        this.entries = entries;
        this.offsets = offsets;
        this.counts = counts;
        foreach (uint count in counts) Entries += count;
    }

    /// <inheritdoc/>
    public uint Segment { get; }

    /// <inheritdoc/>
    public long Entries { get; }

    /// <summary>What the entries take, bytes.</summary>
    public long EntriesBytes => offsets[^1];

    /// <summary>Records in the segment, superseded ones included.</summary>
    public required long Records { get; init; }

    /// <summary>Records that a later one of the same key in the same segment supersedes.</summary>
    public long SupersededRecords => Records - Entries;

    /// <summary>What the frames of those take in the segment, padding included.</summary>
    public required long SupersededBytes { get; init; }

    /// <summary>Highest sequence number in the segment; 0 = it has no record.</summary>
    public required ulong HighestSequence { get; init; }

    /// <inheritdoc/>
    public long SegmentBytes => long.MaxValue;

    /// <inheritdoc/>
    public bool IsSorted => true;

    /// <inheritdoc/>
    public unsafe HintEntries ReadStripe(int stripe, NativeBuffer buffer) =>
        new(entries.Start + offsets[stripe], entries.Start + offsets[stripe + 1], counts[stripe]);

    /// <inheritdoc/>
    public void Reject() => throw new InvalidOperationException($"hints of {Segment:x8} that were made from it make no sense");

    /// <summary>Writes the whole hint file from its first byte on. Not durable before it is synced.</summary>
    /// <param name="file">An empty file.</param>
    /// <param name="identity">Of the segment, sealed.</param>
    /// <param name="segmentHash">Hash of its whole file, <see cref="HintHeader.HashBytes"/> bytes.</param>
    public void WriteTo(IDiskFile file, in HintIdentity identity, ReadOnlyMemory<byte> segmentHash)
    {
        if (identity.Segment != Segment) throw new ArgumentException($"not {Segment:x8}", nameof(identity));
        HintStripe[] stripes = ArrayPool<HintStripe>.Shared.Rent(HintStripe.Count);
        try
        {
            long written = 0;
            for (int i = 0; i < HintStripe.Count; i++)
            {
                stripes[i] = new HintStripe(offsets[i], counts[i], ChecksumOf(i));
                // Stripes are short: several go to the file together.
                while (offsets[i + 1] - written >= MaxWriteBytes) Write(file, ref written, MaxWriteBytes);
            }

            if (written < EntriesBytes) Write(file, ref written, (int)(EntriesBytes - written));
            WriteHeader(file, identity, segmentHash, stripes);
        }
        finally
        {
            ArrayPool<HintStripe>.Shared.Return(stripes);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => entries.Dispose();

    private unsafe void Write(IDiskFile file, ref long position, int bytes)
    {
        file.Write(HintHeader.Size + position, new ReadOnlySpan<byte>(entries.Start + position, bytes));
        position += bytes;
    }

    private unsafe uint ChecksumOf(int stripe)
    {
        uint crc = 0;
        for (long position = offsets[stripe]; position < offsets[stripe + 1]; position += MaxWriteBytes)
        {
            int bytes = (int)Math.Min(MaxWriteBytes, offsets[stripe + 1] - position);
            crc = Crc32C.Append(crc, new ReadOnlySpan<byte>(entries.Start + position, bytes));
        }

        return crc;
    }

    private void WriteHeader(
        IDiskFile file, HintIdentity identity, ReadOnlyMemory<byte> segmentHash, HintStripe[] stripes)
    {
        var header = new HintHeader
        {
            Identity = identity,
            SegmentHash = segmentHash,
            HighestSequence = HighestSequence,
            Records = Records,
            Entries = Entries,
            EntriesBytes = EntriesBytes,
            Stripes = stripes,
        };
        byte[] bytes = ArrayPool<byte>.Shared.Rent(HintHeader.Size);
        try
        {
            header.Encode(bytes);
            file.Write(0, bytes.AsSpan(0, HintHeader.Size));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
