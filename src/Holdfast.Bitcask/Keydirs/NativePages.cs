using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>Large pieces of native memory, page by page.</summary>
/// <remarks>
/// Not in huge pages: a machine of a cloud gives memory that was not used for a while back to its host, huge pages
/// first, and gets it again at a fourth of the speed.
/// </remarks>
internal static unsafe partial class NativePages
{
    private const int AdviseDontNeed = 4; // MADV_DONTNEED
    private const int AdvisePopulate = 23; // MADV_POPULATE_WRITE, Linux 5.14

    /// <summary>Memory that <see cref="NativeMemory.AlignedFree"/> frees. Pages that are never written take no room.</summary>
    /// <exception cref="OutOfMemoryException">There is not as much.</exception>
    public static void* Allocate(long bytes) => NativeMemory.AlignedAlloc((nuint)bytes, (nuint)Environment.SystemPageSize);

    /// <summary>Has the pages made that some memory lies in, all at once: cheaper than at the first write to each.</summary>
    public static void Populate(void* start, long bytes)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint from = (nuint)start & ~(page - 1), to = ((nuint)start + (nuint)bytes + page - 1) & ~(page - 1);
        // Only speed depends on it: an older kernel refuses.
        _ = Advise((void*)from, to - from, AdvisePopulate);
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
