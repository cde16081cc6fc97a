using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Reads a table whole and checks each of its blocks.</summary>
/// <remarks>
/// The C API has no VerifyChecksum. Its repair of a database reads all data and index blocks of each table with their checks, and puts
/// aside a table where one fails; so it is run on a scratch directory with a symbolic link to this one table. It never writes to a table, and
/// compares no keys, so any comparator and merge operator will do. What it passes over in silence (filters, range deletions, dictionaries, and
/// what pads the footer) is read here.
/// </remarks>
internal static class TableCheck
{
    private const string PropertiesName = "rocksdb.properties";
    private const string DeltaName = "rocksdb.index.value.is.delta.encoded";
    private const string PartitionedFilter = "partitionedfilter.";
    private const string LostDirectory = "lost";
    private const string LinkName = "000001.sst";

    /// <summary>What is wrong with a table; null when nothing is.</summary>
    /// <param name="file">The table.</param>
    /// <param name="path">Its path.</param>
    /// <param name="scratch">For RocksDB's repair; emptied.</param>
    public static string? FindProblem(IDiskFile file, string path, ScratchDirectory scratch) =>
        FindMetadataProblem(file) ?? FindDataProblem(path, scratch);

    private static string? FindMetadataProblem(IDiskFile file)
    {
        Span<byte> end = stackalloc byte[TableFooter.MaxBytes];
        end = end[..file.Read(Math.Max(0, file.Length - end.Length), end)];
        // Not of a version that is known here, or no such table (RocksDB has other formats): RocksDB says what it is, below.
        if (!TableFooter.TryRead(end, out TableFooter footer)) return null;
        if (ReadWhole(file, footer.MetaIndex, footer) is not { } metaIndex) return Fails("the block of metadata");
        if (ReadWhole(file, footer.Index, footer) is null) return Fails("the index");
        if (TableBlock.TryEntries(metaIndex) is not { } blocks) return null;
        bool isDelta = false;
        foreach ((string name, byte[] value) in blocks.OrderByDescending(block => block.Key == PropertiesName))
        {
            var reader = new ByteReader(value);
            if (!BlockHandle.TryRead(ref reader, out BlockHandle handle)) continue;
            if (ReadWhole(file, handle, footer) is not { } block) return Fails($"the block '{name}'");
            if (name == PropertiesName) isDelta = IsDelta(block);
            if (name.StartsWith(PartitionedFilter, StringComparison.Ordinal) && FindPartitionProblem(file, block, isDelta, footer) is { } problem) return problem;
        }

        return null;
    }

    private static string? FindPartitionProblem(IDiskFile file, byte[] block, bool isDelta, TableFooter footer)
    {
        foreach (BlockHandle partition in TableBlock.TryHandles(block, isDelta) ?? [])
        {
            if (ReadWhole(file, partition, footer) is null) return Fails("a part of the filter");
        }

        return null;
    }

    private static byte[]? ReadWhole(IDiskFile file, BlockHandle handle, TableFooter footer) =>
        TableBlock.TryRead(file, handle) is { } block && TableBlock.IsWhole(block, footer.Checksum) ? block : null;

    private static bool IsDelta(byte[] properties)
    {
        if (TableBlock.TryEntries(properties) is not { } entries || !entries.TryGetValue(DeltaName, out byte[]? value)) return false;
        var reader = new ByteReader(value);
        return reader.TryVarint(out ulong flag) && flag != 0;
    }

    private static string? FindDataProblem(string path, ScratchDirectory scratch)
    {
        scratch.Clear();
        File.CreateSymbolicLink($"{scratch.Path}/{LinkName}", path);
        using var options = new OptionsHandle();
        LibRocksDb.SetParanoidChecks(options, 1);
        LibRocksDb.SetInfoLogDirectory(options, scratch.Path);
        nint table = LibRocksDb.CreateTableOptions();
        LibRocksDb.SetNoBlockCache(table, 1);
        LibRocksDb.SetTable(options, table);
        LibRocksDb.DestroyTableOptions(table);
        LibRocksDb.Repair(options, scratch.Path, out nint error);
        string? text = RocksError.Take(error);
        if (File.Exists($"{scratch.Path}/{LostDirectory}/{LinkName}")) return Fails($"a block{ReasonIn(scratch.Path)}");
        return text is null ? null : throw RocksError.ToException(text, path);
    }

    // RocksDB tells why only in its text log.
    private static string ReasonIn(string directory)
    {
        const string Corruption = "Corruption: ";
        foreach (string log in Directory.EnumerateFiles(directory, "*LOG*"))
        {
            foreach (string line in File.ReadLines(log))
            {
                int start = line.IndexOf(Corruption, StringComparison.Ordinal);
                if (start >= 0) return $" ({line[(start + Corruption.Length)..].Replace(directory + "/", "", StringComparison.Ordinal)})";
            }
        }

        return "";
    }

    private static string Fails(string what) => $"{what} fails its check";
}
