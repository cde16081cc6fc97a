using System.Runtime.InteropServices;
using Holdfast.Log;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.Sqlite;

/// <summary>A file as it is at one moment: equal marks of a moment before and one after, and it was not changed between.</summary>
/// <param name="Device">Its file system.</param>
/// <param name="Inode">Which file of it.</param>
/// <param name="Type">The type bits of its mode.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Modified">When its content changed, seconds.</param>
/// <param name="ModifiedNanoseconds">And parts of one.</param>
/// <param name="Changed">When anything of it changed, seconds.</param>
/// <param name="ChangedNanoseconds">And parts of one.</param>
internal readonly record struct FileMark(
    ulong Device, ulong Inode, ushort Type, long Length, long Modified, uint ModifiedNanoseconds, long Changed, uint ChangedNanoseconds)
{
    private const ushort TypeMask = 0xF000;
    private const ushort Regular = 0x8000;

    /// <summary>Whether it is a plain file.</summary>
    public bool IsRegular => Type == Regular;

    /// <summary>The mark of what a path leads to; null when there is nothing.</summary>
    /// <exception cref="DiskException">The kernel refused.</exception>
    public static FileMark? TryOf(string path)
    {
        if (LibC.StatX(LibC.AtFdCwd, path, 0, LibC.FileStatus.Wanted, out LibC.FileStatus status) == 0) return From(status);
        int errno = Marshal.GetLastPInvokeError();
        return errno is LibC.ENOENT or LibC.ENOTDIR ? null : throw new DiskException("statx", path, errno);
    }

    /// <summary>The mark of an open file.</summary>
    public static FileMark Of(SafeFileHandle handle, string path)
    {
        if (LibC.StatX(handle, "", LibC.AtEmptyPath, LibC.FileStatus.Wanted, out LibC.FileStatus status) == 0) return From(status);
        throw new DiskException("statx", path, Marshal.GetLastPInvokeError());
    }

    /// <summary>Whether two marks are of one file.</summary>
    public bool IsSameFile(FileMark other) => Device == other.Device && Inode == other.Inode;

    private static FileMark From(in LibC.FileStatus status) => new(
        ((ulong)status.DeviceMajor << 32) | status.DeviceMinor, status.Inode, (ushort)(status.Mode & TypeMask), (long)status.Size,
        status.ModifiedSeconds, status.ModifiedNanoseconds, status.ChangedSeconds, status.ChangedNanoseconds);
}
