using System.Buffers;
using System.Globalization;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>Reads a table whole and checks each of its blocks.</summary>
/// <remarks>
/// The C API has no VerifyChecksum, which this is: all that the index, the block of metadata and the properties lead to is read with its checksum; keys are not compared,
/// so any comparator and merge operator will do. Tables of formats, versions or compressions that are not known here are left to RocksDB's repair of a database,
/// which reads all data and index blocks and puts aside a table where one fails; it is run on a scratch directory with a symbolic link to this one table, and
/// never writes to a table.
/// </remarks>
internal static class TableCheck
{
    private const string PropertiesName = "rocksdb.properties";
    private const string DeltaName = "rocksdb.index.value.is.delta.encoded";
    private const string IndexKindName = "rocksdb.block.based.table.index.type";
    private const string PartitionedFilter = "partitionedfilter.";
    private const string LostDirectory = "lost";
    private const string LinkName = "000001.sst";
    private const int PieceBytes = 256 << 10;

    // RocksDB's IndexType; keys of a hash index are found by prefix, and its blocks are those of a plain one.
    private const uint PlainIndex = 0;
    private const uint HashIndex = 1;
    private const uint PartitionedIndex = 2;

    /// <summary>What is wrong with a table; null when nothing is.</summary>
    /// <param name="file">The table.</param>
    /// <param name="path">Its path.</param>
    /// <param name="scratch">For RocksDB's repair; emptied.</param>
    public static string? FindProblem(IDiskFile file, string path, ScratchDirectory scratch)
    {
        Span<byte> end = stackalloc byte[TableFooter.MaxBytes];
        end = end[..file.Read(Math.Max(0, file.Length - end.Length), end)];
        if (!TableFooter.TryRead(end, out TableFooter footer))
        {
            // Not of a version that is known here, or no such table (RocksDB has other formats): RocksDB says what it is.
            return TableFooter.IsKnown(end) ? "its footer is not what RocksDB writes" : FindProblemByRepair(path, scratch);
        }

        if (ReadWhole(file, footer.MetaIndex, footer) is not { } metaIndex) return Fails("the block of metadata");
        if (ReadWhole(file, footer.Index, footer) is not { } index) return Fails("the index");
        Dictionary<string, byte[]> properties = [];
        if (TableBlock.TryEntries(metaIndex) is { } blocks && FindMetadataProblem(file, footer, blocks, ref properties) is { } problem) return problem;
        return TryDataBlocks(file, footer, index, properties, out List<BlockHandle> data) switch
        {
            null => Fails("a part of the index"),
            true when CanBeExpanded(file, footer, data) => FindDataProblem(file, footer, data),
            _ => FindProblemByRepair(path, scratch),
        };
    }

    private static string? FindMetadataProblem(
        IDiskFile file, TableFooter footer, Dictionary<string, byte[]> blocks, ref Dictionary<string, byte[]> properties)
    {
        foreach ((string name, byte[] value) in blocks.OrderByDescending(block => block.Key == PropertiesName))
        {
            var reader = new ByteReader(value);
            if (!BlockHandle.TryRead(ref reader, out BlockHandle handle)) continue;
            if (ReadWhole(file, handle, footer) is not { } block) return Fails($"the block '{name}'");
            if (name == PropertiesName) properties = TableBlock.TryEntries(block) ?? properties;
            if (!name.StartsWith(PartitionedFilter, StringComparison.Ordinal)) continue;
            foreach (BlockHandle partition in TableBlock.TryHandles(block, footer.Version, IsDelta(properties)) ?? [])
            {
                if (ReadWhole(file, partition, footer) is null) return Fails("a part of the filter");
            }
        }

        return null;
    }

    /// <summary>Where the data lies: false when the index is of a kind that is not known here, null when a part of it fails its check.</summary>
    private static bool? TryDataBlocks(
        IDiskFile file, TableFooter footer, byte[] index, Dictionary<string, byte[]> properties, out List<BlockHandle> data)
    {
        data = [];
        if (!properties.TryGetValue(IndexKindName, out byte[]? text) || !new ByteReader(text).TryFixed32(out uint kind)) return false;
        if (kind > PartitionedIndex || TableBlock.TryHandles(index, footer.Version, IsDelta(properties)) is not { } top) return false;
        if (kind is PlainIndex or HashIndex)
        {
            data = top;
            return true;
        }

        foreach (BlockHandle handle in top)
        {
            if (ReadWhole(file, handle, footer) is not { } part) return null;
            if (TableBlock.TryHandles(part, footer.Version, IsDelta(properties)) is not { } blocks) return false;
            data.AddRange(blocks);
        }

        return true;
    }

    private static string? FindDataProblem(IDiskFile file, TableFooter footer, List<BlockHandle> blocks)
    {
        byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            long start = 0;
            int filled = 0;
            foreach (BlockHandle block in blocks)
            {
                ulong bytes = block.Bytes + BlockHandle.TrailerBytes;
                if (bytes > (ulong)piece.Length)
                {
                    if (ReadWhole(file, block, footer) is null) return FailsAt(block);
                    continue;
                }

                if (block.Offset > (ulong)file.Length) return FailsAt(block);
                long offset = (long)block.Offset;
                if (offset < start || offset + (long)bytes > start + filled)
                {
                    start = offset;
                    filled = file.Read(start, piece);
                    if ((ulong)filled < bytes) return FailsAt(block);
                }

                if (!TableBlock.IsWhole(piece.AsSpan((int)(offset - start), (int)bytes), footer.Checksum)) return FailsAt(block);
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    // The version has no checksum, and says how blocks are compressed.
    private static bool CanBeExpanded(IDiskFile file, TableFooter footer, List<BlockHandle> data) =>
        data.Count == 0 || ReadWhole(file, data[0], footer) is not { } first || TableCompression.TryExpand(first, footer.Version) is not null;

    private static byte[]? ReadWhole(IDiskFile file, BlockHandle handle, TableFooter footer) =>
        TableBlock.TryRead(file, handle) is { } block && TableBlock.IsWhole(block, footer.Checksum) ? block : null;

    private static bool IsDelta(Dictionary<string, byte[]> properties)
    {
        if (!properties.TryGetValue(DeltaName, out byte[]? value)) return false;
        var reader = new ByteReader(value);
        return reader.TryVarint(out ulong flag) && flag != 0;
    }

    private static string? FindProblemByRepair(string path, ScratchDirectory scratch)
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

    private static string FailsAt(BlockHandle block) => Fails(string.Create(CultureInfo.InvariantCulture, $"the block at byte {block.Offset}"));

    private static string Fails(string what) => $"{what} fails its check";
}
