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

    // Until the file system, the kernel or the C library turns out to lack pwritev2 or its flag.
    private volatile bool canWriteSynced = true;

    // errno of the first Sync that failed; 0 = none. After that the page cache may show as clean what never reached
    // the disk, so nothing the file answers can be trusted.
    private volatile int syncErrno;

    /// <summary>The name of an unnamed file where O_TMPFILE is missing; null otherwise.</summary>
    public string? StagingPath => stagingPath;

    /// <summary>Where linkat finds an O_TMPFILE. Valid while the file is open.</summary>
    public string ProcPath =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{handle.DangerousGetHandle()}");

    private SafeFileHandle Handle => handle;

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
    public void DropCached(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ThrowIfSyncFailed();
        // A page that the range only touches stays, but the one before may hold its first bytes: whole pages around it.
        const long pageMask = 4095;
        long first = offset & ~pageMask;
        // What cannot be let go of is read from memory: no worse than without.
        _ = LibC.Advise(handle, first, ((offset + length + pageMask) & ~pageMask) - first, LibC.AdviceDontNeed);
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
    public unsafe void WriteDurably(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ThrowIfSyncFailed();
        int total = 0;
        fixed (byte* start = source)
        {
            while (total < source.Length && canWriteSynced)
            {
                var buffer = new LibC.Buffer { Start = start + total, Length = source.Length - total };
                total += WriteSynced(buffer, offset + total);
            }
        }

        if (total == source.Length) return;
        Write(offset + total, source[total..]);
        Sync();
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ThrowIfSyncFailed();
        while (LibC.Truncate(handle, length) != 0) ThrowUnlessInterrupted("ftruncate");
    }

    /// <inheritdoc/>
    public void Allocate(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ThrowIfSyncFailed();
        if (length == 0) return;
        while (LibC.Allocate(handle, LibC.AllocateKeepingSize, 0, length) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno is LibC.EOPNOTSUPP or LibC.ENOSYS) return;
            if (errno != LibC.EINTR) throw new DiskException("fallocate", path, errno);
        }
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

    /// <inheritdoc/>
    public void StartWriteback(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        // sync_file_range(2) takes 0 for "to the end of the file".
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ThrowIfSyncFailed();
        // On another thread, since the call allocates blocks and may wait for others who do, for milliseconds.
        ThreadPool.UnsafeQueueUserWorkItem(
            static range => range.File.TryStartWriteback(range.Offset, range.Length), (File: this, Offset: offset, Length: length),
            preferLocal: false);
    }

    private void TryStartWriteback(long offset, long length)
    {
        bool isHeld = false;
        try
        {
            handle.DangerousAddRef(ref isHeld);
            _ = LibC.SyncRange(handle, offset, length, LibC.StartWriting);
        }
        catch (ObjectDisposedException)
        {
            // Closed since: it was synced, or nobody cares.
        }
        finally
        {
            if (isHeld) handle.DangerousRelease();
        }
    }

    /// <inheritdoc/>
    public unsafe DiskMapping? TryMap(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ThrowIfSyncFailed();
        byte* start = LibC.Map(null, (nint)length, LibC.ProtectRead, LibC.MapShared, handle, 0);
        return (nint)start == -1 ? null : new DiskMapping(start, length);
    }

    /// <summary>See <see cref="IDisk.TryClone"/>.</summary>
    public bool TryClone(HostDiskFile source)
    {
        source.ThrowIfSyncFailed();
        ThrowIfSyncFailed();
        while (LibC.Clone(handle, LibC.CloneFile, source.Handle) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno is LibC.EOPNOTSUPP or LibC.EXDEV or LibC.EINVAL or LibC.ENOTTY or LibC.ENOSYS) return false;
            if (errno != LibC.EINTR) throw new DiskException("ioctl(FICLONE)", path, errno);
        }

        return true;
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

    /// <summary>One pwritev2 with RWF_DSYNC.</summary>
    /// <returns>Bytes written; 0 when it was interrupted or does not exist.</returns>
    private unsafe int WriteSynced(LibC.Buffer buffer, long offset)
    {
        nint written;
        try
        {
            written = LibC.PWriteV2(handle, &buffer, 1, offset, LibC.WriteSynced);
        }
        catch (EntryPointNotFoundException)
        {
            canWriteSynced = false;
            return 0;
        }

        if (written >= 0) return (int)written;
        int errno = Marshal.GetLastPInvokeError();
        if (errno == LibC.EINTR) return 0;
        if (errno is LibC.EOPNOTSUPP or LibC.ENOSYS)
        {
            canWriteSynced = false;
            return 0;
        }

        // The errno may be that of the write or that of the sync behind it (thin volumes have no space at either). It
        // was surely the write where the file is not open for writing, or still ends before the first of the bytes.
        bool isOfTheWrite = errno == LibC.EBADF
            || (errno is LibC.ENOSPC or LibC.EDQUOT or LibC.EFBIG && LibC.Seek(handle, 0, LibC.SeekEnd) <= offset);
        if (!isOfTheWrite) syncErrno = errno;
        throw new DiskException("pwritev2", path, errno);
    }

    private void ThrowUnlessInterrupted(string call)
    {
        int errno = Marshal.GetLastPInvokeError();
        if (errno != LibC.EINTR) throw new DiskException(call, path, errno);
    }
}
