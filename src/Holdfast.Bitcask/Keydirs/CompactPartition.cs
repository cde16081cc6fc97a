using System.Runtime.InteropServices;

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

    /// <summary>Waits until no change is going on, and returns what is needed to search, all of one version.</summary>
    /// <param name="slots">Of the table; null if there is none. Readable while the epoch of the caller's read
    /// lasts.</param>
    /// <param name="homeCount">Of the table.</param>
    public ulong BeginRead(out CompactSlot* slots, out uint homeCount)
    {
        SpinWait wait = default;
        while (true)
        {
            ulong before = Volatile.Read(ref version);
            if ((before & 1) == 0)
            {
                slots = table.Slots;
                homeCount = homes;
                if (IsStill(before))
                {
                    return before;
                }
            }

            wait.SpinOnce();
        }
    }

    /// <summary>Whether all that was read since <see cref="BeginRead"/> is of that version.</summary>
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
        SpinWait wait = default;
        while (!TryTake())
        {
            wait.SpinOnce();
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
}
