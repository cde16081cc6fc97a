using System.Buffers.Binary;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>The write-ahead logs of a copy.</summary>
internal static class RocksWals
{
    private const int BatchHeaderBytes = 12; // number of the first change, 8 bytes; count of changes, 4

    private const string DamageHint =
        "if the machine lost power, open the database once with its program, which drops what was torn; else restore it from a restore point";

    /// <summary>Cuts the newest log at its last whole record, and looks through all of them.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="directory">The copy.</param>
    /// <param name="lastSequence">Number of the last change that the manifest knew of.</param>
    /// <returns>Number of the last change; null when logs are compressed, so that it cannot be told.</returns>
    /// <exception cref="HoldfastException">Kind Damage: a record fails its check.</exception>
    public static ulong? Settle(IDisk disk, string directory, ulong lastSequence)
    {
        ulong last = lastSequence;
        bool isKnown = true;
        bool isNewest = true;
        foreach (ulong number in NumbersOf(disk, directory))
        {
            string path = $"{directory}/{RocksLayout.WalName(number)}";
            (RecordEnd end, long wholeBytes, long damage, ulong? sequence) = Read(disk, path, number);
            if (end == RecordEnd.Damaged)
            {
                throw new HoldfastException(ErrorKind.Damage, DamageText(RocksLayout.WalName(number), damage), DamageHint);
            }

            if (isNewest && end == RecordEnd.Torn) Cut(disk, path, wholeBytes);
            isNewest = false;
            isKnown &= sequence is not null;
            last = Math.Max(last, sequence ?? 0);
        }

        return isKnown ? last : null;
    }

    /// <summary>Adds what is wrong with the logs of a copy.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="directory">The copy.</param>
    /// <param name="problems">A line each.</param>
    /// <returns>Bytes that were read.</returns>
    public static long Check(IDisk disk, string directory, List<string> problems)
    {
        long bytes = 0;
        foreach (ulong number in NumbersOf(disk, directory))
        {
            string name = RocksLayout.WalName(number);
            (RecordEnd end, _, long damage, _) = Read(disk, $"{directory}/{name}", number);
            if (end == RecordEnd.Damaged) problems.Add(DamageText(name, damage));
            bytes += disk.TryStat($"{directory}/{name}")?.Length ?? 0;
        }

        return bytes;
    }

    private static string DamageText(string name, long offset) => $"{name}: byte {offset}: a record of the write-ahead log fails its check";

    private static (RecordEnd End, long WholeBytes, long DamageOffset, ulong? Sequence) Read(IDisk disk, string path, ulong number)
    {
        using IDiskFile file = disk.TryOpen(path, DiskAccess.Read)
            ?? throw new HoldfastException(ErrorKind.Failed, $"{path}: vanished", "another program removes files there");
        using var records = new RecordReader(file, file.Length, number);
        ulong last = 0;
        while (records.TryRead(out ReadOnlySpan<byte> record))
        {
            if (records.IsCompressed || record.Length < BatchHeaderBytes) continue;
            ulong first = BinaryPrimitives.ReadUInt64LittleEndian(record);
            uint count = BinaryPrimitives.ReadUInt32LittleEndian(record[8..]);
            last = Math.Max(last, first + Math.Max(count, 1) - 1);
        }

        return (records.End, records.WholeBytes, records.DamageOffset, records.IsCompressed ? null : last);
    }

    private static void Cut(IDisk disk, string path, long length)
    {
        // A link is the database's own log: it is complete, and stays as it is.
        if (disk.TryStat(path) is not { LinkCount: 1 }) return;
        using IDiskFile? file = disk.TryOpen(path, DiskAccess.ReadWrite);
        file?.SetLength(length);
    }

    private static List<ulong> NumbersOf(IDisk disk, string directory)
    {
        var numbers = new List<ulong>();
        foreach (DiskEntry entry in disk.TryList(directory) ?? [])
        {
            if (RocksFiles.IsWal(entry.Name, out ulong number)) numbers.Add(number);
        }

        numbers.Sort((left, right) => right.CompareTo(left));
        return numbers;
    }
}
