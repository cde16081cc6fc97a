using System.Buffers;
using Holdfast.Log;

namespace Holdfast.Databases.Checkpoints;

/// <summary>Brings files of a database into a directory of a copy: by a link, by sharing blocks, or by a copy. For one thread.</summary>
/// <param name="host">Disk and clock.</param>
/// <param name="directory">The directory; nobody else writes to it.</param>
/// <param name="options">How fast, and who is told.</param>
/// <param name="expectedBytes">Length of all files, for those who are told.</param>
internal sealed class StageFiles(Host host, string directory, CaptureOptions options, long expectedBytes)
{
    private const int CopyBytes = 1 << 20;
    private const int NoEntry = 2;

    private readonly long started = host.Clock.GetTimestamp();
    private bool canLink = true;
    private bool canClone = true;
    private long copied;
    private long done;

    /// <summary>Brings a file that never changes; null when it is gone.</summary>
    public FileTransfer? TryBring(string source, string name, CancellationToken cancellationToken)
    {
        if (canLink)
        {
            if (host.Disk.TryStat(source) is not { } stat) return null;
            try
            {
                if (!host.Disk.TryLink(source, $"{directory}/{name}")) throw new InvalidOperationException($"{directory}/{name} exists");
                Tell(stat.Length);
                return FileTransfer.Linked;
            }
            catch (DiskException gone) when (gone.Errno == NoEntry)
            {
                return null;
            }
            catch (DiskException refused) when (refused.IsLinkRefused)
            {
                // Of one file only: it has too many names. Else of all.
                canLink = refused.Errno == DiskException.TooManyLinks;
            }
        }

        return Copy(source, name, length: null, cancellationToken);
    }

    /// <summary>Copies the first bytes of a file that only grows; null when it is gone.</summary>
    public FileTransfer? TryCopy(string source, string name, long length, CancellationToken cancellationToken) =>
        Copy(source, name, length, cancellationToken);

    /// <summary>Removes a directory of files.</summary>
    public static void Clear(IDisk disk, string directory)
    {
        foreach (DiskEntry entry in disk.TryList(directory) ?? []) _ = disk.TryDelete($"{directory}/{entry.Name}");
        _ = disk.TryDeleteDirectory(directory);
    }

    private FileTransfer? Copy(string source, string name, long? length, CancellationToken cancellationToken)
    {
        using IDiskFile? from = host.Disk.TryOpen(source, DiskAccess.Read);
        if (from is null) return null;
        using IDiskFile to = host.Disk.CreateUnnamed(directory);
        long bytes = length ?? from.Length;
        bool isClone = length is null && canClone && host.Disk.TryClone(from, to);
        canClone &= isClone || length is not null;
        if (isClone) Tell(bytes);
        else CopyContent(source, from, to, bytes, cancellationToken);
        to.Sync();
        if (!host.Disk.TryPublish(to, $"{directory}/{name}")) throw new InvalidOperationException($"{directory}/{name} exists");
        return isClone ? FileTransfer.Cloned : FileTransfer.Copied;
    }

    private void CopyContent(string source, IDiskFile from, IDiskFile to, long bytes, CancellationToken cancellationToken)
    {
        long free = host.Disk.FreeBytes(directory);
        if (free < bytes)
        {
            throw new HoldfastException(
                ErrorKind.Failed, $"{directory}: {free} bytes are free, a copy of {source} takes {bytes}",
                "free some space, or choose a place on the database's own file system, where links take none");
        }

        to.Allocate(bytes);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            for (long at = 0; at < bytes;)
            {
                int read = from.Read(at, buffer.AsSpan(0, (int)Math.Min(CopyBytes, bytes - at)));
                if (read == 0)
                {
                    throw new HoldfastException(ErrorKind.Failed, $"{source}: ends at {at}, {bytes} bytes expected", "another program cut it: run it again");
                }

                to.Write(at, buffer.AsSpan(0, read));
                at += read;
                Tell(read);
                Throttle(read, cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Throttle(int bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (options.MaxBytesPerSecond is not { } rate) return;
        copied += bytes;
        TimeSpan ahead = TimeSpan.FromSeconds((double)copied / rate) - host.Clock.GetElapsedTime(started);
        if (ahead > TimeSpan.Zero && cancellationToken.WaitHandle.WaitOne(ahead)) cancellationToken.ThrowIfCancellationRequested();
    }

    private void Tell(long bytes)
    {
        done += bytes;
        options.OnCopied?.Invoke(done, Math.Max(done, expectedBytes));
    }
}
