using System.Runtime.InteropServices;
using Holdfast.Log;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.Sqlite;

/// <summary>
/// A database's file, open beside SQLite: sees its locks and takes them as SQLite does, by open file description, so that they are
/// told from those of all connections, this process's too. Not for several threads at once.
/// </summary>
/// <remarks>Byte ranges: os.h of SQLite ("The following #define's refer to POSIX advisory locks") and os_unix.c, "UNIX_SHM_BASE".</remarks>
internal sealed class DatabaseFile : IDisposable
{
    private const long PendingByte = 0x40000000;
    private const long SharedFirst = PendingByte + 2;
    private const long SharedBytes = 510;
    private const long AllBytes = 2 + SharedBytes;
    private const long ShmLocksStart = 120;
    private const long ShmLocksBytes = 9;

    private readonly SafeFileHandle handle;

    private DatabaseFile(SafeFileHandle handle, string path)
    {
        this.handle = handle;
        Path = path;
    }

    /// <summary>Its path, links resolved.</summary>
    public string Path { get; }

    /// <summary>Its mark now.</summary>
    public FileMark Mark => FileMark.Of(handle, Path);

    /// <summary>Opens a file; null when there is none.</summary>
    /// <param name="path">No link.</param>
    /// <param name="writable">Whether it is to be locked against readers, which needs the right to write.</param>
    public static DatabaseFile? TryOpen(string path, bool writable = false)
    {
        int flags = (writable ? LibC.OpenReadWrite : LibC.OpenReadOnly) | LibC.OpenNonBlocking | LibC.OpenCloseOnExec;
        SafeFileHandle handle = LibC.Open(path, flags, 0);
        if (!handle.IsInvalid) return new DatabaseFile(handle, path);
        int errno = Marshal.GetLastPInvokeError();
        return errno is LibC.ENOENT or LibC.ENOTDIR ? null : throw new DiskException("open", path, errno);
    }

    /// <summary>Reads until the target is full or the file ends.</summary>
    public int Read(long offset, Span<byte> target)
    {
        int total = 0;
        while (total < target.Length)
        {
            int read = RandomAccess.Read(handle, target[total..], offset + total);
            if (read == 0) break;
            total += read;
        }

        return total;
    }

    /// <summary>Takes the lock of a reader: while it is held, nobody begins to write to the file itself (in WAL mode: to delete the log).</summary>
    /// <returns>False when a writer has it.</returns>
    public bool TryLockShared() =>
        // A pending lock is a writer's that waits for readers to leave: none may come.
        FindLock(PendingByte, 1, LibC.ReadLock) is null && TrySet(LibC.ReadLock, SharedFirst, SharedBytes);

    /// <summary>Takes all of the locks: nobody reads or writes.</summary>
    /// <returns>False when somebody has one.</returns>
    public bool TryLockAll() => TrySet(LibC.WriteLock, PendingByte, AllBytes);

    /// <summary>Gives back what was locked.</summary>
    public void Unlock() => _ = TrySet(LibC.NoLock, PendingByte, AllBytes);

    /// <summary>Somebody else who has a lock of the database: a process, or 0 or less for one that cannot be named; null for nobody.</summary>
    /// <remarks>
    /// In WAL mode every connection has one for as long as it is open; else only while it reads or writes. Not to be called while this
    /// process has a connection to the database: looking frees that one's locks on the shared memory.
    /// </remarks>
    public int? FindUser()
    {
        if (FindLock(PendingByte, AllBytes, LibC.WriteLock) is { } user) return user;
        using SafeFileHandle shared = LibC.Open(
            $"{Path}-shm", LibC.OpenReadOnly | LibC.OpenNonBlocking | LibC.OpenCloseOnExec, 0);
        return shared.IsInvalid ? null : FindLock(shared, ShmLocksStart, ShmLocksBytes, LibC.WriteLock);
    }

    public void Dispose() => handle.Dispose();

    private int? FindLock(long start, long length, short type) => FindLock(handle, start, length, type);

    private int? FindLock(SafeFileHandle file, long start, long length, short type)
    {
        LibC.FileLock range = new() { Type = type, Start = start, Length = length };
        if (LibC.Control(file, LibC.GetLock, ref range) != 0)
        {
            throw new DiskException("fcntl(F_OFD_GETLK)", Path, Marshal.GetLastPInvokeError());
        }

        return range.Type == LibC.NoLock ? null : range.Process;
    }

    private bool TrySet(short type, long start, long length)
    {
        LibC.FileLock range = new() { Type = type, Start = start, Length = length };
        if (LibC.Control(handle, LibC.SetLock, ref range) == 0) return true;
        int errno = Marshal.GetLastPInvokeError();
        return errno is LibC.EAGAIN or LibC.EACCES ? false : throw new DiskException("fcntl(F_OFD_SETLK)", Path, errno);
    }
}
