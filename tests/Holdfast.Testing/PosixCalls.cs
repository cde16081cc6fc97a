using System.Runtime.InteropServices;

namespace Holdfast.Testing;

/// The system calls that the trees of tests are made and read with: a path of its own to the kernel, so that the
/// product's code is not judged by itself. Names are bytes that end in NUL.
internal static unsafe partial class PosixCalls
{
    public const int NoEntry = 2, NoDevice = 6, AccessDenied = 13, NotSupported = 95;

    public const int ReadOnly = 0, WriteOnly = 1, Create = 0x40, Exclusive = 0x80;
    public const int NonBlocking = 0x800, CloseOnExec = 0x80000;

    public const int SymlinkNoFollow = 0x100, RemoveDirectory = 0x200;
    public const int SeekData = 3, SeekHole = 4;
    public const long OmitTime = (1 << 30) - 2;
    public const uint FormatMask = 0xF000, Fifo = 0x1000, CharacterDevice = 0x2000, Directory = 0x4000;
    public const uint BlockDevice = 0x6000, Regular = 0x8000, Symlink = 0xA000, Socket = 0xC000;

    /// These two differ between x86 and ARM.
    public static readonly int OnlyDirectory = IsArm ? 0x4000 : 0x10000;
    public static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    /// The name as C wants it.
    public static byte[] Terminate(ReadOnlySpan<byte> name) => [.. name, 0];

    /// Throws what the last call set, when it failed.
    public static long Check(long result, string call, ReadOnlySpan<byte> name = default) =>
        result >= 0 ? result : throw new PosixException(Marshal.GetLastPInvokeError(), call, name);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(int directory, byte[] name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int MkdirAt(int directory, byte[] name, uint mode);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true)]
    public static partial int MknodAt(int directory, byte[] name, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    public static partial int SymlinkAt(byte[] target, int directory, byte[] name);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true)]
    public static partial int LinkAt(int fromDirectory, byte[] from, int toDirectory, byte[] to, int flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(int directory, byte[] name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    public static partial int RenameAt(int fromDirectory, byte[] from, int toDirectory, byte[] to);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    public static partial nint ReadlinkAt(int directory, byte[] name, byte[] target, nint length);

    [LibraryImport("libc", EntryPoint = "fchmodat", SetLastError = true)]
    public static partial int ChmodAt(int directory, byte[] name, uint mode, int flags);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true)]
    public static partial int ChownAt(int directory, byte[] name, uint uid, uint gid, int flags);

    /// Times: seconds and nanoseconds of access, then of modification.
    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    public static partial int SetTimesAt(int directory, byte[] name, long[] times, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static partial int Statx(int directory, byte[] name, int flags, uint mask, byte[] status);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int SetLength(int file, long length);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Allocate(int file, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(int file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    public static partial nint ReadAt(int file, byte* buffer, nint length, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint WriteAt(int file, byte* buffer, nint length, long offset);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true)]
    public static partial int SetXattr(byte[] path, byte[] name, byte[] value, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "lremovexattr", SetLastError = true)]
    public static partial int RemoveXattr(byte[] path, byte[] name);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    public static partial nint GetXattr(byte[] path, byte[] name, byte[] value, nint length);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    public static partial nint ListXattrs(byte[] path, byte[] names, nint length);

    [LibraryImport("libc", EntryPoint = "fdopendir", SetLastError = true)]
    public static partial nint OpenStream(int directory);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    public static partial byte* ReadStream(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir", SetLastError = true)]
    public static partial int CloseStream(nint stream);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUserId();
}
