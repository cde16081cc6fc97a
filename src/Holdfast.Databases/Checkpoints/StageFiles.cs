using System.Buffers;
using Holdfast.Log;

namespace Holdfast.Databases.Checkpoints;

/// <summary>
/// Brings files of a database into a copy: as links or clones where they never change and that can be done, else as copies. For one thread.
/// </summary>
/// <param name="disk">Where all lies.</param>
/// <param name="clock">What time passes by.</param>
/// <param name="directory">The copy's; nobody else writes to it.</param>
/// <param name="options">How fast, and whom to tell.</param>
internal sealed class StageFiles(IDisk disk, TimeProvider clock, string directory, CaptureOptions options)
{
    private const int PieceBytes = 1 << 20;
    private const int NoEntry = 2;

    private readonly CapturePace pace = new(clock, options);
    private bool canLink = true;
    private bool canClone = true;
    private long done;

    /// <summary>How many bytes there are to be brought, as far as is known: for those who are told.</summary>
    public long Expected { get; set; }

    /// <summary>Brings a file that never changes. Its content is durable when it returns, if it was copied.</summary>
    /// <returns>How; null when it is gone.</returns>
    public FileTransfer? TryBring(string source, string name, CancellationToken cancellationToken)
    {
        string target = $"{directory}/{name}";
        if (canLink)
        {
            try
            {
                return disk.TryLink(source, target) ? FileTransfer.Linked : throw new InvalidOperationException($"{target} exists");
            }
            catch (DiskException gone) when (gone.Errno == NoEntry)
            {
                return null;
            }
            catch (DiskException refused) when (refused.IsLinkRefused)
            {
                // A file may have too many names; all else holds for the next one too.
                canLink = refused.Errno == DiskException.TooManyLinks;
            }
        }

        using IDiskFile? from = disk.TryOpen(source, DiskAccess.Read);
        if (from is null) return null;
        using IDiskFile to = disk.CreateUnnamed(directory);
        canClone = canClone && disk.TryClone(from, to);
        if (!canClone) Copy(source, from, to, from.Length, isPaced: true, cancellationToken);
        to.Sync();
        Publish(to, target);
        return canClone ? FileTransfer.Cloned : FileTransfer.Copied;
    }

    /// <summary>Copies the beginning of a file that changes, in the place of one that was brought before.</summary>
    /// <param name="source">Its path.</param>
    /// <param name="name">Its name in the copy.</param>
    /// <param name="length">How much; null for what is there. What is not there any more is left out.</param>
    /// <param name="isPaced">Whether the rate of the options is heeded; not where the file must be had quickly.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many bytes; null when it is gone.</returns>
    public long? TryCopy(string source, string name, long? length, bool isPaced, CancellationToken cancellationToken)
    {
        using IDiskFile? from = disk.TryOpen(source, DiskAccess.Read);
        if (from is null) return null;
        using IDiskFile to = disk.CreateUnnamed(directory);
        long copied = Copy(source, from, to, Math.Min(length ?? long.MaxValue, from.Length), isPaced, cancellationToken);
        _ = disk.TryDelete($"{directory}/{name}");
        Publish(to, $"{directory}/{name}");
        return copied;
    }

    private void Publish(IDiskFile file, string path)
    {
        if (!disk.TryPublish(file, path)) throw new InvalidOperationException($"{path} exists");
    }

    private long Copy(string source, IDiskFile from, IDiskFile to, long bytes, bool isPaced, CancellationToken cancellationToken)
    {
        long free = disk.FreeBytes(directory);
        if (free < bytes)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{directory}: {free} bytes are free, a copy of {source} takes {bytes}",
                "free some space, or choose a place on the database's own file system, where links take none");
        }

        to.Allocate(bytes);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            long at = 0;
            while (at < bytes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int read = from.Read(at, buffer.AsSpan(0, (int)Math.Min(PieceBytes, bytes - at)));
                if (read == 0) break;
                to.Write(at, buffer.AsSpan(0, read));
                at += read;
                done += read;
                options.OnCopied?.Invoke(done, Math.Max(done, Expected));
                if (isPaced) pace.Heed(read, cancellationToken);
            }

            return at;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
