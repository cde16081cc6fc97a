using System.Buffers;
using System.Buffers.Binary;

namespace Holdfast.Log.Segments;

/// <summary>What the scanner met.</summary>
internal enum ScanStep
{
    /// <summary>An entry: <see cref="SegmentScanner.Payload"/>.</summary>
    Entry,

    /// <summary>A range that fails its check where it should be whole: <see cref="SegmentScanner.Damage"/>.</summary>
    Damage,

    /// <summary>The end of what is whole: <see cref="SegmentScanner.Offset"/>.</summary>
    End,
}

/// <summary>
/// Reads the frames of one segment in order and tells a torn tail from damage (docs/formats/log.md, "When is it
/// valid").
/// </summary>
/// <remarks>
/// Entries are given once their group is known to be whole. Reads through system calls, not through a mapping: an I/O
/// error is an exception here and a signal there. Not for several threads at once.
/// </remarks>
internal sealed class SegmentScanner : IDisposable
{
    private const int WindowBytes = 512 << 10;
    private const int SmallPayloadBytes = 64 << 10;
    private const int ChainFrames = 8;

    // A search may cost as much as checking so many times the file.
    private const int SearchFactor = 16;
    private const int CostOfReadBytes = 4 << 10;

    private readonly IDiskFile file;
    private readonly string path;
    private readonly SegmentHeader header;
    private readonly uint segment;
    private readonly uint seed;
    private byte[] window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private long windowStart;
    private int windowLength;

    // Entries up to here belong to whole groups and fit their CRCs.
    private long checkedTo;
    private long resumeAt;
    private bool searchedWatermarks;

    /// <summary>Reads a segment.</summary>
    /// <param name="file">Read, not disposed.</param>
    /// <param name="path">For messages.</param>
    /// <param name="header">Of the segment.</param>
    /// <param name="end">Where its content ends, bytes; the rest of the file is not looked at.</param>
    /// <param name="durable">Everything below is known to have been durable, bytes; watermarks may raise it.</param>
    /// <param name="from">Where a frame begins; 0 = the first.</param>
    public SegmentScanner(
        IDiskFile file, string path, SegmentHeader header, long end, long durable, long from = 0)
    {
        this.file = file;
        this.path = path;
        this.header = header;
        segment = header.Number;
        seed = Frame.ChecksumSeed(header.Incarnation);
        End = end;
        Durable = durable;
        Offset = checkedTo = from == 0 ? header.Length : from;
    }

    /// <summary>Where the content ends, bytes; a reader that follows the tail moves it.</summary>
    public long End { get; set; }

    /// <summary>Everything below was durable, as far as is known, bytes.</summary>
    public long Durable { get; set; }

    /// <summary>Where the next frame begins; at the end, where what is whole ends.</summary>
    public long Offset { get; private set; }

    /// <summary>Where the entry that was met last lies.</summary>
    public LogPosition Position { get; private set; }

    /// <summary>The payload of the entry that was met last; valid until the next step.</summary>
    public ReadOnlySpan<byte> Payload => window.AsSpan(payloadStart, payloadLength);

    /// <summary>The damage that was met last.</summary>
    public LogDamage? Damage { get; private set; }

    /// <summary>The same with its header, without padding.</summary>
    public ReadOnlySpan<byte> EntryFrame =>
        window.AsSpan(payloadStart - Frame.HeaderBytes, Frame.HeaderBytes + payloadLength);

    /// <summary>Where the next step begins: behind what was met last.</summary>
    public long NextOffset => Math.Max(Offset, resumeAt);

    /// <summary>Whether no group is half given.</summary>
    public bool IsBetweenGroups => NextOffset >= checkedTo;

    /// <summary>Entries met by <see cref="Next"/>.</summary>
    public long EntryCount { get; private set; }

    /// <summary>Told of each piece of the file as it is read for the first time, in order.</summary>
    public ContentHash? Hash { get; init; }

    private int payloadStart;
    private int payloadLength;

