using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Cli.Terminals;

/// <summary>The few calls of the C library that the command line needs and .NET does not offer.</summary>
internal static partial class LibC
{
    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int BrokenPipe = 32;

    /// <summary>Linux's <c>struct termios</c> has 60 bytes (glibc) or fewer on all our machines.</summary>
    public const int TermiosBytes = 128;

    /// <summary>Offset of <c>c_lflag</c> in it: behind three 32-bit flag words.</summary>
    public const int TermiosLocalFlags = 12;

    public const uint EchoFlag = 0x8;
    public const int SetAfterDraining = 2;
    public const int StandardInput = 0;
    public const int OpenReadOnly = 0;
    public const int OpenWriteOnly = 1;
    public const int OpenCreate = 0x40;
    public const int OpenTruncate = 0x200;
    public const int OpenCloseOnExec = 0x80000;
    public const int CurrentDirectory = -100;
    public const int MayWriteAndSearch = 2 | 1;

    /// <summary><c>AT_EACCESS</c>: ask for the effective user.</summary>
    public const int EffectiveAccess = 0x200;

    public const short PollIn = 1;
    public const short PollOut = 4;
    private const ulong GetWindowSize = 0x5413;

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static unsafe partial nint Write(int descriptor, byte* source, nint count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static unsafe partial nint Read(SafeFileHandle handle, byte* target, nint count);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    public static unsafe partial int Open(byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true)]
    public static unsafe partial int Rename(byte* from, byte* to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true)]
    public static unsafe partial int Unlink(byte* path);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true)]
    public static unsafe partial int MakeDirectory(byte* path, uint mode);

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true)]
    public static unsafe partial int Access(int directory, byte* path, int mode, int flags);

    [LibraryImport("libc", EntryPoint = "getcwd", SetLastError = true)]
    public static unsafe partial byte* GetWorkingDirectory(byte* target, nuint length);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial byte* GetEnvironment(string name);

    [LibraryImport("libc", EntryPoint = "isatty")]
    public static partial int IsTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static unsafe partial int Poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    public static unsafe partial int GetTerminal(SafeFileHandle handle, byte* termios);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    public static unsafe partial int SetTerminal(SafeFileHandle handle, int when, byte* termios);

    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void ExitNow(int code);

    /// <summary>Columns of the terminal behind a descriptor; 0 when there is none or it does not say.</summary>
    public static unsafe int ColumnsOf(int descriptor)
    {
        ushort* size = stackalloc ushort[4];
        return Control(descriptor, GetWindowSize, size) == 0 ? size[1] : 0;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static unsafe partial int Control(int descriptor, ulong request, void* argument);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }
}
