using System.Diagnostics;
using Holdfast.Log;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// Brings files into a copy: as links or clones where they never change and that can be done, else as copies. For one thread.
/// </summary>
/// <param name="disk">Where all lies.</param>
/// <param name="directory">The copy's.</param>
/// <param name="options">Rate and progress.</param>
internal sealed class FileBringer(IDisk disk, string directory, CaptureOptions options)
{
    private const int PieceBytes = 1 << 20;

    private readonly byte[] piece = GC.AllocateUninitializedArray<byte>(PieceBytes);
    private readonly Stopwatch elapsed = Stopwatch.StartNew();
    private bool canLink = true;
    private long copied;

    /// <summary>How many bytes there are to be copied, as far as is known.</summary>
    public long Expected { get; set; }

    /// <summary>Brings a file that never changes. Its content is durable when it returns, if it was copied.</summary>
    /// <returns>How; null when it has vanished.</returns>
    public FileTransfer? BringFixed(string source, string name, CancellationToken cancellationToken)
    {
        string target = $"{directory}/{name}";
        if (canLink)
        {
            try
            {
                return disk.TryLink(source, target) ? FileTransfer.Linked : throw new InvalidOperationException($"{target} exists");
            }
            catch (DiskException refused) when (refused.IsLinkRefused)
            {
                // A file may have too many links; all else holds for the next one too.
                canLink = refused.Errno == DiskException.TooManyLinks;
            }
            catch (DiskException vanished) when (vanished.Errno == LibC.ENOENT)
            {
                return null;
            }
        }

        using IDiskFile? from = disk.TryOpen(source, DiskAccess.Read);
        if (from is null) return null;
        using IDiskFile to = disk.CreateUnnamed(directory);
        FileTransfer transfer = FileTransfer.Cloned;
        if (!disk.TryClone(from, to))
        {
            transfer = FileTransfer.Copied;
            Copy(from, to, from.Length, isPaced: true, cancellationToken);
        }

        to.Sync();
        Publish(to, target);
        return transfer;
    }

    /// <summary>Copies the beginning of a file that changes, without pause.</summary>
    /// <param name="source">Its path.</param>
    /// <param name="name">Its name in the copy.</param>
    /// <param name="length">How much; null for what is there. What is not there any more is left out.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>False when it has vanished.</returns>
    public bool TryBringChanging(string source, string name, long? length, CancellationToken cancellationToken)
    {
        using IDiskFile? from = disk.TryOpen(source, DiskAccess.Read);
        if (from is null) return false;
        using IDiskFile to = disk.CreateUnnamed(directory);
        Copy(from, to, Math.Min(length ?? long.MaxValue, from.Length), isPaced: false, cancellationToken);
        disk.TryDelete($"{directory}/{name}");
        Publish(to, $"{directory}/{name}");
        return true;
    }

    private void Publish(IDiskFile file, string path)
    {
        if (!disk.TryPublish(file, path)) throw new InvalidOperationException($"{path} exists");
    }

    private void Copy(IDiskFile from, IDiskFile to, long length, bool isPaced, CancellationToken cancellationToken)
    {
        for (long offset = 0; offset < length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = from.Read(offset, piece.AsSpan(0, (int)Math.Min(PieceBytes, length - offset)));
            if (count == 0) return;
            to.Write(offset, piece.AsSpan(0, count));
            offset += count;
            copied += count;
            options.OnCopied?.Invoke(copied, Math.Max(copied, Expected));
            if (isPaced) Pace(cancellationToken);
        }
    }

    private void Pace(CancellationToken cancellationToken)
    {
        if (options.MaxBytesPerSecond is not { } rate) return;
        TimeSpan due = TimeSpan.FromSeconds((double)copied / rate) - elapsed.Elapsed;
        if (due > TimeSpan.Zero) cancellationToken.WaitHandle.WaitOne(due);
    }
}
