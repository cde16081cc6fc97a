using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Holdfast.Log.Segments;

/// <summary>Appends frames to one segment: buffers, writes, syncs, seals.</summary>
/// <remarks>
/// Every member but <see cref="WriteTaken"/> is called under the gate, or while nobody else knows of the appender. Two
/// buffers: while one that was taken is written and synced without the gate, appends go to the other.
///
/// Invariant: durable ≤ written ≤ appended, and all three lie between frames.
/// </remarks>
internal sealed unsafe class SegmentAppender : IDisposable
{
    private const uint MinAllocationBytes = 1 << 20;
    private const uint MaxAllocationBytes = 64 << 20;

    // Pages that nobody asked to be synced are sent to the disk in pieces of this size, so that sealing finds few left.
    private const long WritebackBytes = 8 << 20;

    // Syncs of less than this are small.
    private const int SmallSyncBytes = 128 << 10;
    private const int MinAheadBytes = 64 << 10;
    private const int MaxAheadBytes = 1 << 20;
    private const int AheadShare = 64;
    private const int SectorBytes = 512;

    private readonly object gate;
    private readonly IDiskFile file;
    private readonly SegmentHeader header;
    private readonly uint seed;
    private readonly int bufferBytes;
    private readonly ContentHash hash;
    private byte* front;
    private byte* taken;
    private int frontLength;
    private long frontStart;
    private int takenLength;
    private bool hasTaken;
    private bool isHeld;
    private bool isWriting;
    private long written;
    private long told;
    private long allocated;
    private long writebackFrom;

    // The file has been written so far, with frames or with zeros.
    private long laidOut;
    private long takenAllocated;

    /// <summary>Goes on with a segment.</summary>
    /// <param name="gate">Waited on and pulsed.</param>
    /// <param name="file">Owned.</param>
    /// <param name="header">Of the segment; in the file and durable.</param>
    /// <param name="end">Where the next frame goes, bytes; all below is durable.</param>
    /// <param name="told">Of what is durable, how much a watermark tells, or needs none, bytes.</param>
    /// <param name="entryCount">How many entries there are below.</param>
    /// <param name="capacity">Where the file must end at the latest, bytes; in a ring, where it ends.</param>
    /// <param name="bufferBytes">Size of each of the two buffers.</param>
    /// <param name="hash">Of the file as far as it was read; all of it or less.</param>
    /// <param name="allocated">Up to where the file has its disk space already, bytes; 0 = to the end.</param>
    public SegmentAppender(
        object gate, IDiskFile file, SegmentHeader header, long end, long told, long entryCount, long capacity,
        int bufferBytes, ContentHash hash, long allocated = 0)
    {
        this.gate = gate;
        this.file = file;
        this.header = header;
        this.told = told;
        this.bufferBytes = bufferBytes;
        this.hash = hash;
        seed = Frame.ChecksumSeed(header.Incarnation);
        front = (byte*)NativeMemory.AlignedAlloc((nuint)bufferBytes, 64);
        taken = (byte*)NativeMemory.AlignedAlloc((nuint)bufferBytes, 64);
        frontStart = written = writebackFrom = laidOut = end;
        this.allocated = Math.Max(allocated, end);
        Durable = end;
        EntryCount = entryCount;
        Capacity = capacity;
    }

    /// <summary>Where the file must end at the latest, bytes.</summary>
    public long Capacity { get; }

    /// <summary>Where the next frame goes, bytes.</summary>
    public long Appended => frontStart + frontLength;

    /// <summary>How far the file has the frames, bytes. May be read without the gate.</summary>
    public long Written => Volatile.Read(ref written);

    /// <summary>How far the frames are durable, bytes.</summary>
    public long Durable { get; private set; }

    /// <summary>Entries appended.</summary>
    public long EntryCount { get; private set; }

    /// <summary>Whether there is nothing but the header.</summary>
    public bool IsEmpty => Appended == header.Length;

    /// <summary>Whether a taken buffer is being written, or nothing may be written yet: the buffer has room, or must be waited for.</summary>
    public bool IsWriting => isWriting || isHeld;

