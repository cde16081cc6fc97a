using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// One large piece of memory for the tables that a compact keydir is filled with. First touching memory costs as much as filling it,
/// and in huge pages a fourth of that.
/// </summary>
/// <remarks>
/// Held by the keydir while it is filled and by each table in it; the last frees it. What a table that is gone had of whole
/// pages goes back to the system at once.
/// </remarks>
internal readonly unsafe partial struct TableArena
{
    private const nuint HugePageBytes = 2 << 20;
    private const long CacheLineBytes = 64;
    private const int AdviseHugePages = 14; // MADV_HUGEPAGE
    private const int AdviseDontNeed = 4; // MADV_DONTNEED

    private readonly Head* head;

    private TableArena(Head* head)
    {
        this.head = head;
    }

    /// <summary>The least that is worth one, bytes.</summary>
    public static long MinBytes => 4 * (long)HugePageBytes;

    /// <summary>Whether there is one; the default value is none.</summary>
    public bool Exists => head != null;

    /// <summary>Sets memory aside. Pages that are never written take no room.</summary>
    /// <exception cref="OutOfMemoryException">There is not as much.</exception>
    public static TableArena Create(long bytes)
    {
        var head = (Head*)NativeMemory.AlignedAlloc((nuint)bytes, HugePageBytes);
        // Only speed depends on it: a kernel may have no huge pages.
        _ = Advise(head, (nuint)bytes, AdviseHugePages);
        *head = new Head { References = 1, Bytes = bytes, Taken = CacheLineBytes };
        return new TableArena(head);
    }

    /// <summary>Memory for a table, which then holds the arena; null when there is not enough left. For any thread.</summary>
    public void* TryTake(long bytes)
    {
        long rounded = (bytes + CacheLineBytes - 1) & -CacheLineBytes;
        long end = Interlocked.Add(ref head->Taken, rounded);
        if (end > head->Bytes) return null;
        Interlocked.Increment(ref head->References);
        return (byte*)head + (end - rounded);
    }

    /// <summary>Takes back the memory of a table.</summary>
    public void Return(void* start, long bytes)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint from = ((nuint)start + page - 1) & ~(page - 1), to = ((nuint)start + (nuint)bytes) & ~(page - 1);
        if (from < to) _ = Advise((void*)from, to - from, AdviseDontNeed);
        Release();
    }

    /// <summary>One holder less.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref head->References) == 0) NativeMemory.AlignedFree(head);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);

    [StructLayout(LayoutKind.Sequential)]
    private struct Head
    {
        public long References;
        public long Bytes;
        public long Taken;
    }
}
