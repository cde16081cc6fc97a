namespace Holdfast.Bitcask.Hints;

/// <summary>Puts entries that come in order behind one another, and counts them by stripe.</summary>
internal sealed unsafe class HintWriter : IDisposable
{
    private readonly NativeBuffer entries = new();
    private readonly long[] offsets = new long[HintStripe.Count + 1];
    private readonly uint[] counts = new uint[HintStripe.Count];
    private byte* at;
    private long supersededBytes;

    /// <summary>Makes room.</summary>
    /// <param name="bytes">What the entries take at most.</param>
    public HintWriter(long bytes) => at = entries.Require(Math.Max(1, bytes));

    /// <summary>Writes an entry; its hash is not below that of the last.</summary>
    public void Add(HintEntry entry)
    {
        long bytes = entry.End - entry.Start;
        Buffer.MemoryCopy(entry.Start, at, bytes, bytes);
        at += bytes;
        int stripe = (int)(entry.Hash >> HintStripe.HashShift);
        counts[stripe]++;
        offsets[stripe + 1] = at - entries.Start;
    }

    /// <summary>Counts an entry that is left out.</summary>
    public void AddSuperseded(HintEntry entry) => supersededBytes += entry.PaddedFrameBytes;

    /// <summary>What was written; the writer is of no use afterwards.</summary>
    public HintData Finish(uint segment, long records, ulong highestSequence)
    {
        for (int i = 1; i < offsets.Length; i++) offsets[i] = Math.Max(offsets[i], offsets[i - 1]);
        return new HintData(segment, entries, offsets, counts)
        {
            Records = records,
            SupersededBytes = supersededBytes,
            HighestSequence = highestSequence,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => entries.Dispose();
}