    /// <summary>Whether a watermark would be written before the next entry.</summary>
    public bool OwesWatermark => Durable > told;

    /// <summary>
    /// Whether <see cref="TryMakeRoom"/> would find space and room for frames of a size already made, with a watermark
    /// before and the seal behind.
    /// </summary>
    public bool HasRoom(long frameBytes)
    {
        long end = frontLength + Frame.WatermarkBytes + frameBytes;
        return end <= bufferBytes && frontStart + end + SegmentSeal.Size <= (header.IsRing ? Capacity : allocated);
    }

    /// <summary>Whether frames of a size fit, with a watermark before and the seal behind.</summary>
    public bool HasCapacity(long frameBytes) =>
        Appended + Frame.WatermarkBytes + frameBytes + SegmentSeal.Size <= Capacity;

    /// <summary>
    /// Prepares for a group: disk space, and room in the buffer. False when it had to wait, so that the gate was open
    /// in between: then the caller looks again at everything.
    /// </summary>
    /// <exception cref="DiskException">ENOSPC among others; nothing was appended.</exception>
    /// <param name="frameBytes">What the frames of the group take.</param>
    /// <param name="tells">Whether the group follows at once: then the watermark is told that stands before it.</param>
    public bool TryMakeRoom(long frameBytes, bool tells = true)
    {
        long needed = frameBytes + Frame.WatermarkBytes;
        bool fits = needed <= bufferBytes - frontLength;
        if (!fits && IsWriting)
        {
            Monitor.Wait(gate);
            return false;
        }

        Allocate(Appended + needed + SegmentSeal.Size);
        if (!fits) Flush();
        if (tells && OwesWatermark) AppendWatermark();
        return true;
    }

    /// <summary>Appends one entry; <see cref="TryMakeRoom"/> was asked for its group.</summary>
    /// <returns>Offset of its frame.</returns>
    public long Append(FrameKind kind, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        int payload = first.Length + second.Length + third.Length;
        long size = Frame.SizeOf(payload);
        long offset = Appended;
        uint word = Frame.Word(kind, payload);
        if (size > bufferBytes - frontLength)
        {
            Flush();
            if (size > bufferBytes)
            {
                WriteLarge(offset, word, first, second, third);
                EntryCount++;
                return offset;
            }
        }

        byte* target = front + frontLength;
        // The padding, whatever its length: header and payload come over the rest.
        Unsafe.WriteUnaligned(target + size - Frame.Alignment, 0UL);
        var body = new Span<byte>(target + Frame.HeaderBytes, payload);
        first.CopyTo(body);
        second.CopyTo(body[first.Length..]);
        third.CopyTo(body[(first.Length + second.Length)..]);
        uint crc = Crc32C.Append(
            Frame.BeginChecksum(seed, new LogPosition(header.Number, offset), word), body);
        WriteHeader(target, crc, word);
        frontLength += (int)size;
        if (kind != FrameKind.Control) EntryCount++;
        return offset;
    }

    /// <summary>
    /// Takes back all frames from an offset on: those of a group that could not be ended. No taken buffer is being
    /// written.
    /// </summary>
    /// <returns>False where the file has some of them and cannot be cut: in a ring.</returns>
    public bool TryRollback(long offset, long entryCount)
    {
        if (header.IsRing) return false;
        // The failed write left a part of them, and a crash must not bring it back behind what comes next.
        long end = Math.Min(offset, frontStart);
        file.SetLength(end);
        file.Sync();
        EntryCount = entryCount;
        frontLength = (int)(offset - end);
        frontStart = allocated = Durable = writebackFrom = laidOut = end;
        Volatile.Write(ref written, end);
        if (hash.Length > end) hash.Reset();
        return true;
    }

    /// <summary>Copies bytes that are still in a buffer; false when the file has them.</summary>
    public bool TryRead(long offset, Span<byte> target)
    {
        if (offset >= frontStart)
        {
            new ReadOnlySpan<byte>(front, frontLength).Slice((int)(offset - frontStart), target.Length).CopyTo(target);
            return true;
        }

        if (!hasTaken || offset < frontStart - takenLength) return false;
        int start = (int)(offset - (frontStart - takenLength));
        new ReadOnlySpan<byte>(taken, takenLength).Slice(start, target.Length).CopyTo(target);
        return true;
    }

