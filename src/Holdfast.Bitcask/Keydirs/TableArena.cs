using System.Runtime.InteropServices;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// One large piece of memory for the tables that a compact keydir is filled with. First touching memory costs as much
/// as filling it; here the pages of a table are made all at once.
/// </summary>
/// <remarks>
/// Held by the keydir while it is filled and by each table in it; the last frees it. What a table that is gone had of
/// whole pages goes back to the system at once.
/// </remarks>
internal readonly unsafe struct TableArena
{
    private const long CacheLineBytes = 64;

    private readonly Head* head;

    private TableArena(Head* head)
    {
        this.head = head;
    }

    /// <summary>The least that is worth one, bytes.</summary>
    public static long MinBytes => 8 << 20;

    /// <summary>Whether there is one; the default value is none.</summary>
    public bool Exists => head != null;

    /// <summary>Sets memory aside. Pages that are never written take no room.</summary>
    /// <exception cref="OutOfMemoryException">There is not as much.</exception>
    public static TableArena Create(long bytes)
    {
        var head = (Head*)NativePages.Allocate(bytes);
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
        byte* start = (byte*)head + (end - rounded);
        NativePages.Populate(start, bytes);
        return start;
    }

    /// <summary>Takes back the memory of a table.</summary>
    public void Return(void* start, long bytes)
    {
        NativePages.Forget(start, bytes);
        Release();
    }

    /// <summary>One holder less.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref head->References) == 0) NativeMemory.AlignedFree(head);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Head
    {
        public long References;
        public long Bytes;
        public long Taken;
    }
}