    /// <summary>Goes on to the next entry, damage or the end.</summary>
    public ScanStep Next()
    {
        if (TryNextInWindow()) return ScanStep.Entry;
        while (true)
        {
            if (resumeAt > Offset)
            {
                Offset = checkedTo = resumeAt;
                resumeAt = 0;
            }

            if (Offset >= checkedTo && !CheckGroup(out long badAt))
            {
                if (badAt >= End && badAt >= Durable && Offset == badAt) return ScanStep.End;
                // A file that ends within a group although all of it was durable was cut off.
                bool isCut = badAt >= End && Durable >= End;
                if (!isCut && !IsDamage(badAt)) return ScanStep.End;
                if (badAt == Offset) return IsUsedAgain() ? ScanStep.End : QuarantineFrom(badAt);
                // The whole entries before it in its group were durable: they count.
                checkedTo = badAt;
            }

            uint word = ReadWord(Offset);
            long offset = Offset;
            int payload = Frame.PayloadBytesOf(word);
            Offset += Frame.SizeOf(payload);
            if (Frame.KindOf(word) == FrameKind.Control)
            {
                Durable = Math.Max(Durable, ReadWatermark(offset));
                continue;
            }

            _ = TryLoad(offset, Frame.HeaderBytes + payload);
            payloadStart = (int)(offset - windowStart) + Frame.HeaderBytes;
            payloadLength = payload;
            Position = new LogPosition(segment, offset);
            EntryCount++;
            return ScanStep.Entry;
        }
    }

    /// <summary>Goes on over many entries at once: whole groups that are in the window, without a frame of another kind between.</summary>
    /// <param name="to">Where a group begins that is none of them; those before are not looked at beyond it.</param>
    /// <param name="first">Where the first frame lies.</param>
    /// <returns>
    /// Their frames, one behind the other; the last one's padding may be missing. Valid until the next step. Empty when
    /// what comes is for <see cref="Next"/>.
    /// </returns>
    public ReadOnlySpan<byte> NextRun(long to, out LogPosition first)
    {
        first = new LogPosition(segment, Offset);
        if (resumeAt > Offset || Offset >= Math.Min(to, End)) return default;
        int length = CheckRun(to);
        if (length == 0 && windowStart != Offset)
        {
            // Groups that the window ends within may be whole in one that begins with them.
            _ = TryRead(Offset, Frame.HeaderBytes);
            length = CheckRun(to);
        }

        if (length == 0) return default;
        int start = (int)(Offset - windowStart);
        Offset += length;
        checkedTo = Math.Max(checkedTo, Offset);
        return window.AsSpan(start, Math.Min(length, windowLength - start));
    }

    /// <summary>Where some group begins behind an offset, found by the CRC of the frame before it alone.</summary>
    /// <param name="from">Where to begin, bytes; any multiple of 8 behind the header.</param>
    /// <param name="limit">Where to stop.</param>
    /// <returns>-1 when none was found. Whether reading from the first frame on leads there is not known.</returns>
    public long FindGroup(long from, long limit)
    {
        limit = Math.Min(limit, End);
        for (long at = from; at + Frame.HeaderBytes <= limit; at += Frame.Alignment)
        {
            if (!TryLoad(at, Frame.HeaderBytes)) return -1;
            uint word = ReadWord(at);
            if (Frame.KindOf(word) != FrameKind.Entry || Frame.PayloadBytesOf(word) > SmallPayloadBytes) continue;
            if (CheckFrame(at, out long size) == FrameKind.Entry) return at + size < End ? at + size : -1;
        }

        return -1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (window.Length > 0) ArrayPool<byte>.Shared.Return(window);
        window = [];
    }

    // What nearly all steps are: an entry that is in the window, known to be whole or of no group. False leaves
    // everything as it was.
    private bool TryNextInWindow()
    {
        long at = Offset - windowStart;
        if (resumeAt > Offset || at < 0 || at + Frame.HeaderBytes > windowLength) return false;
        ReadOnlySpan<byte> frame = window.AsSpan((int)at, windowLength - (int)at);
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(frame[sizeof(uint)..]);
        FrameKind kind = Frame.KindOf(word);
        int payload = Frame.PayloadBytesOf(word);
        if (kind is not (FrameKind.Entry or FrameKind.EntryOfGroup) || payload > frame.Length - Frame.HeaderBytes) return false;
        var position = new LogPosition(segment, Offset);
        if (Offset >= checkedTo)
        {
            if (kind != FrameKind.Entry || Offset + Frame.HeaderBytes + payload > End) return false;
            uint begun = Frame.BeginChecksum(seed, position, word);
            uint crc = Crc32C.Append(begun, frame.Slice(Frame.HeaderBytes, payload));
            if (crc != BinaryPrimitives.ReadUInt32LittleEndian(frame)) return false;
            checkedTo = Offset + Frame.SizeOf(payload);
        }

        payloadStart = (int)at + Frame.HeaderBytes;
        payloadLength = payload;
        Position = position;
        Offset += Frame.SizeOf(payload);
        EntryCount++;
        return true;
    }

