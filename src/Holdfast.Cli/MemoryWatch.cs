namespace Holdfast.Cli;

/// <summary>Keeps what the collector lets lie about within the memory budget of a command.</summary>
/// <remarks>
/// The collector leaves garbage until it comes to a size that follows the processor's cache, which can be most of a budget of
/// 256 MiB, and knows no limit but one beyond which the program dies. So this looks now and then, and has it collect where the
/// program comes near its budget: else never, since collections cost time.
/// </remarks>
internal sealed class MemoryWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    // Garbage beyond this share of what lived at the last full collection is worth a collection.
    private const int LiveParts = 4;
    private const long LeastGarbageBytes = 12 << 20;

    private readonly long nearBytes;
    private readonly long fullBytes;
    private readonly long heapBytes;
    private readonly ITimer timer;
    private long live;
    private long next;
    private int isLooking;

    private MemoryWatch(TimeProvider clock, long memoryBytes)
    {
        // The rest is the program itself, and what it holds outside the heap: buffers and filters.
        nearBytes = memoryBytes / 8 * 5;
        fullBytes = memoryBytes / 8 * 7;
        heapBytes = memoryBytes / 8;
        next = heapBytes;
        timer = clock.CreateTimer(static watch => ((MemoryWatch)watch!).Look(), this, Interval, Interval);
    }

    /// <summary>Watches until it is disposed.</summary>
    public static MemoryWatch Start(TimeProvider clock, long memoryBytes) => new(clock, memoryBytes);

    public void Dispose() => timer.Dispose();

    private void Look()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) < Volatile.Read(ref next)) return;
        long resident = Environment.WorkingSet;
        if (resident < nearBytes) return;
        // A collection may take longer than the interval.
        if (Interlocked.Exchange(ref isLooking, 1) == 1) return;
        Collect(isFull: resident > fullBytes);
        Volatile.Write(ref isLooking, 0);
    }

    private void Collect(bool isFull)
    {
        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
        long left = GC.GetTotalMemory(forceFullCollection: false);
        long allowance = Math.Max(LeastGarbageBytes, isFull ? 0 : live / LiveParts);
        // What young collections let live is garbage later, and stays: so it is compared with what a full one left.
        if (left >= Math.Max(heapBytes, live + allowance))
        {
            // Room that came free the collector keeps for a while, unless it is told to give all of it back.
            bool keepsMuch = isFull && GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes > left + (2 * LeastGarbageBytes);
            GC.Collect(2, keepsMuch ? GCCollectionMode.Aggressive : GCCollectionMode.Forced, blocking: true, compacting: true);
            left = live = GC.GetTotalMemory(forceFullCollection: false);
        }

        Volatile.Write(ref next, Math.Max(heapBytes, left + allowance));
    }
}
