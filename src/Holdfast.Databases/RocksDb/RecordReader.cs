using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>How a log of records ends.</summary>
internal enum RecordEnd
{
    /// <summary>With its last record.</summary>
    Whole,

    /// <summary>With a part of a record, or with what an earlier log left in its file: normal while it is written, and after a crash.</summary>
    Torn,

    /// <summary>Bytes fail their check where they should be whole.</summary>
    Damaged,
}

/// <summary>Reads the records of a write-ahead log or manifest, in order, and tells a torn tail from damage.</summary>
/// <remarks>
/// Layout (RocksDB's "Write Ahead Log File Format"): blocks of 32 KiB; in them fragments of a masked CRC32C, a length of two bytes, a
/// type, in logs that write over old ones the low half of the log's number, and the payload. Zeros pad a block. RocksDB itself ends at the
/// first record that fails, and calls all of it a torn tail; here a fragment that lies in the file with its full length, and fails, is
/// damage: on a machine that did not lose power an append is there whole, or its beginning is. Of a log that writes over an old one the
/// last record cannot be told from a torn one.
/// </remarks>
internal sealed class RecordReader : IDisposable
{
    private const int BlockBytes = 32 << 10;
    private const int HeaderBytes = 7;
    private const int RecyclableHeaderBytes = 11;
    private const byte Full = 1;
    private const byte First = 2;
    private const byte Middle = 3;
    private const byte Last = 4;
    private const byte Recyclable = 4; // added to those above
    private const byte SetCompression = 9;
    private const byte LastKnown = 11;
    private const int MaxRecordBytes = 1 << 30;

    private readonly IDiskFile file;
    private readonly long length;
    private readonly uint number;
    private readonly byte[] block = ArrayPool<byte>.Shared.Rent(BlockBytes);
    private readonly ArrayBufferWriter<byte> joined = new();
    private long blockStart;
    private int blockBytes;
    private int at;
    private bool inRecord;
    private bool isRecycled;

    /// <param name="file">Stays the caller's.</param>
    /// <param name="length">How much of it is read.</param>
    /// <param name="number">The log's own number.</param>
    public RecordReader(IDiskFile file, long length, ulong number)
    {
        this.file = file;
        this.length = length;
        this.number = (uint)number;
        Load(0);
    }

    /// <summary>Why <see cref="TryRead"/> returned false.</summary>
    public RecordEnd End { get; private set; }

    /// <summary>Where the last whole record ends; after <see cref="TryRead"/> returned false, all behind it means nothing.</summary>
    public long WholeBytes { get; private set; }

    /// <summary>Where the record begins that fails its check.</summary>
    public long DamageOffset { get; private set; }

    /// <summary>Whether records are compressed, so that only their checks can be told.</summary>
    public bool IsCompressed { get; private set; }

