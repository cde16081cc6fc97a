using Holdfast.Log;

namespace Holdfast.Databases;

/// <summary>A database, live or not, of which a consistent copy can be taken.</summary>
public interface ICheckpointSource
{
    /// <summary>Where it lies.</summary>
    DatabaseAddress Address { get; }

    /// <summary>
    /// Makes a directory with the files of a copy: the database as it was at one instant of the call. Links files that
    /// never change, where that can be done.
    /// </summary>
    /// <param name="directory">Absolute path; nothing is there yet, its parent exists.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Stops it; what is in the directory then means nothing.</param>
    /// <exception cref="HoldfastException">It cannot be done; the database is as it was.</exception>
    Capture Capture(string directory, CaptureOptions options, CancellationToken cancellationToken);
}

/// <summary>How a copy is taken.</summary>
public sealed record CaptureOptions
{
    /// <summary>
    /// Whether what is only in memory and in the write-ahead log is first written to a table (RocksDB): slower, but what comes out
    /// is immutable and shared with later copies.
    /// </summary>
    public bool Flush { get; init; } = true;

    /// <summary>
    /// Bytes a second that may be copied; null for no limit. Links cost nothing. Not heeded where the engine copies for its owner (RocksDB, bitcask).
    /// </summary>
    public long? MaxBytesPerSecond { get; init; }

    /// <summary>How often a copy is begun anew because the database changed under it.</summary>
    public int MaxAttempts { get; init; } = 20;

    /// <summary>Told how many bytes were copied and how many there are, where we copy; from one thread.</summary>
    public Action<long, long>? OnCopied { get; init; }
}

/// <summary>How a copy came about.</summary>
public enum CaptureWay
{
    /// <summary>By the program that has the database open, in this process.</summary>
    Owner,

    /// <summary>By the program that has the database open, asked through its agent.</summary>
    Agent,

    /// <summary>Nobody had it open.</summary>
    Closed,

    /// <summary>From outside, accepted because nothing changed meanwhile.</summary>
    Guarded,

    /// <summary>From outside, through the engine's own locks.</summary>
    Shared,
}

/// <summary>What a capture has put into its directory.</summary>
/// <param name="Database">The database's own id; null for one that has none.</param>
/// <param name="Sequence">The engine's number of the last change in the copy; null where it has none.</param>
/// <param name="Way">How.</param>
/// <param name="Files">All files, by name.</param>
public sealed record Capture(string? Database, ulong? Sequence, CaptureWay Way, IReadOnlyList<CapturedFile> Files);

/// <summary>How a file came into a copy.</summary>
public enum FileTransfer
{
    /// <summary>Content was copied.</summary>
    Copied,

    /// <summary>It is another name of the database's file.</summary>
    Linked,

    /// <summary>It shares the blocks of the database's file until one of them is written.</summary>
    Cloned,
}

/// <summary>A file of a copy.</summary>
/// <param name="Name">Its name in the directory; copies have no subdirectories.</param>
/// <param name="Identity">
/// Names the content for ever: equal identities, equal bytes. Of a file that never changes; null for others, and where
/// nothing tells one content from another. Never made of the name alone.
/// </param>
/// <param name="Transfer">How it came.</param>
public sealed record CapturedFile(string Name, string? Identity, FileTransfer Transfer);
