using System.Buffers.Binary;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Reads a blob file whole and checks each of its records.</summary>
/// <remarks>
/// Layout (db/blob/blob_log_format.h, version 1): a header of 30 bytes; records of a header (lengths of key and value, expiration, 8 bytes
/// each; checksum of these; checksum of key and value), key and value; a footer of 32 bytes. Header and footer end in their checksum. All
/// checksums are masked CRC32C.
/// </remarks>
internal static class BlobFileCheck
{
    private const int HeaderBytes = 30;
    private const int FooterBytes = 32;
    private const int RecordHeaderBytes = 32;
    private const int CoveredRecordBytes = 24;
    private const uint Magic = 2395959;
    private const uint Version = 1;
    private const int PieceBytes = 1 << 18;

    /// <summary>What is wrong with a blob file; null when nothing is.</summary>
    public static string? FindProblem(IDiskFile file)
    {
        long length = file.Length;
        if (length < HeaderBytes + FooterBytes) return $"is too short for a blob file: {length} bytes";
        byte[] piece = new byte[PieceBytes];
        Span<byte> part = piece.AsSpan(0, HeaderBytes);
        file.Read(0, part);
        if (BinaryPrimitives.ReadUInt32LittleEndian(part) != Magic) return "is no blob file";
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(part[4..]);
        if (!EndsInItsChecksum(part)) return "its header fails its check";
        if (version != Version)
        {
            throw new HoldfastException(ErrorKind.Failed, $"a blob file of version {version}: written by a RocksDB that is newer than this program", "use a newer holdfast");
        }

        long end = length - FooterBytes;
        ulong count = 0;
        long offset = HeaderBytes;
        for (; offset < end; count++)
        {
            if (!TryRecord(file, piece, offset, end, out long next)) return $"byte {offset}: a record fails its check";
            offset = next;
        }

        part = piece.AsSpan(0, FooterBytes);
        file.Read(end, part);
        if (!EndsInItsChecksum(part)) return "its footer fails its check";
        ulong expected = BinaryPrimitives.ReadUInt64LittleEndian(part[4..]);
        return count == expected ? null : $"has {count} records, {expected} by its footer";
    }

    private static bool TryRecord(IDiskFile file, byte[] piece, long offset, long end, out long next)
    {
        next = 0;
        if (end - offset < RecordHeaderBytes) return false;
        Span<byte> header = stackalloc byte[RecordHeaderBytes];
        file.Read(offset, header);
        if (!IsMasked(Crc32C.Compute(header[..CoveredRecordBytes]), header[CoveredRecordBytes..])) return false;
        ulong keyBytes = BinaryPrimitives.ReadUInt64LittleEndian(header);
        ulong valueBytes = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        ulong left = (ulong)(end - offset - RecordHeaderBytes);
        if (keyBytes > left || valueBytes > left - keyBytes) return false;
        long at = offset + RecordHeaderBytes;
        next = at + (long)(keyBytes + valueBytes);
        uint crc = 0;
        while (at < next)
        {
            int count = file.Read(at, piece.AsSpan(0, (int)Math.Min(PieceBytes, next - at)));
            if (count == 0) return false;
            crc = Crc32C.Append(crc, piece.AsSpan(0, count));
            at += count;
        }

        return IsMasked(crc, header[(CoveredRecordBytes + 4)..]);
    }

    private static bool EndsInItsChecksum(ReadOnlySpan<byte> bytes) => IsMasked(Crc32C.Compute(bytes[..^4]), bytes[^4..]);

    private static bool IsMasked(uint crc, ReadOnlySpan<byte> stored) =>
        BinaryPrimitives.ReadUInt32LittleEndian(stored) == ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
}