    // What the whole groups from Offset on take, the last one's padding included; 0 when the first is not whole in the
    // window.
    private unsafe int CheckRun(long to)
    {
        long start = Offset - windowStart;
        long bytes = Math.Min(windowLength - start, End - Offset);
        if (start < 0 || bytes < Frame.HeaderBytes) return 0;
        fixed (byte* frames = &window[start])
        {
            return FrameRun.Check(frames, bytes, to - Offset, seed, new LogPosition(segment, Offset).Value);
        }
    }

    // Checks from Offset to the end of the group that begins there.
    private bool CheckGroup(out long badAt)
    {
        long at = Offset;
        while (true)
        {
            badAt = at;
            FrameKind kind = CheckFrame(at, out long size);
            if (kind == FrameKind.None || (kind == FrameKind.Control && at != Offset)) return false;
            at += size;
            if (kind == FrameKind.EntryOfGroup) continue;
            checkedTo = at;
            return true;
        }
    }

    // The kind of the frame at an offset, None when there is no valid one.
    private FrameKind CheckFrame(long offset, out long size)
    {
        size = 0;
        if (offset + Frame.HeaderBytes > End || !TryLoad(offset, Frame.HeaderBytes)) return FrameKind.None;
        int at = (int)(offset - windowStart);
        uint crc = BinaryPrimitives.ReadUInt32LittleEndian(window.AsSpan(at));
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(window.AsSpan(at + sizeof(uint)));
        FrameKind kind = Frame.KindOf(word);
        int payload = Frame.PayloadBytesOf(word);
        if (kind == FrameKind.None || offset + Frame.HeaderBytes + payload > End) return FrameKind.None;
        if (!TryLoad(offset, Frame.HeaderBytes + payload)) return FrameKind.None;
        at = (int)(offset - windowStart);
        uint begun = Frame.BeginChecksum(seed, new LogPosition(segment, offset), word);
        uint found = Crc32C.Append(begun, window.AsSpan(at + Frame.HeaderBytes, payload));
        if (found != crc) return FrameKind.None;
        if (kind == FrameKind.Control && payload != Frame.WatermarkPayloadBytes) return FrameKind.None;
        size = Frame.SizeOf(payload);
        return kind;
    }

