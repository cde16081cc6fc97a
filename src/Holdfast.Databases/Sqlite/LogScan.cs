using System.Buffers.Binary;
using Holdfast.Log;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// Reads a write-ahead log for damage that SQLite would pass over: it takes the first frame whose checksum fails for the log's end, and
/// all transactions behind it would be missing without a word. https://www.sqlite.org/fileformat.html, "The Write-Ahead Log".
/// </summary>
internal static class LogScan
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const int SaltsOffset = 16;
    private const int HeaderSumsOffset = 24;
    private const int FrameSaltsOffset = 8;
    private const int FrameSumsOffset = 16;
    private const uint Magic = 0x377F0682; // the last bit: sums are of big-endian words
    private const uint MinPageBytes = 512;
    private const uint MaxPageBytes = 65536;

    /// <summary>Looks at the log beside a copy.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="copy">Path of the database.</param>
    /// <param name="source">Path that messages name.</param>
    /// <exception cref="HoldfastException">Kind Damage: a frame fails its checksum, and committed ones follow it.</exception>
    public static void ThrowIfDamaged(IDisk disk, string copy, string source)
    {
        using IDiskFile? file = disk.TryOpen(copy + Sidecars.LogSuffix, DiskAccess.Read);
        if (file is null) return;
        Span<byte> header = stackalloc byte[HeaderBytes];
        Span<byte> salts = stackalloc byte[8];
        if (file.Read(0, header) < HeaderBytes) return;
        header.Slice(SaltsOffset, salts.Length).CopyTo(salts);
        uint magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        uint pageBytes = BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        var sums = new Sums(isBigEndian: (magic & 1) != 0);
        sums.Add(header[..HeaderSumsOffset]);
        bool isWhole = (magic & ~1u) == Magic && pageBytes is >= MinPageBytes and <= MaxPageBytes && uint.IsPow2(pageBytes)
            && sums.Equals(header[HeaderSumsOffset..]);
        if (isWhole)
        {
            ThrowIfFramesAreDamaged(file, pageBytes, salts, sums, source);
        }
        else if (HasFrameOf(file, salts))
        {
            throw Damage(source, "its header fails its checksum, and frames that belong to it follow");
        }
    }

    private static void ThrowIfFramesAreDamaged(IDiskFile file, uint pageBytes, ReadOnlySpan<byte> salts, Sums sums, string source)
    {
        byte[] frame = new byte[FrameHeaderBytes + pageBytes];
        long? broken = null;
        long number = 1;
        for (long offset = HeaderBytes; file.Read(offset, frame) == frame.Length; offset += frame.Length, number++)
        {
            bool isOfThisLap = frame.AsSpan(FrameSaltsOffset, salts.Length).SequenceEqual(salts);
            if (broken is null)
            {
                sums.Add(frame.AsSpan(0, 8));
                sums.Add(frame.AsSpan(FrameHeaderBytes));
                if (!isOfThisLap || !sums.Equals(frame.AsSpan(FrameSumsOffset))) broken = number;
            }
            else if (isOfThisLap && BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) != 0)
            {
                // A power cut can leave this too, behind a transaction that was not synced; whoever it is tells them apart, not we.
                throw Damage(source, $"frame {broken} fails its checksum, and the transaction that ends with frame {number} follows it");
            }
        }
    }

    // The salts change when the log begins anew: that a frame has one of them is no chance.
    private static bool HasFrameOf(IDiskFile file, ReadOnlySpan<byte> salts)
    {
        Span<byte> frame = stackalloc byte[FrameHeaderBytes];
        return file.Read(HeaderBytes, frame) == FrameHeaderBytes
            && (frame.Slice(FrameSaltsOffset, 4).SequenceEqual(salts[..4]) || frame.Slice(FrameSaltsOffset + 4, 4).SequenceEqual(salts[4..]));
    }

    private static HoldfastException Damage(string source, string what) => new(
        ErrorKind.Damage, $"{source}{Sidecars.LogSuffix}: {what}: SQLite would pass over those without a word",
        "restore it from a restore point; to go on with what SQLite can read of it, open it once with the sqlite3 shell");

    /// <summary>The running checksum of a log.</summary>
    private struct Sums(bool isBigEndian)
    {
        private uint first;
        private uint second;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            for (int i = 0; i < bytes.Length; i += 8)
            {
                first += Word(bytes[i..]) + second;
                second += Word(bytes[(i + 4)..]) + first;
            }
        }

        public readonly bool Equals(ReadOnlySpan<byte> stored) =>
            BinaryPrimitives.ReadUInt32BigEndian(stored) == first && BinaryPrimitives.ReadUInt32BigEndian(stored[4..]) == second;

        private readonly uint Word(ReadOnlySpan<byte> bytes) =>
            isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }
}
