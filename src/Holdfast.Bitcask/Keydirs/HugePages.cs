using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>Large pieces of native memory, in huge pages where the system has them: these take a fourth of the time to touch first.</summary>
internal static unsafe partial class HugePages
{
    /// <summary>Size of a huge page, bytes.</summary>
    public const int Bytes = 2 << 20;

    private const int AdviseHugePages = 14; // MADV_HUGEPAGE
    private const int AdviseDontNeed = 4; // MADV_DONTNEED

    /// <summary>Memory that <see cref="NativeMemory.AlignedFree"/> frees. Pages that are never written take no room.</summary>
    /// <exception cref="OutOfMemoryException">There is not as much.</exception>
    public static void* Allocate(long bytes)
    {
        bool isLarge = bytes >= Bytes;
        void* start = NativeMemory.AlignedAlloc((nuint)bytes, isLarge ? (nuint)Bytes : (nuint)Environment.SystemPageSize);
        // Only speed depends on it: a kernel may have no huge pages.
        if (isLarge) _ = Advise(start, (nuint)bytes, AdviseHugePages);
        return start;
    }

    /// <summary>Gives back the whole pages of some memory, which stays allocated; what was in them is lost.</summary>
    public static void Forget(void* start, long bytes)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint from = ((nuint)start + page - 1) & ~(page - 1), to = ((nuint)start + (nuint)bytes) & ~(page - 1);
        if (from < to) _ = Advise((void*)from, to - from, AdviseDontNeed);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