    /// <summary>Writes what is in the buffer to the file, without a sync. No taken buffer is being written.</summary>
    public void Flush()
    {
        if (frontLength == 0) return;
        var source = new ReadOnlySpan<byte>(front, frontLength);
        file.Write(frontStart, source);
        Follow(frontStart, source);
        frontStart += frontLength;
        frontLength = 0;
        Volatile.Write(ref written, frontStart);
        if (frontStart - writebackFrom < WritebackBytes) return;
        file.StartWriteback(writebackFrom, frontStart - writebackFrom);
        writebackFrom = frontStart;
    }

    /// <summary>Writes and syncs everything. No taken buffer is being written.</summary>
    /// <param name="isLast">Whether nothing comes behind it.</param>
    public void Sync(bool isLast = false)
    {
        if (frontLength > 0 && frontStart == Durable)
        {
            var source = new ReadOnlySpan<byte>(front, frontLength);
            WriteDurably(frontStart, source, isLast ? 0 : allocated);
            Follow(frontStart, source);
            frontStart += frontLength;
            frontLength = 0;
            Volatile.Write(ref written, frontStart);
        }
        else
        {
            Flush();
            if (Durable == written) return;
            file.Sync();
        }

        Durable = writebackFrom = written;
    }

    /// <summary>Keeps everything in memory until <see cref="LetGo"/>.</summary>
    public void Hold() => isHeld = true;

    /// <summary>Ends <see cref="Hold"/>.</summary>
    public void LetGo()
    {
        isHeld = false;
        Monitor.PulseAll(gate);
    }

    /// <summary>Takes the buffer away from the appenders, for <see cref="WriteTaken"/>. No other is taken.</summary>
    /// <param name="isLast">Whether nothing comes behind it.</param>
    /// <returns>Where what will be durable ends.</returns>
    public long Take(bool isLast = false)
    {
        takenAllocated = isLast ? 0 : allocated;
        byte* swap = front;
        front = taken;
        taken = swap;
        takenLength = frontLength;
        frontStart += frontLength;
        frontLength = 0;
        hasTaken = isWriting = true;
        return frontStart;
    }

    /// <summary>Writes the taken buffer and makes it and all before it durable. Called without the gate.</summary>
    public void WriteTaken()
    {
        var source = new ReadOnlySpan<byte>(taken, takenLength);
        long start = frontStart - takenLength;
        if (takenLength == 0)
        {
            file.Sync();
        }
        else if (Durable == start)
        {
            WriteDurably(start, source, takenAllocated);
        }
        else
        {
            file.Write(start, source);
            file.Sync();
        }

        Follow(start, source);
    }

    /// <summary>Ends what <see cref="Take"/> began.</summary>
    /// <param name="end">What it returned.</param>
    /// <param name="isDurable">
    /// Whether <see cref="WriteTaken"/> did its work. If not, the log takes no more appends, and what was taken can
    /// still be read from the buffer.
    /// </param>
    public void Release(long end, bool isDurable)
    {
        isWriting = false;
        if (isDurable)
        {
            hasTaken = false;
            Volatile.Write(ref written, end);
            Durable = writebackFrom = end;
        }

        Monitor.PulseAll(gate);
    }

    /// <summary>Writes the seal and makes everything durable. No taken buffer is being written.</summary>
    /// <param name="fileHash">Hash of the whole file; null in a ring.</param>
    public SegmentSeal Seal(out byte[]? fileHash)
    {
        Sync(isLast: true);
        hash.Append(file, written);
        var seal = new SegmentSeal(new LogPosition(header.Number, written), EntryCount, hash.ToArray());
        byte[] bytes = seal.Encode(seed);
        long at = header.IsRing ? Capacity - SegmentSeal.Size : written;
        if (!header.IsRing && file.Length > at)
        {
            // Zeros, or what a write that failed left. A seal with something behind it would be none.
            file.SetLength(at);
            file.Sync();
        }

        file.WriteDurably(at, bytes);
        // Only now: the seal lies in space that was reserved for it.
        if (allocated > at + SegmentSeal.Size) file.SetLength(at + SegmentSeal.Size);
        fileHash = null;
        if (header.IsRing) return seal;
        hash.Append(bytes);
        fileHash = hash.ToArray();
        return seal;
    }

