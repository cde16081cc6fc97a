using System.Runtime.InteropServices;
using Holdfast.Benchmarks.Measuring;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Benchmarks.LogSync;

/// Files by bare system calls: what a log is compared with.
internal static unsafe partial class RawFile
{
    public const int WriteThrough = 0x1000; // O_DSYNC

    /// O_DIRECT, which differs on ARM (asm/fcntl.h).
    public static readonly int Direct =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x10000 : 0x4000;

    private const int ReadWriteCreate = 0x2 | 0x40;
    private const uint Mode = 0x1A4;

    public static SafeFileHandle Open(string path, int flags)
    {
        SafeFileHandle file = Open(path, ReadWriteCreate | flags, Mode);
        return file.IsInvalid ? throw Failure(path) : file;
    }

    public static void Write(SafeFileHandle file, byte* source, int count, long offset)
    {
        if (PWrite(file, source, count, offset) != count) throw Failure("pwrite");
    }

    public static void Sync(SafeFileHandle file)
    {
        if (DataSync(file) != 0) throw Failure("fdatasync");
    }

    private static BenchmarkException Failure(string what) => new($"{what}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    private static partial nint PWrite(SafeFileHandle file, byte* source, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeFileHandle file);
}
