using Holdfast.Log;

namespace Holdfast.Vault.Checking;

/// <summary>
/// What a check knows of chunks that are too many for its memory: a file without a name, which goes when it is disposed or
/// the process ends. May be used from any thread.
/// </summary>
/// <remarks>It holds ids of chunks, which are keyed hashes, and is never synced: it serves one check and nobody else.</remarks>
internal sealed class ChunkSpill(IDisk disk, string directory) : IDisposable
{
    private readonly Lock gate = new();
    private IDiskFile? file;
    private long end;

    /// <summary>Adds bytes, and tells where they begin.</summary>
    /// <exception cref="HoldfastException">The directory takes no more.</exception>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            IDiskFile target;
            long at;
            lock (gate)
            {
                target = file ??= disk.CreateUnnamed(directory);
                at = end;
                end += bytes.Length;
            }

            target.Write(at, bytes);
            return at;
        }
        catch (DiskException error)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{directory}: {error.Reason}; a check of so many chunks keeps about 50 bytes of each in a temporary file",
                "let TMPDIR name a directory with more room, or allow more memory with --memory", error);
        }
    }

    /// <summary>Reads what was added.</summary>
    public void Read(long at, Span<byte> target)
    {
        int read = file!.Read(at, target);
        if (read != target.Length) throw new HoldfastException(ErrorKind.Failed, $"{directory}: a temporary file ends at byte {at + read}", "run it again");
    }

    public void Dispose() => file?.Dispose();
}
