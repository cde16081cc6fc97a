using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Records;

namespace Holdfast.Bitcask.Hints;

/// <summary>What was found by reading a segment that has no hint: entries by stripes, in the order of their records.</summary>
/// <remarks>
/// For opening, which puts them in order itself; a hint file is made later. Added to by one thread, then read by any
/// number. A stripe lies in chunks that never move, so that adding an entry is a copy.
/// </remarks>
internal sealed unsafe class ScannedHints : IHintSource, IDisposable
{
    private const int FirstChunkBytes = 512;
    private const int ChunkBytes = 4 << 10;
    private const long MinBlockBytes = 64 << 10;
    private const long MaxBlockBytes = 8 << 20;

    private readonly List<nint> blocks = [];
    private readonly long blockBytes;
    private readonly Stripe* stripes;
    private byte* free;
    private byte* freeEnd;

    /// <summary>None yet.</summary>
    /// <param name="segment">Number of the segment.</param>
    /// <param name="segmentBytes">Length of its file: from it follows how memory is set aside.</param>
    public ScannedHints(uint segment, long segmentBytes)
    {
        Segment = segment;
        blockBytes = Math.Clamp(segmentBytes / 4, MinBlockBytes, MaxBlockBytes);
        stripes = (Stripe*)NativeMemory.AllocZeroed(HintStripe.Count, (nuint)sizeof(Stripe));
    }

    /// <inheritdoc/>
    public uint Segment { get; }

    /// <inheritdoc/>
    public long SegmentBytes => long.MaxValue;

    /// <inheritdoc/>
    public long Entries { get; private set; }

    /// <inheritdoc/>
    public bool IsSorted => false;

    /// <summary>Highest sequence number in the segment; 0 = it has no record.</summary>
    public ulong HighestSequence { get; private set; }

    /// <summary>Adds the record that stands behind all those added before.</summary>
    /// <param name="record">Its header.</param>
    /// <param name="hash">Of the key.</param>
    /// <param name="key">Copied.</param>
    /// <param name="offset">Of the frame in the segment, bytes; a multiple of 8.</param>
    /// <param name="frameBytes">Length of the frame: header and payload, without padding.</param>
    public void Add(in RecordHeader record, ulong hash, ReadOnlySpan<byte> key, uint offset, uint frameBytes)
    {
        Stripe* stripe = stripes + (hash >> HintStripe.HashShift);
        int bytes = HintEntry.FixedBytes + key.Length;
        if (stripe->End - stripe->At < bytes) Extend(stripe, bytes);
        HintEntry.Encode(stripe->At, hash, key, offset, frameBytes, record.IsTombstone, record.Expiry.HasValue);
        stripe->At += bytes;
        stripe->Count++;
        Entries++;
        if (record.Sequence > HighestSequence) HighestSequence = record.Sequence;
    }

    /// <inheritdoc/>
    public HintEntries ReadStripe(int stripe, NativeBuffer buffer)
    {
        Stripe* from = stripes + stripe;
        long bytes = 0;
        for (Chunk* chunk = from->Last; chunk != null; chunk = chunk->Before) bytes += BytesOf(from, chunk);
        byte* start = buffer.Require(bytes);
        byte* to = start + bytes;
        for (Chunk* chunk = from->Last; chunk != null; chunk = chunk->Before)
        {
            long own = BytesOf(from, chunk);
            to -= own;
            Buffer.MemoryCopy(chunk + 1, to, own, own);
        }

        return new HintEntries(start, start + bytes, from->Count);
    }

    /// <inheritdoc/>
    public void Reject() => throw new InvalidOperationException($"hints of {Segment:x8} that were made from it make no sense");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint block in blocks) NativeMemory.AlignedFree((void*)block);
        blocks.Clear();
        NativeMemory.Free(stripes);
    }

    private static long BytesOf(Stripe* stripe, Chunk* chunk) =>
        (chunk == stripe->Last ? stripe->At : chunk->End) - (byte*)(chunk + 1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Extend(Stripe* stripe, int bytes)
    {
        long wanted = Math.Max(stripe->Last == null ? FirstChunkBytes : ChunkBytes, (sizeof(Chunk) + bytes + 7L) & ~7L);
        if (freeEnd - free < wanted) AddBlock(wanted);
        var chunk = (Chunk*)free;
        free += wanted;
        if (stripe->Last != null) stripe->Last->End = stripe->At;
        chunk->Before = stripe->Last;
        chunk->End = null;
        stripe->Last = chunk;
        stripe->At = (byte*)(chunk + 1);
        stripe->End = free;
    }

    private void AddBlock(long wanted)
    {
        long bytes = Math.Max(blockBytes, wanted);
        free = (byte*)NativePages.Allocate(bytes);
        freeEnd = free + bytes;
        blocks.Add((nint)free);
    }

    /// <summary>Lies in front of the entries of a chunk.</summary>
    private struct Chunk
    {
        public Chunk* Before;

        /// <summary>Behind its last entry; not set while it is the last chunk of its stripe.</summary>
        public byte* End;
    }

    private struct Stripe
    {
        public byte* At;
        public byte* End;
        public Chunk* Last;
        public uint Count;
    }
}