    /// <summary>Gives back what was allocated and not used. All is durable.</summary>
    public void TryTrim()
    {
        try
        {
            if (allocated > written) file.SetLength(written);
        }
        catch (DiskException)
        {
            // The space is given back when the segment is sealed.
        }
    }

    /// <summary>Closes the file as it is.</summary>
    public void Dispose()
    {
        file.Dispose();
        NativeMemory.AlignedFree(front);
        NativeMemory.AlignedFree(taken);
        front = taken = null;
    }

    // Writes what follows everything durable. A file that grows costs the file system a commit with each sync, so one
    // that is synced often has zeros written ahead of its end: within them a sync changes nothing but content. At most
    // as many zeros as frames, so that little is written for little.
    private void WriteDurably(long start, ReadOnlySpan<byte> source, long allocatedTo)
    {
        long end = start + source.Length;
        long wanted = Math.Clamp(end - header.Length, MinAheadBytes, MaxAheadBytes);
        long ahead = Math.Min(Math.Min(wanted, Capacity / AheadShare), allocatedTo - end) & -SectorBytes;
        bool isFirst = start == header.Length;
        if (header.IsRing || end <= laidOut || source.Length > SmallSyncBytes || isFirst || ahead <= 0)
        {
            file.WriteDurably(start, source);
            laidOut = Math.Max(laidOut, end);
            return;
        }

        file.Write(start, source);
        SegmentFiles.WriteZeros(file, end, end + ahead);
        laidOut = end + ahead;
        file.Sync();
    }

    private static void WriteHeader(byte* target, uint crc, uint word)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(target, sizeof(uint)), crc);
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(target + sizeof(uint), sizeof(uint)), word);
    }

    private void AppendWatermark()
    {
        told = Durable;
        Span<byte> payload = stackalloc byte[Frame.WatermarkPayloadBytes];
        BinaryPrimitives.WriteInt64LittleEndian(payload, Durable);
        _ = Append(FrameKind.Control, payload, default, default);
    }

    private void Allocate(long end)
    {
        if (end <= allocated || header.IsRing) return;
        long step = Math.Clamp(Appended, MinAllocationBytes, MaxAllocationBytes);
        long wanted = Math.Max(end, Math.Min(allocated + step, Capacity));
        try
        {
            file.Allocate(wanted);
        }
        catch (DiskException reason) when (reason.IsNoSpace && wanted > end)
        {
            wanted = end;
            file.Allocate(wanted);
        }

        allocated = wanted;
    }

    // A frame that no buffer holds goes to the file as it is, without a copy. The buffer is empty.
    private void WriteLarge(
        long offset, uint word, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        uint crc = Frame.BeginChecksum(seed, new LogPosition(header.Number, offset), word);
        crc = Crc32C.Append(Crc32C.Append(Crc32C.Append(crc, first), second), third);
        WriteHeader(front, crc, word);
        long at = offset;
        Write(ref at, new ReadOnlySpan<byte>(front, Frame.HeaderBytes));
        Write(ref at, first);
        Write(ref at, second);
        Write(ref at, third);
        Span<byte> padding = stackalloc byte[Frame.Alignment];
        padding.Clear();
        Write(ref at, padding[..(int)(offset + Frame.SizeOf(Frame.PayloadBytesOf(word)) - at)]);
        frontStart = at;
        Volatile.Write(ref written, at);
    }

    private void Write(ref long at, ReadOnlySpan<byte> source)
    {
        if (source.IsEmpty) return;
        file.Write(at, source);
        Follow(at, source);
        at += source.Length;
    }

    // The hash follows what is written, while it is in the processor's cache; what it missed it reads at sealing.
    private void Follow(long offset, ReadOnlySpan<byte> source)
    {
        if (hash.Length == offset) hash.Append(source);
    }
}
