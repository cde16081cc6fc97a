using System.Runtime.InteropServices;
using Holdfast.Log;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.RocksDb;

/// <summary>Tells one content of one file from all others on this machine.</summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="ModifiedSeconds">When it last changed, since 1970.</param>
/// <param name="ModifiedNanoseconds">Of that second.</param>
internal readonly record struct FileStamp(ulong Device, ulong Inode, long Length, long ModifiedSeconds, uint ModifiedNanoseconds)
{
    /// <summary>Whether it is the same file, whatever it holds.</summary>
    public bool IsFileOf(FileStamp other) => Device == other.Device && Inode == other.Inode;
}

/// <summary>System calls that the seam to the disk does not have: locks of byte ranges, and all of a file's stamp.</summary>
internal static unsafe partial class LibC
{
    /// <summary>Locks that belong to the open file, not to the process (fcntl_locking(2)); they exclude the process's kind too.</summary>
    public const int GetOpenFileLock = 36;

    public const int SetOpenFileLock = 37;

    public const short LockWrite = 1;
    public const short LockNone = 2;

    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int EACCES = 13;
    public const int ENOTDIR = 20;

    public const int OpenReadOnly = 0;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenCloseOnExec = 0x80000;

    private const int AtFdCwd = -100;

    // STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME
    private const uint Wanted = 0x1 | 0x100 | 0x200 | 0x40;

    /// <summary>What a path names; null when there is nothing.</summary>
    public static FileStamp? TryStat(string path)
    {
        if (StatX(AtFdCwd, path, 0, Wanted, out FileStatus status) == 0)
        {
            return new FileStamp(
                ((ulong)status.DeviceMajor << 32) | status.DeviceMinor, status.Inode, (long)status.Size, status.ModifiedSeconds,
                status.ModifiedNanoseconds);
        }

        int errno = Marshal.GetLastPInvokeError();
        return errno is ENOENT or ENOTDIR ? null : throw new DiskException("statx", path, errno);
    }

    // Variadic in C; with these arguments the call is the same on every processor that .NET runs Linux on.
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int command, ref RangeLock range);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out FileStatus status);

    /// <summary><c>struct flock</c> (64-bit); zero start and length mean the whole file.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    public struct RangeLock
    {
        [FieldOffset(0)] public short Kind;
    }

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStatus
    {
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }
}
