using System.Buffers.Binary;
using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// Reads a hot rollback journal for damage that SQLite would pass over: it takes the first record whose checksum fails for the journal's
/// end, and leaves the pages behind it as the broken transaction has them. https://www.sqlite.org/fileformat.html, "The Rollback Journal".
/// </summary>
internal static class JournalScan
{
    private const int HeaderBytes = 28;
    private const int SumStride = 200;
    private const uint CountIsUnknown = uint.MaxValue;
    private const uint MinSectorBytes = 32;
    private const uint MinPageBytes = 512;
    private const uint MaxBytes = 65536;

    private static ReadOnlySpan<byte> Magic => [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];

    /// <summary>Looks at the journal beside a copy.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="copy">Path of the database.</param>
    /// <param name="source">Path that messages name.</param>
    /// <exception cref="HoldfastException">Kind Damage: it does not hold what it says that it holds.</exception>
    public static void ThrowIfDamaged(IDisk disk, string copy, string source)
    {
        using IDiskFile? file = disk.TryOpen(copy + Sidecars.JournalSuffix, DiskAccess.Read);
        if (file is null) return;
        Span<byte> header = stackalloc byte[HeaderBytes];
        uint pageBytes = 0, sectorBytes = 0;
        for (long offset = 0; file.Read(offset, header) == HeaderBytes && header.StartsWith(Magic);)
        {
            uint count = BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
            uint nonce = BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
            if (offset == 0)
            {
                sectorBytes = BinaryPrimitives.ReadUInt32BigEndian(header[20..]);
                pageBytes = BinaryPrimitives.ReadUInt32BigEndian(header[24..]);
                if (!IsSize(sectorBytes, MinSectorBytes) || !IsSize(pageBytes, MinPageBytes)) throw Damage(source, "its header is senseless");
            }

            // Not counted by who does not sync: its end is where its records end.
            if (count == CountIsUnknown) return;
            long records = offset + sectorBytes;
            ThrowIfRecordsAreDamaged(file, records, count, pageBytes, nonce, source);
            long end = records + (count * (pageBytes + 8L));
            offset = (end + sectorBytes - 1) / sectorBytes * sectorBytes;
        }

        // The first bytes are written last, together with the count: with others it was never a journal.
        if (pageBytes == 0) throw Damage(source, "it does not begin as a journal does");
    }

    private static void ThrowIfRecordsAreDamaged(IDiskFile file, long offset, uint count, uint pageBytes, uint nonce, string source)
    {
        byte[] record = new byte[pageBytes + 8];
        for (uint i = 0; i < count; i++, offset += record.Length)
        {
            if (file.Read(offset, record) < record.Length) throw Damage(source, $"it ends in record {i + 1} of {count}");
            ReadOnlySpan<byte> page = record.AsSpan(4, (int)pageBytes);
            uint sum = nonce;
            for (int at = page.Length - SumStride; at > 0; at -= SumStride) sum += page[at];
            if (sum != BinaryPrimitives.ReadUInt32BigEndian(record.AsSpan(record.Length - 4)))
            {
                throw Damage(source, $"record {i + 1} of {count} fails its checksum");
            }
        }
    }

    private static bool IsSize(uint bytes, uint min) => bytes >= min && bytes <= MaxBytes && uint.IsPow2(bytes);

    private static HoldfastException Damage(string source, string what) => new(
        ErrorKind.Damage, $"{source}{Sidecars.JournalSuffix}: {what}: the transaction that it belongs to cannot be rolled back",
        "restore it from a restore point");
}
