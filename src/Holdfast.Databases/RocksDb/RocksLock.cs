using System.Runtime.InteropServices;
using Holdfast.Log;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.RocksDb;

/// <summary>
/// The lock of a database: RocksDB locks the whole file LOCK (fcntl) as long as it has the database open for writing. Locks of the open file,
/// taken here, exclude RocksDB in other processes and in this one.
/// </summary>
/// <remarks>
/// RocksDB's own lock belongs to the process, and is lost when the process closes any descriptor of the file. So a LOCK that this process has
/// open already is never opened again: it counts as held.
/// </remarks>
internal sealed class RocksLock : IDisposable
{
    private const uint FileMode = 0x1A4; // 0644, as RocksDB makes it

    // RocksDB opens and then locks; who asks in between would take the lock away by closing. By path, so that a slow open holds up few.
    private static readonly Lock[] Gates = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];

    private readonly SafeFileHandle handle;

    private RocksLock(SafeFileHandle handle) => this.handle = handle;

    /// <summary>To be held while a database is opened in this process.</summary>
    /// <param name="directory">Absolute path of the database.</param>
    public static Lock GateOf(string directory) => Gates[(uint)directory.GetHashCode(StringComparison.Ordinal) % (uint)Gates.Length];

    /// <summary>Whether somebody has a database open for writing. Takes no lock and changes nothing.</summary>
    /// <param name="directory">Absolute path of the database.</param>
    public static bool IsHeld(string directory)
    {
        string path = $"{directory}/{RocksFiles.Lock}";
        lock (GateOf(directory))
        {
            if (LibC.TryStat(path) is not { } stamp) return false;
            if (CountOpen(stamp) > 0) return true;
            SafeFileHandle file = Open(path, LibC.OpenReadOnly);
            var range = new LibC.RangeLock { Kind = LibC.LockWrite };
            int result = LibC.Lock(file, LibC.GetOpenFileLock, ref range);
            int errno = Marshal.GetLastPInvokeError();
            // Opened here meanwhile, by others than RocksDatabase: one descriptor that stays open is better than a lock that is lost.
            if (CountOpen(stamp) > 1) file.SetHandleAsInvalid();
            file.Dispose();
            return result == 0 ? range.Kind != LibC.LockNone : throw new DiskException("fcntl", path, errno);
        }
    }

    /// <summary>Takes the lock, so that nobody can open the database; null when it is held.</summary>
    /// <param name="directory">Absolute path of the database. LOCK is made if it is missing.</param>
    public static RocksLock? TryTake(string directory)
    {
        string path = $"{directory}/{RocksFiles.Lock}";
        lock (GateOf(directory))
        {
            if (LibC.TryStat(path) is { } stamp && CountOpen(stamp) > 0) return null;
            SafeFileHandle file = Open(path, LibC.OpenReadWrite | LibC.OpenCreate);
            var range = new LibC.RangeLock { Kind = LibC.LockWrite };
            if (LibC.Lock(file, LibC.SetOpenFileLock, ref range) == 0) return new RocksLock(file);
            int errno = Marshal.GetLastPInvokeError();
            file.Dispose();
            return errno is LibC.EAGAIN or LibC.EACCES ? null : throw new DiskException("fcntl", path, errno);
        }
    }

    /// <summary>
    /// Frees the lock, by closing: the kernel then first drops the process's own locks and after that this one, so that no RocksDB of this
    /// process can have got its lock in between.
    /// </summary>
    public void Dispose() => handle.Dispose();

    private static SafeFileHandle Open(string path, int flags)
    {
        while (true)
        {
            SafeFileHandle file = LibC.Open(path, flags | LibC.OpenCloseOnExec, FileMode);
            if (!file.IsInvalid) return file;
            int errno = Marshal.GetLastPInvokeError();
            file.Dispose();
            if (errno != LibC.EINTR) throw new DiskException("open", path, errno);
        }
    }

    // How many descriptors this process has of a file.
    private static int CountOpen(FileStamp stamp)
    {
        int count = 0;
        foreach (string descriptor in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            try
            {
                if (LibC.TryStat(descriptor) is { } open && open.IsFileOf(stamp)) count++;
            }
            catch (DiskException)
            {
                // Of a file system that does not answer: not the database's, which did.
            }
        }

        return count;
    }
}
