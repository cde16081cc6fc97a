using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Log;

/// <summary>
/// A lock of <see cref="HostDisk"/>: flock(2), which a second descriptor of this process cannot take either.
/// </summary>
internal sealed class HostDiskLock : IDiskLock
{
    private const int MaxNoteBytes = 1024;

    private readonly SafeFileHandle handle;

    private HostDiskLock(SafeFileHandle handle) => this.handle = handle;

    /// <summary>Locks an open file and writes who did it; null, and the file closed, when it is locked.</summary>
    /// <param name="handle">Owned by the lock, or closed.</param>
    /// <param name="path">For messages.</param>
    /// <param name="note">The file's text from now on.</param>
    /// <param name="holder">What the one that has the lock wrote; empty when it is taken.</param>
    public static HostDiskLock? TryTake(SafeFileHandle handle, string path, string note, out string holder)
    {
        holder = "";
        while (LibC.Lock(handle, LibC.LockExclusive | LibC.LockNonBlocking) != 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno == LibC.EINTR) continue;
            using (handle)
            {
                if (errno != LibC.EAGAIN) throw new DiskException("flock", path, errno);
                holder = ReadNote(handle);
                return null;
            }
        }

        WriteNote(handle, note);
        return new HostDiskLock(handle);
    }

    public void Dispose()
    {
        if (handle.IsClosed) return;
        WriteNote(handle, "");
        // Said to the kernel, not left to close: a child process that another thread is just starting has a copy of
        // the descriptor until its exec.
        _ = LibC.Lock(handle, LibC.LockFree);
        handle.Dispose();
    }

    private static unsafe string ReadNote(SafeFileHandle handle)
    {
        byte* text = stackalloc byte[MaxNoteBytes];
        nint count = LibC.PRead(handle, text, MaxNoteBytes, 0);
        return count <= 0 ? "" : Encoding.UTF8.GetString(text, (int)count).Trim();
    }

    // The text only serves a message; what fails here must not keep anybody from what is locked.
    private static unsafe void WriteNote(SafeFileHandle handle, string note)
    {
        _ = LibC.Truncate(handle, 0);
        fixed (byte* text = Encoding.UTF8.GetBytes(note))
        {
            if (text is not null) _ = LibC.PWrite(handle, text, Encoding.UTF8.GetByteCount(note), 0);
        }
    }
}
