using System.Runtime.InteropServices;
using Holdfast.Bitcask.Records;

namespace Holdfast.Bitcask.Hints;

/// <summary>Collects what the hints of a segment need, as its records are appended. For one thread at a time.</summary>
/// <remarks>Entries are kept as they will be written, in blocks that never move: adding one is a copy.</remarks>
/// <param name="segment">Number of the segment.</param>
internal sealed unsafe class HintBuilder(uint segment) : IDisposable
{
    private readonly List<nint> blocks = [];
    private readonly List<int> blockEnds = [];
    private byte* block;
    private int blockEnd = HintPlaces.BlockBytes;
    private ulong highestSequence;

    /// <summary>Records added.</summary>
    public long Records { get; private set; }

    /// <summary>Memory held, bytes.</summary>
    public long MemoryBytes => (long)blocks.Count * HintPlaces.BlockBytes;

    /// <summary>Adds the record that was appended behind all those added before.</summary>
    /// <param name="record">Its header.</param>
    /// <param name="hash">Of the key.</param>
    /// <param name="key">Copied.</param>
    /// <param name="offset">Of the frame in the segment, bytes; a multiple of 8.</param>
    /// <param name="frameBytes">Length of the frame: header and payload, without padding.</param>
    public void Add(in RecordHeader record, ulong hash, ReadOnlySpan<byte> key, uint offset, uint frameBytes)
    {
        int bytes = HintEntry.FixedBytes + key.Length;
        if (HintPlaces.BlockBytes - blockEnd < bytes) AddBlock();
        HintEntry.Encode(block + blockEnd, hash, key, offset, frameBytes, record.IsTombstone, record.Expiry.HasValue);
        blockEnd += bytes;
        highestSequence = Math.Max(highestSequence, record.Sequence);
        Records++;
    }

    /// <summary>Sorts what was added by hash and key, and keeps the last record of each key.</summary>
    /// <returns>The caller's. What was added stays, and more may be added.</returns>
    public HintData Build()
    {
        if (Records == 0) return new HintWriter(0).Finish(segment, 0, 0);
        blockEnds[^1] = blockEnd;
        long bytes = 0;
        foreach (int end in blockEnds) bytes += end;
        var places = new HintPlaces(
            CollectionsMarshal.AsSpan(blocks), CollectionsMarshal.AsSpan(blockEnds), checked((int)Records));
        var writer = new HintWriter(bytes);
        try
        {
            places.Sort();
            places.WriteLastOfEachKey(writer);
            return writer.Finish(segment, Records, highestSequence);
        }
        catch
        {
            // Whatever it was: the memory is nobody's.
            writer.Dispose();
            throw;
        }
        finally
        {
            places.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint start in blocks) NativeMemory.Free((void*)start);
        blocks.Clear();
        blockEnds.Clear();
        blockEnd = HintPlaces.BlockBytes;
        Records = 0;
    }

    private void AddBlock()
    {
        if (blocks.Count > 0) blockEnds[^1] = blockEnd;
        block = (byte*)NativeMemory.Alloc(HintPlaces.BlockBytes);
        blocks.Add((nint)block);
        blockEnds.Add(0);
        blockEnd = 0;
    }
}
