using System.Runtime.InteropServices;

namespace Holdfast.Benchmarks.Measuring;

/// The system calls behind <see cref="ChildProcess"/> and what meters a process.
internal static unsafe partial class LibC
{
    public const int OpenReadOnly = 0;
    public const int OpenWriteCreateTruncate = 0x1 | 0x40 | 0x200;

    /// More than posix_spawn_file_actions_t takes on any processor (80 bytes on x86-64).
    public const int FileActionsBytes = 256;

    [LibraryImport("libc", EntryPoint = "posix_spawnp")]
    public static partial int Spawn(out int process, byte* file, byte* fileActions, byte* attributes, byte** arguments, byte** variables);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    public static partial int InitFileActions(byte* fileActions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    public static partial int DestroyFileActions(byte* fileActions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int AddOpen(byte* fileActions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static partial int AddDuplicate(byte* fileActions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int AddChangeDirectory(byte* fileActions, string path);

    [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
    public static partial int Wait(int process, out int status, int options, out ResourceUsage usage);

    /// <param name="who">0: all threads of this process.</param>
    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    public static partial int GetUsage(int who, out ResourceUsage usage);

    /// <c>struct rusage</c>, 144 bytes where long has 64 bits.
    [StructLayout(LayoutKind.Explicit, Size = 144)]
    public struct ResourceUsage
    {
        [FieldOffset(0)] public long UserSeconds;
        [FieldOffset(8)] public long UserMicroseconds;
        [FieldOffset(16)] public long SystemSeconds;
        [FieldOffset(24)] public long SystemMicroseconds;
        [FieldOffset(32)] public long PeakKibibytes;

        public readonly double CpuSeconds => UserSeconds + SystemSeconds + ((UserMicroseconds + SystemMicroseconds) / 1e6);
    }
}
