using System.Buffers.Binary;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Reads a blob file whole and checks each of its records.</summary>
/// <remarks>
/// Layout (db/blob/blob_log_format.h, version 1): a header of 30 bytes (magic number, version, column family, 4 bytes each; flags and
/// compression, one each; range of expirations, 16) without a checksum; records of a header (lengths of key and value, expiration, 8 bytes
/// each; checksum of these; checksum of key and value), key and value; a footer of 32 bytes (magic number; count of records, 8; range of
/// expirations; checksum). Checksums are masked CRC32C. A header whose compression has become another one that there is shows only when
/// RocksDB reads a blob of the file.
/// </remarks>
internal static class BlobFileCheck
{
    private const int HeaderBytes = 30;
    private const int FooterBytes = 32;
    private const int RecordHeaderBytes = 32;
    private const int CoveredRecordBytes = 24;
    private const uint Magic = 2395959;
    private const uint Version = 1;
    private const byte LastCompression = 7;
    private const int PieceBytes = 1 << 18;

    /// <summary>What is wrong with a blob file; null when nothing is.</summary>
    /// <param name="file">The file.</param>
    /// <param name="familyId">Id of its column family.</param>
    public static string? FindProblem(IDiskFile file, ulong familyId)
    {
        long length = file.Length;
        if (length < HeaderBytes + FooterBytes) return $"is too short for a blob file: {length} bytes";
        byte[] piece = new byte[PieceBytes];
        Span<byte> part = piece.AsSpan(0, HeaderBytes);
        file.Read(0, part);
        if (BinaryPrimitives.ReadUInt32LittleEndian(part) != Magic) return "is no blob file";
        if (BinaryPrimitives.ReadUInt32LittleEndian(part[4..]) != Version) return "is of an unknown version";
        if (BinaryPrimitives.ReadUInt32LittleEndian(part[8..]) != familyId || part[13] > LastCompression || !IsWithoutExpiration(part[12..]))
        {
            return "its header is not what RocksDB writes";
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

    // Blobs that expire are of the older BlobDB, whose files lie in a directory of their own. After the flags comes the compression.
    private static bool IsWithoutExpiration(ReadOnlySpan<byte> fromFlags) => fromFlags[0] == 0 && !fromFlags[2..18].ContainsAnyExcept((byte)0);

    private static bool EndsInItsChecksum(ReadOnlySpan<byte> bytes) => IsMasked(Crc32C.Compute(bytes[..^4]), bytes[^4..]);

    private static bool IsMasked(uint crc, ReadOnlySpan<byte> stored) =>
        BinaryPrimitives.ReadUInt32LittleEndian(stored) == ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
}