    /// <summary>Reads the next record.</summary>
    /// <param name="record">Valid until the next call.</param>
    /// <returns>False at the end, whichever that is.</returns>
    public bool TryRead(out ReadOnlySpan<byte> record)
    {
        joined.ResetWrittenCount();
        inRecord = false;
        while (TryFragment(out byte type, out ReadOnlySpan<byte> payload))
        {
            if (type <= Last && (type is Middle or Last) != inRecord) return Fail(out record);
            if (joined.WrittenCount + payload.Length > MaxRecordBytes) return Fail(out record);
            switch (type)
            {
                case Full:
                    record = payload;
                    WholeBytes = blockStart + at;
                    return true;
                case Last:
                    joined.Write(payload);
                    record = joined.WrittenSpan;
                    WholeBytes = blockStart + at;
                    return true;
                case First or Middle:
                    joined.Write(payload);
                    inRecord = true;
                    break;
                default:
                    // Of newer versions: about the log, not of it.
                    IsCompressed |= type == SetCompression;
                    WholeBytes = blockStart + at;
                    break;
            }
        }

        if (inRecord && End == RecordEnd.Whole) End = RecordEnd.Torn;
        record = default;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(block);

    private bool Fail(out ReadOnlySpan<byte> record)
    {
        End = RecordEnd.Damaged;
        DamageOffset = WholeBytes;
        record = default;
        return false;
    }

    // The type comes without its recyclable form.
    private bool TryFragment(out byte type, out ReadOnlySpan<byte> payload)
    {
        type = 0;
        payload = default;
        while (true)
        {
            int left = blockBytes - at;
            if (left < HeaderBytes || IsPadding(left))
            {
                if (block.AsSpan(at, left).ContainsAnyExcept((byte)0)) return blockBytes < BlockBytes ? StopTorn() : StopBad();
                if (blockStart + blockBytes >= length) return left > 0 && blockBytes < BlockBytes ? StopTorn() : false;
                Load(blockStart + blockBytes);
                continue;
            }

            ReadOnlySpan<byte> header = block.AsSpan(at);
            int bytes = BinaryPrimitives.ReadUInt16LittleEndian(header[4..]);
            type = header[6];
            if (type == 0 && bytes == 0) return StopAtZeros();
            bool isRecyclable = type is > Last and <= Last + Recyclable or LastKnown;
            int headerBytes = isRecyclable ? RecyclableHeaderBytes : HeaderBytes;
            if (isRecyclable && left >= headerBytes && BinaryPrimitives.ReadUInt32LittleEndian(header[7..]) != number)
            {
                // What the file held in its earlier life, unless the number itself or the type is what was damaged.
                bool isOwn = IsWholeWith(header, headerBytes, bytes, left, number) || (!isRecycled && IsWholeWithOtherType(header, bytes, left));
                return isOwn ? StopDamaged() : StopTorn();
            }

            if (headerBytes + bytes > left)
            {
                return blockBytes == BlockBytes || HasOtherLength(header, headerBytes) ? StopBad() : StopTorn();
            }

            if (!IsWhole(header, headerBytes, bytes)) return StopBad();
            payload = header.Slice(headerBytes, bytes);
            at += headerBytes + bytes;
            isRecycled |= isRecyclable;
            if (isRecyclable) type = type == LastKnown ? LastKnown : (byte)(type - Recyclable);
            return true;
        }
    }

    // A log with longer headers pads a block earlier.
    private bool IsPadding(int left) =>
        blockBytes == BlockBytes && left < RecyclableHeaderBytes && !block.AsSpan(at, left).ContainsAnyExcept((byte)0);

    // Space that was reserved and not written yet; where records follow, they are lost without what should be here.
    private bool StopAtZeros()
    {
        int start = at;
        while (true)
        {
            if (block.AsSpan(start, blockBytes - start).ContainsAnyExcept((byte)0))
            {
                return StopBad();
            }

            if (blockStart + blockBytes >= length) return StopTorn();
            Load(blockStart + blockBytes);
            start = 0;
        }
    }

    private bool StopTorn()
    {
        End = RecordEnd.Torn;
        return false;
    }

    // In a log that writes over an old one, its own end and old bytes meet anywhere: what fails there is damage only where own
    // records follow.
    private bool StopBad() => isRecycled && !OwnRecordFollows() ? StopTorn() : StopDamaged();

    private bool OwnRecordFollows()
    {
        long from = WholeBytes;
        while (blockStart + blockBytes < length || at < blockBytes)
        {
            for (; at + RecyclableHeaderBytes <= blockBytes; at++)
            {
                ReadOnlySpan<byte> header = block.AsSpan(at, blockBytes - at);
                if (header[6] is <= Last or > Last + Recyclable || BinaryPrimitives.ReadUInt32LittleEndian(header[7..]) != number) continue;
                int bytes = BinaryPrimitives.ReadUInt16LittleEndian(header[4..]);
                if (RecyclableHeaderBytes + bytes > header.Length || blockStart + at < from) continue;
                if (IsWhole(header, RecyclableHeaderBytes, bytes)) return true;
            }

            if (blockStart + blockBytes >= length) return false;
            Load(blockStart + blockBytes);
        }

        return false;
    }

    private bool StopDamaged()
    {
        End = RecordEnd.Damaged;
        DamageOffset = WholeBytes;
        return false;
    }

    private static bool IsWhole(ReadOnlySpan<byte> header, int headerBytes, int bytes) =>
        Unmask(BinaryPrimitives.ReadUInt32LittleEndian(header)) == Crc32C.Compute(header[6..(headerBytes + bytes)]);

    private static bool IsWholeWith(ReadOnlySpan<byte> header, int headerBytes, int bytes, int left, uint number)
    {
        if (headerBytes + bytes > left) return false;
        Span<byte> covered = stackalloc byte[RecyclableHeaderBytes - 6];
        covered[0] = header[6];
        BinaryPrimitives.WriteUInt32LittleEndian(covered[1..], number);
        uint crc = Crc32C.Append(Crc32C.Compute(covered), header.Slice(headerBytes, bytes));
        return Unmask(BinaryPrimitives.ReadUInt32LittleEndian(header)) == crc;
    }

    private static bool IsWholeWithOtherType(ReadOnlySpan<byte> header, int bytes, int left)
    {
        if (HeaderBytes + bytes > left) return false;
        uint crc = Unmask(BinaryPrimitives.ReadUInt32LittleEndian(header));
        for (byte type = Full; type <= Last; type++)
        {
            if (Crc32C.Append(Crc32C.Compute([type]), header.Slice(HeaderBytes, bytes)) == crc) return true;
        }

        return false;
    }

    // Whether the fragment is whole with another length than it says: then it is not torn, its length is damaged.
    private bool HasOtherLength(ReadOnlySpan<byte> header, int headerBytes)
    {
        uint wanted = ~Unmask(BinaryPrimitives.ReadUInt32LittleEndian(header));
        uint state = uint.MaxValue;
        int left = blockBytes - at;
        for (int i = 6; i < left; i++)
        {
            state = BitOperations.Crc32C(state, header[i]);
            if (i >= headerBytes - 1 && state == wanted) return true;
        }

        return false;
    }

    private static uint Unmask(uint masked)
    {
        uint rotated = masked - 0xA282EAD8;
        return (rotated >> 17) | (rotated << 15);
    }

    private void Load(long offset)
    {
        blockStart = offset;
        blockBytes = file.Read(offset, block.AsSpan(0, (int)Math.Min(BlockBytes, length - offset)));
        at = 0;
    }
}
