using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Bitcask.Keydirs;

/// <summary>
/// A 1,024th of the compact keydir: its table, who may change it, and what tells readers that it changed.
/// </summary>
/// <remarks>
/// Whoever changes it has it to himself; readers do not ask, they look at the version before and after (a seqlock),
/// which is odd while slots are written. So a table can be made anew while it is read: only putting it in place changes
/// the version. The order of these reads and writes is spelled out, since not all processors keep it.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 32)]
internal unsafe struct CompactPartition
{
    private ulong version;
    private CompactTable table;
    private uint homes;
    private int taken;

    /// <summary>Counts beginnings and ends of changes. Stable only for one who has the partition.</summary>
    public readonly ulong Version => version;

    /// <summary>The table, for one who has the partition.</summary>
    public readonly CompactTable Table => table;

    /// <summary>
    /// The first slot of the table that is empty or has no lesser fingerprint; for one who has the partition.
    /// </summary>
    public readonly CompactSlot* Seek(uint fingerprint) => CompactTable.Seek(table.Slots, homes, fingerprint);

    /// <summary>Reads what is needed to search, all of one version; false while a change is going on.</summary>
    /// <param name="before">The version.</param>
    /// <param name="slots">Of the table; null if there is none. Readable until the caller's read of the epochs ends.</param>
    /// <param name="homeCount">Of the table.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryBeginRead(out ulong before, out CompactSlot* slots, out uint homeCount)
    {
        before = Volatile.Read(ref version);
        slots = table.Slots;
        homeCount = homes;
        return (before & 1) == 0 && IsStill(before);
    }

    /// <summary>Waits until the change that was going on is over.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void AwaitChange()
    {
        SpinWait wait = default;
        while ((Volatile.Read(ref version) & 1) != 0)
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Has the slots where a fingerprint belongs fetched from memory. May be of a table that is being replaced.</summary>
    public readonly void Prefetch(uint fingerprint)
    {
        if (!Sse.IsSupported) return;
        CompactSlot* home = table.Slots + CompactTable.HomeOf(fingerprint, homes);
        // The first slots behind a home lie in two lines mostly, and those that move up for one more in the next.
        Sse.Prefetch0(home);
        Sse.Prefetch0(home + 4);
        Sse.Prefetch0(home + 8);
        // Who inserts wants to know how many there are.
        Sse.Prefetch0(table.Slots - 1);
    }

    /// <summary>Whether all that was read since <see cref="TryBeginRead"/> is of that version.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsStill(ulong before)
    {
        Volatile.ReadBarrier();
        return Volatile.Read(ref version) == before;
    }

    /// <summary>Takes the partition, unless another has it.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref taken, 1, 0) == 0;

    /// <summary>Takes the partition. Others have it for the change of a few slots or the making of a table.</summary>
    public void Take()
    {
        if (!TryTake())
        {
            AwaitTake();
        }
    }

    /// <summary>Gives it back.</summary>
    public void Release() => Volatile.Write(ref taken, 0);

    /// <summary>Readers that look on from now will look again. Only for one who has the partition.</summary>
    public void BeginChange()
    {
        Volatile.Write(ref version, version + 1);
        Volatile.WriteBarrier();
    }

    /// <summary>What was written since <see cref="BeginChange"/> can be read.</summary>
    public void EndChange() => Volatile.Write(ref version, version + 1);

    /// <summary>Puts another table in place. Only for one who has the partition.</summary>
    public void Publish(CompactTable next)
    {
        BeginChange();
        table = next;
        homes = next.Exists ? next.Homes : 0;
        EndChange();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AwaitTake()
    {
        SpinWait wait = default;
        while (!TryTake())
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }
}
