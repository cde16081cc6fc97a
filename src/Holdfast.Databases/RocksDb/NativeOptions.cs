namespace Holdfast.Databases.RocksDb;

/// <summary>The library's options for ours.</summary>
internal static class NativeOptions
{
    /// <summary>Options of a database, or of a column family in it.</summary>
    /// <param name="options">Of the database.</param>
    /// <param name="family">Of the column family.</param>
    /// <param name="cache">The shared block cache; null for none. What comes out shares it, the caller may dispose it.</param>
    public static OptionsHandle Create(RocksOptions options, RocksFamilyOptions family, CacheHandle? cache)
    {
        var native = new OptionsHandle();
        LibRocksDb.SetCreateIfMissing(native, AsByte(options.CreateIfMissing));
        LibRocksDb.SetFailIfExists(native, AsByte(options.FailIfExists));
        LibRocksDb.SetMaxBackgroundJobs(native, options.MaxBackgroundJobs);
        LibRocksDb.SetManualWalFlush(native, AsByte(options.ManualWalFlush));
        LibRocksDb.SetAtomicFlush(native, AsByte(options.AtomicFlush));
        if (options.MaxOpenFiles is { } files) LibRocksDb.SetMaxOpenFiles(native, files);
        if (options.MaxTotalWalBytes is { } walBytes) LibRocksDb.SetMaxTotalWalBytes(native, (ulong)walBytes);
        if (options.WalDirectory is { } wals) LibRocksDb.SetWalDirectory(native, wals);
        if (options.InfoLogDirectory is { } logs) LibRocksDb.SetInfoLogDirectory(native, logs);

        LibRocksDb.SetWriteBufferBytes(native, (nuint)family.WriteBufferBytes);
        LibRocksDb.SetMaxWriteBuffers(native, family.MaxWriteBuffers);
        LibRocksDb.SetTableFileBytes(native, (ulong)family.TableFileBytes);
        LibRocksDb.SetCompression(native, (int)family.Compression);
        LibRocksDb.SetDisableCompactions(native, family.Compacts ? 0 : 1);
        if (family.MinBlobBytes is { } blobBytes)
        {
            LibRocksDb.SetBlobFiles(native, 1);
            LibRocksDb.SetMinBlobBytes(native, (ulong)blobBytes);
            LibRocksDb.SetBlobCompression(native, (int)family.BlobCompression);
            LibRocksDb.SetBlobCollection(native, 1);
        }

        nint table = LibRocksDb.CreateTableOptions();
        LibRocksDb.SetBlockBytes(table, (nuint)family.BlockBytes);
        if (cache is null) LibRocksDb.SetNoBlockCache(table, 1);
        else LibRocksDb.SetBlockCache(table, cache);
        if (family.BloomBitsPerKey > 0) LibRocksDb.SetFilter(table, LibRocksDb.CreateBloomFilter(family.BloomBitsPerKey));
        LibRocksDb.SetTable(native, table);
        LibRocksDb.DestroyTableOptions(table);
        return native;
    }

    private static byte AsByte(bool value) => value ? (byte)1 : (byte)0;
}
