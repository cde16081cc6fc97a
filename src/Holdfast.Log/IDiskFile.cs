namespace Holdfast.Log;

/// <summary>An open file. Reads and writes are positional and may be made from several threads at once.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>Reads until <paramref name="target"/> is full or the file ends.</summary>
    /// <returns>Bytes read; fewer than asked only at the end of the file.</returns>
    int Read(long offset, Span<byte> target);

    /// <summary>
    /// Lets go of what memory holds of a range, so that the next read comes from the disk. What was not synced stays. Does
    /// nothing where the disk keeps nothing in memory, or does not let go.
    /// </summary>
    void DropCached(long offset, long length)
    {
    }

    /// <summary>Writes all of <paramref name="source"/>. Durable only after <see cref="Sync"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> source);

    /// <summary>
    /// Writes all of <paramref name="source"/> and makes it durable: the same as <see cref="Write"/> and
    /// <see cref="Sync"/>, but for these bytes only, in one call.
    /// </summary>
    /// <remarks>
    /// When it returns, these bytes can be read back after a power cut; the length is durable as far as that needs it.
    /// Other bytes that were not synced may still be lost, those that lie before it too. A power cut within the call
    /// leaves any part of it. A failure is one of <see cref="Sync"/>, so every later call fails too; except that the
    /// disk or quota is full where the file ends: then part of the bytes may be written, and the file can be used.
    /// </remarks>
    void WriteDurably(long offset, ReadOnlySpan<byte> source);

    /// <summary>Cuts or extends the file. Space that was reserved beyond its end is given back.</summary>
    void SetLength(long length);

    /// <summary>
    /// Reserves space, so that writes below <paramref name="length"/> do not fail for the lack of it. The file's
    /// length stays as it is.
    /// </summary>
    /// <param name="length">In bytes from the file's beginning.</param>
    /// <remarks>
    /// Does nothing where the file system cannot. The space stays with the file, closed or not, until
    /// <see cref="SetLength"/>; so may what was found before it turned out that there is not enough.
    /// </remarks>
    void Allocate(long length);

    /// <summary>Makes content and length durable (fdatasync). Once it has failed, every later call fails too.</summary>
    void Sync();

    /// <summary>
    /// A hint: what was written to this range may go to the disk now, so that a later <see cref="Sync"/> finds less to
    /// do. Does not wait, makes nothing durable, and no failure of the disk is reported here.
    /// </summary>
    /// <param name="offset">Start of the range.</param>
    /// <param name="length">Its bytes, at least 1.</param>
    void StartWriteback(long offset, long length);

    /// <summary>Maps the first bytes of the file for reading, shared with all who write to it.</summary>
    /// <param name="length">
    /// At least 1; may be more than the file has: what it grows by is then seen through the mapping.
    /// </param>
    /// <returns>The mapping, which stays valid when the file is closed; null where it cannot be mapped.</returns>
    DiskMapping? TryMap(long length);
}
