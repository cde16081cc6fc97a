namespace Holdfast.Databases.RocksDb;

/// <summary>How a database is opened. What is not said here is as RocksDB's defaults have it.</summary>
public sealed record RocksOptions
{
    /// <summary>Whether a database is made where there is none.</summary>
    public bool CreateIfMissing { get; init; }

    /// <summary>Whether a database that is there is an error.</summary>
    public bool FailIfExists { get; init; }

    /// <summary>How column families are kept that <see cref="Families"/> does not name.</summary>
    public RocksFamilyOptions Family { get; init; } = new();

    /// <summary>How some column families are kept, by name. Naming one here does not create it.</summary>
    public IReadOnlyDictionary<string, RocksFamilyOptions> Families { get; init; } = new Dictionary<string, RocksFamilyOptions>();

    /// <summary>Bytes of the cache of uncompressed blocks that all column families share; 0 for none.</summary>
    public long CacheBytes { get; init; } = 32 << 20;

    /// <summary>Absolute path for write-ahead logs; null for the database's own directory.</summary>
    public string? WalDirectory { get; init; }

    /// <summary>
    /// Whether records wait in this process's memory for <see cref="RocksDatabase.FlushWal"/>: faster, but the end of the process loses them.
    /// </summary>
    public bool ManualWalFlush { get; init; }

    /// <summary>Write-ahead logs of more bytes than this, together, make column families flush; null for RocksDB's choice.</summary>
    public long? MaxTotalWalBytes { get; init; }

    /// <summary>Whether all column families are flushed together: needed for consistency among them where writes are not logged.</summary>
    public bool AtomicFlush { get; init; }

    /// <summary>Threads for flushes and compactions.</summary>
    public int MaxBackgroundJobs { get; init; } = 2;

    /// <summary>Files that may be open at once; null for all, which is fastest.</summary>
    public int? MaxOpenFiles { get; init; }

    /// <summary>Absolute path for RocksDB's own text log; null for the database's directory. Of a read-only open, give one.</summary>
    public string? InfoLogDirectory { get; init; }

    internal RocksFamilyOptions Of(string family) => Families.GetValueOrDefault(family) ?? Family;
}

/// <summary>How a column family is kept.</summary>
public sealed record RocksFamilyOptions
{
    /// <summary>Bytes that are gathered in memory before they become a table.</summary>
    public long WriteBufferBytes { get; init; } = 64 << 20;

    /// <summary>How many such buffers there may be before writers wait.</summary>
    public int MaxWriteBuffers { get; init; } = 2;

    /// <summary>About how many bytes a table of the first level has.</summary>
    public long TableFileBytes { get; init; } = 64 << 20;

    /// <summary>How blocks of tables are compressed.</summary>
    public RocksCompression Compression { get; init; } = RocksCompression.Lz4;

    /// <summary>About how many bytes a block has, before compression.</summary>
    public int BlockBytes { get; init; } = 4096;

    /// <summary>Bits a key in the Bloom filter of a table, such as 10; 0 for no filter.</summary>
    public double BloomBitsPerKey { get; init; }

    /// <summary>Values of at least this many bytes are kept in blob files; null for none.</summary>
    public long? MinBlobBytes { get; init; }

    /// <summary>How blobs are compressed.</summary>
    public RocksCompression BlobCompression { get; init; } = RocksCompression.None;

    /// <summary>Whether tables are merged in the background.</summary>
    public bool Compacts { get; init; } = true;
}

/// <summary>How RocksDB compresses. The values are its own.</summary>
public enum RocksCompression
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>Snappy.</summary>
    Snappy = 1,

    /// <summary>zlib.</summary>
    Zlib = 2,

    /// <summary>LZ4.</summary>
    Lz4 = 4,

    /// <summary>Zstandard.</summary>
    Zstd = 7,
}

/// <summary>What a write survives.</summary>
public enum RocksDurability
{
    /// <summary>The end of the process: it is in the operating system's hands (unless the WAL is flushed by hand).</summary>
    Logged,

    /// <summary>Loss of power too.</summary>
    Synced,

    /// <summary>Neither, until a flush of its column family: it is not in the write-ahead log.</summary>
    Unlogged,
}
