using Holdfast.Files;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Restoring;

/// <summary>A regular file that is being restored. Uses its folder until it ends.</summary>
internal sealed class RestoreFile
{
    private int failed;
    private int begun;
    private long shown;

    // Pieces still to be written, and one for the planning itself.
    private int remaining = 1;

    /// <summary>The directory in the target.</summary>
    public required RestoreFolder Folder { get; init; }

    public required TreeEntry Entry { get; init; }

    /// <summary>Its name in the target.</summary>
    public required byte[] Name { get; init; }

    /// <summary>For messages.</summary>
    public required byte[] Path { get; init; }

    /// <summary>The regular file that was there, to be compared and changed in place; null when there was none.</summary>
    public required NodeAttributes? There { get; init; }

    /// <summary>What was there had to go: it is written anew.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>Whether it is made by this restore, and not changed in place.</summary>
    public bool IsNew => There is null || IsReplaced;

    /// <summary>Whether anything of an existing file had to be written.</summary>
    public bool Differs { get; set; }

    public bool Failed => Volatile.Read(ref failed) != 0;

    /// <summary>Bytes of it that progress knows of.</summary>
    public long Shown => Interlocked.Read(ref shown);

    /// <summary>Pieces that are still to be written; one more while it is being planned.</summary>
    public int Remaining => Volatile.Read(ref remaining);

    public void AddShown(long bytes) => Interlocked.Add(ref shown, bytes);

    public void AddPiece() => Interlocked.Increment(ref remaining);

    /// <summary>True when that was the last.</summary>
    public bool EndPieces(int count) => Interlocked.Add(ref remaining, -count) == 0;

    /// <summary>True for the first to open it.</summary>
    public bool TryBegin() => Interlocked.Exchange(ref begun, 1) == 0;

    /// <summary>True for the first to fail it, who tells.</summary>
    public bool TryFail() => Interlocked.Exchange(ref failed, 1) == 0;
}

/// <summary>A place where a chunk is to be written.</summary>
/// <param name="Id">The chunk.</param>
/// <param name="File">The file.</param>
/// <param name="Offset">First byte in it.</param>
/// <param name="Length">Length of the chunk.</param>
/// <param name="Repeats">How often it follows itself.</param>
internal readonly record struct WantedChunk(ChunkId Id, RestoreFile File, long Offset, long Length, long Repeats)
{
    /// <summary>For messages.</summary>
    public string Range => $"bytes {Offset} to {Offset + (Length * Repeats)}";
}
