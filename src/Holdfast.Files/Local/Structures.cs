using System.Runtime.InteropServices;

namespace Holdfast.Files.Local;

/// <summary>struct timespec of 64-bit systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    /// <summary>In <see cref="Nanoseconds"/>: leave this time as it is (UTIME_OMIT).</summary>
    public const long Omit = 0x3FFFFFFE;

    public long Seconds;
    public long Nanoseconds;

    public static TimeSpec From(UnixTime? time) => time is UnixTime t
        ? new TimeSpec { Seconds = t.Seconds, Nanoseconds = t.Nanoseconds }
        : new TimeSpec { Nanoseconds = Omit };
}

/// <summary>struct statvfs of 64-bit systems.</summary>
[StructLayout(LayoutKind.Sequential, Size = 112)]
internal struct StatVfs
{
    public ulong BlockBytes;
    public ulong FragmentBytes;
    public ulong Blocks;
    public ulong FreeBlocks;
    public ulong AvailableBlocks;
    public ulong Files;
    public ulong FreeFiles;
    public ulong AvailableFiles;
    public ulong FileSystemId;
    public ulong Flags;
    public ulong MaxNameBytes;
}

/// <summary>struct statfs of 64-bit systems, of which only the first field is of use.</summary>
[StructLayout(LayoutKind.Sequential, Size = 120)]
internal struct StatFs
{
    public long Kind;
}

/// <summary>struct rlimit of 64-bit systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResourceLimit
{
    /// <summary>RLIMIT_NOFILE.</summary>
    public const int OpenFiles = 7;

    public ulong Soft;
    public ulong Hard;
}

/// <summary>struct file_handle with room for MAX_HANDLE_SZ bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FileHandle
{
    public const int MaxBytes = 128;

    public uint Length;
    public int Type;
    public fixed byte Bytes[MaxBytes];
}

/// <summary>The fixed part of struct linux_dirent64; the name and a NUL follow at <see cref="NameOffset"/>.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct DirectoryRecord
{
    public const int NameOffset = 19;

    public ulong Inode;
    public ulong Next;
    public ushort Length;
    public byte Type;
}
