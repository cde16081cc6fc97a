using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Records;
using Holdfast.Log;

namespace Holdfast.Bitcask.Hints;

/// <summary>What was found by reading a piece of a segment: entries by stripes, in the order of their records.</summary>
/// <remarks>
/// Added to by one thread, then read by any number. A stripe lies in chunks that never move, so that adding an entry is
/// a copy.
/// </remarks>
internal sealed unsafe class ScannedPiece : IDisposable
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
    /// <param name="bytes">Length of the piece: from it follows how memory is set aside.</param>
    public ScannedPiece(long bytes)
    {
        blockBytes = Math.Clamp(bytes / 4, MinBlockBytes, MaxBlockBytes);
        stripes = (Stripe*)NativeMemory.AllocZeroed(HintStripe.Count, (nuint)sizeof(Stripe));
    }

    /// <summary>How many entries there are in all stripes.</summary>
    public long Entries { get; private set; }

    /// <summary>Highest sequence number in the piece; 0 = it has no record.</summary>
    public ulong HighestSequence { get; private set; }

    /// <summary>Adds the record that stands behind all those added before.</summary>
    /// <param name="record">Its header.</param>
    /// <param name="hash">Of the key.</param>
    /// <param name="key">Copied.</param>
    /// <param name="offset">Of the frame in the segment, bytes; a multiple of 8.</param>
    /// <param name="frameBytes">Length of the frame: header and payload, without padding.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

    /// <summary>Adds the records of frames that stand behind all those added before. An entry that is no record tells nothing of any key.</summary>
    /// <param name="first">Where the first frame lies.</param>
    /// <param name="frames">As <see cref="LogFramesHandler"/> has them.</param>
    /// <param name="seed">Of the hash.</param>
    /// <remarks>Compiled when it is first called, as what it needs of other libraries is then a part of it.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddAll(LogPosition first, ReadOnlySpan<byte> frames, ulong seed)
    {
        fixed (byte* start = frames)
        {
            byte* end = start + frames.Length;
            uint offset = first.Offset;
            for (byte* frame = start; frame < end;)
            {
                uint word = BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(frame + sizeof(uint), sizeof(uint)));
                int payloadBytes = (int)(word & LogSegment.PayloadBytesMask);
                var payload = new ReadOnlySpan<byte>(frame + LogSegment.FrameHeaderBytes, payloadBytes);
                uint frameBytes = LogSegment.FrameHeaderBytes + (uint)payloadBytes;
                if (RecordHeader.TryDecode(payload, out RecordHeader header))
                {
                    ReadOnlySpan<byte> key = header.KeyOf(payload);
                    Add(header, KeyHash.Of(key, seed), key, offset + (uint)(frame - start), frameBytes);
                }

                frame += SegmentTally.Padded(frameBytes);
            }
        }
    }

    /// <summary>What the entries of a stripe take, bytes.</summary>
    public long BytesOf(int stripe)
    {
        Stripe* from = stripes + stripe;
        long bytes = 0;
        for (Chunk* chunk = from->Last; chunk != null; chunk = chunk->Before) bytes += BytesOf(from, chunk);
        return bytes;
    }

    /// <summary>How many entries a stripe has.</summary>
    public uint CountOf(int stripe) => stripes[stripe].Count;

    /// <summary>Copies the entries of a stripe in order.</summary>
    /// <param name="stripe">Which.</param>
    /// <param name="end">Behind where the last entry goes.</param>
    /// <returns>Where the first entry went.</returns>
    public byte* CopyTo(int stripe, byte* end)
    {
        Stripe* from = stripes + stripe;
        for (Chunk* chunk = from->Last; chunk != null; chunk = chunk->Before)
        {
            long own = BytesOf(from, chunk);
            end -= own;
            Buffer.MemoryCopy(chunk + 1, end, own, own);
        }

        return end;
    }

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
        if (bytes == MaxBlockBytes) NativePages.Populate(free, bytes);
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