    private uint ReadWord(long offset)
    {
        _ = TryLoad(offset, Frame.HeaderBytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(window.AsSpan((int)(offset - windowStart) + sizeof(uint)));
    }

    private long ReadWatermark(long offset)
    {
        _ = TryLoad(offset, Frame.WatermarkBytes);
        return BinaryPrimitives.ReadInt64LittleEndian(window.AsSpan((int)(offset - windowStart) + Frame.HeaderBytes));
    }

    // Whether what does not validate at an offset was durable once.
    private bool IsDamage(long badAt)
    {
        if (badAt < Durable) return true;
        if (!searchedWatermarks)
        {
            searchedWatermarks = true;
            for (long at = badAt; (at = FindWatermark(at)) >= 0; at += Frame.Alignment)
            {
                Durable = Math.Max(Durable, ReadWatermark(at));
            }
        }

        return badAt < Durable;
    }

    // Who does not own the log does not keep the owner from dropping what is being read here, and in a ring from
    // writing to its file: the header first.
    private bool IsUsedAgain()
    {
        if (!header.IsRing) return false;
        Span<byte> bytes = stackalloc byte[SegmentHeader.FixedBytes];
        int read = file.Read(0, bytes);
        return SegmentHeader.TryDecode(bytes[..read], out _) is { } now && now.Incarnation != header.Incarnation;
    }

    private ScanStep QuarantineFrom(long badAt)
    {
        resumeAt = FindNextFrame(badAt);
        string reason = badAt >= End
            ? $"the file ends at {badAt}, but was durable up to {Durable}"
            : "no valid frame where one was durable";
        // A range that reaches the end may hide where the writer stopped: it ends where the file does.
        long end = badAt >= End ? Durable : resumeAt;
        Damage = new LogDamage(segment, path, badAt, end - badAt, reason);
        if (badAt >= End)
        {
            Durable = badAt;
            Offset = badAt;
            resumeAt = 0;
        }

        return ScanStep.Damage;
    }

    // Where reading can go on after a frame that is not valid: End when nowhere. Its length may be what is wrong, and
    // lead to a valid frame all the same, with others between: so the length only bounds the search.
    private long FindNextFrame(long badAt)
    {
        long limit = NextByLength(badAt);
        if (limit < 0) limit = FindWatermark(badAt + Frame.Alignment);
        if (limit < 0) limit = End;
        long budget = SearchFactor * (End - badAt);
        limit = FindSmallFrame(badAt + Frame.Alignment, limit, ref budget);
        return FindLargeFrame(badAt + Frame.Alignment, limit, ref budget);
    }

    // The frame behind one, or End, if the length of that one is to be believed; else -1.
    private long NextByLength(long badAt)
    {
        if (badAt + Frame.HeaderBytes > End || !TryLoad(badAt, Frame.HeaderBytes)) return -1;
        long next = badAt + Frame.SizeOf(Frame.PayloadBytesOf(ReadWord(badAt)));
        return next == End || (next < End && CheckFrame(next, out _) != FrameKind.None) ? next : -1;
    }

    // A random word seldom gives a short length, so few false candidates are checked.
    private long FindSmallFrame(long from, long limit, ref long budget)
    {
        for (long at = from; at + Frame.HeaderBytes <= limit && budget > 0; at += Frame.Alignment)
        {
            if (!TryLoad(at, Frame.HeaderBytes)) break;
            uint word = ReadWord(at);
            int payload = Frame.PayloadBytesOf(word);
            if (Frame.KindOf(word) == FrameKind.None || payload > SmallPayloadBytes) continue;
            if (at + Frame.HeaderBytes + payload > End) continue;
            budget -= Frame.HeaderBytes + payload;
            if (CheckFrame(at, out _) != FrameKind.None) return at;
        }

        return limit;
    }

    // A long one is checked where lengths lead on from it: each step halves the chance of a false one at least twice.
    private long FindLargeFrame(long from, long limit, ref long budget)
    {
        for (long at = from; at + SmallPayloadBytes < limit && budget > 0; at += Frame.Alignment)
        {
            if (!TryLoad(at, Frame.HeaderBytes)) break;
            uint word = ReadWord(at);
            int payload = Frame.PayloadBytesOf(word);
            if (Frame.KindOf(word) is not (FrameKind.Entry or FrameKind.EntryOfGroup)) continue;
            if (payload <= SmallPayloadBytes || at + Frame.HeaderBytes + payload > limit) continue;
            if (!LeadsOn(at + Frame.SizeOf(payload), limit, ref budget)) continue;
            budget -= payload;
            if (CheckFrame(at, out _) != FrameKind.None) return at;
        }

        return limit;
    }

    private bool LeadsOn(long at, long limit, ref long budget)
    {
        Span<byte> head = stackalloc byte[Frame.HeaderBytes];
        for (int i = 0; i < ChainFrames; i++)
        {
            // The last one's padding may be missing.
            if (at >= limit) return at - limit < Frame.Alignment;
            budget -= CostOfReadBytes;
            if (file.Read(at, head) < head.Length) return false;
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(head[sizeof(uint)..]);
            if (Frame.KindOf(word) == FrameKind.None) return false;
            at += Frame.SizeOf(Frame.PayloadBytesOf(word));
        }

        return true;
    }

    // The next valid watermark at or after an offset; -1 when there is none.
    private long FindWatermark(long from)
    {
        uint word = Frame.WatermarkWord;
        for (long at = from; at + Frame.WatermarkBytes <= End; at += Frame.Alignment)
        {
            if (!TryLoad(at, Frame.HeaderBytes)) return -1;
            int index = (int)(at - windowStart) + sizeof(uint);
            if (BinaryPrimitives.ReadUInt32LittleEndian(window.AsSpan(index)) != word) continue;
            if (CheckFrame(at, out _) == FrameKind.Control) return at;
        }

        return -1;
    }

    // Makes sure that bytes of the file are in the window; false when the file ends before.
    private bool TryLoad(long offset, int count) =>
        (offset >= windowStart && offset + count <= windowStart + windowLength) || TryRead(offset, count);

    private bool TryRead(long wanted, int wantedBytes)
    {
        long offset = wanted;
        int count = wantedBytes;
        // From the beginning of the group that is being checked, if it fits: its entries are looked at again.
        if (Offset < wanted && wanted + wantedBytes - Offset <= window.Length)
        {
            offset = Offset;
            count = (int)(wanted + wantedBytes - Offset);
        }

        if (count > window.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(count);
            ArrayPool<byte>.Shared.Return(window);
            window = larger;
            windowLength = 0;
        }

        windowStart = offset;
        windowLength = file.Read(offset, window.AsSpan(0, (int)Math.Min(window.Length, Math.Max(count, End - offset))));
        if (Hash is not null && offset <= Hash.Length && offset + windowLength > Hash.Length)
        {
            Hash.Append(window.AsSpan((int)(Hash.Length - offset), (int)(offset + windowLength - Hash.Length)));
        }

        return windowLength >= count;
    }
}
