using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Databases.Agents;

/// <summary>The calls of the C library that agents need.</summary>
internal static partial class LibC
{
    private const int PathOnly = 0x200000;
    private const int Directory = 0x10000;
    private const int CloseOnExec = 0x80000;

    /// <summary>Opens a directory to reach what is in it; null and the last error set when it cannot be.</summary>
    public static SafeFileHandle? OpenDirectory(string path)
    {
        SafeFileHandle handle = Open(path, PathOnly | Directory | CloseOnExec, 0);
        if (!handle.IsInvalid) return handle;
        handle.Dispose();
        return null;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, uint mode);
}
