using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Log;

/// <summary>An open file of <see cref="HostDisk"/>.</summary>
/// <param name="handle">Owned by the file.</param>
/// <param name="path">For messages.</param>
/// <param name="isNamed">Whether it was opened by its final name.</param>
/// <param name="stagingPath">The name that an unnamed file has where O_TMPFILE is missing; null otherwise.</param>
internal sealed class HostDiskFile(SafeFileHandle handle, string path, bool isNamed, string? stagingPath) : IDiskFile
{
    private string path = path;

    // errno of the first Sync that failed; 0 = none. After that the page cache may show as clean what never reached
    // the disk, so nothing the file answers can be trusted.
    private volatile int syncErrno;

    /// <summary>The name of an unnamed file where O_TMPFILE is missing; null otherwise.</summary>
    public string? StagingPath => stagingPath;

    /// <summary>Where linkat finds an O_TMPFILE. Valid while the file is open.</summary>
    public string ProcPath =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{handle.DangerousGetHandle()}");

    /// <summary>Whether the file has its final name: it was opened by it, or was published.</summary>
    public bool IsPublished { get; private set; } = isNamed;

    /// <inheritdoc/>
    public long Length
    {
        get
        {
            ThrowIfSyncFailed();
            long length = LibC.Seek(handle, 0, LibC.SeekEnd);
            return length >= 0 ? length : throw new DiskException("lseek", path, Marshal.GetLastPInvokeError());
        }
    }

    /// <inheritdoc/>
    public unsafe int Read(long offset, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ThrowIfSyncFailed();
        int total = 0;
        fixed (byte* start = target)
        {
            while (total < target.Length)
            {
                nint read = LibC.PRead(handle, start + total, target.Length - total, offset + total);
                if (read == 0) break;
                if (read > 0) total += (int)read;
                else ThrowUnlessInterrupted("pread");
            }
        }

        return total;
    }

    /// <inheritdoc/>
    public unsafe void Write(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ThrowIfSyncFailed();
        int total = 0;
        fixed (byte* start = source)
        {
            while (total < source.Length)
            {
                nint written = LibC.PWrite(handle, start + total, source.Length - total, offset + total);
                if (written >= 0) total += (int)written;
                else ThrowUnlessInterrupted("pwrite");
            }
        }
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ThrowIfSyncFailed();
        while (LibC.Truncate(handle, length) != 0) ThrowUnlessInterrupted("ftruncate");
    }

    /// <inheritdoc/>
    public void Sync()
    {
        ThrowIfSyncFailed();
        while (LibC.DataSync(handle) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno == LibC.EINTR) continue;
            syncErrno = errno;
            throw new DiskException("fdatasync", path, errno);
        }
    }

    /// <summary>Closes the file; an unnamed one that was not published vanishes.</summary>
    public void Dispose()
    {
        if (handle.IsClosed) return;
        handle.Dispose();
        // What cannot be removed now is a leftover like that of a crash.
        if (stagingPath is not null && !IsPublished) _ = LibC.Unlink(stagingPath);
    }

    internal void MarkPublished(string publishedPath)
    {
        path = publishedPath;
        IsPublished = true;
    }

    internal void ThrowIfSyncFailed()
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, this);
        if (syncErrno != 0) throw new DiskException("fdatasync (earlier)", path, syncErrno);
    }

    private void ThrowUnlessInterrupted(string call)
    {
        int errno = Marshal.GetLastPInvokeError();
        if (errno != LibC.EINTR) throw new DiskException(call, path, errno);
    }
}
