using System.Runtime.InteropServices;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Packing;

namespace Holdfast.Vault.Checking;

/// <summary>A pack whose footer is whole. What its footer says of chunks is in memory, or in a file for all packs of a large vault.</summary>
internal sealed class CheckedPack
{
    private readonly int groupCount;

    // All three, or none where they are in the file: ids, then lengths, then groups.
    private ChunkId[]? ids;
    private int[]? lengths;
    private ushort[]? groupStarts;
    private ChunkSpill? spill;
    private long at;

    public CheckedPack(PackFooter footer)
    {
        Id = footer.Pack;
        PackBytes = footer.PackBytes;
        Count = footer.Chunks.Length;
        groupCount = footer.Groups.Length;
        ids = new ChunkId[Count];
        lengths = new int[Count];
        groupStarts = new ushort[groupCount];
        for (int i = 0; i < Count; i++) (ids[i], lengths[i]) = (footer.Chunks[i].Id, footer.Chunks[i].Length);
        // At most 65,535: no pack has more chunks.
        for (int i = 0; i < groupCount; i++) groupStarts[i] = (ushort)footer.Groups[i].FirstChunk;
    }

    public PackId Id { get; }

    public int PackBytes { get; }

    /// <summary>How many chunks it holds.</summary>
    public int Count { get; }

    /// <summary>Number of its first chunk.</summary>
    public int First { get; set; }

    /// <summary>Lets go of the memory; nobody may use the pack meanwhile.</summary>
    public void MoveTo(ChunkSpill target)
    {
        if (spill is not null) return;
        ReadOnlySpan<byte> idBytes = MemoryMarshal.AsBytes(ids.AsSpan()), lengthBytes = MemoryMarshal.AsBytes(lengths.AsSpan());
        ReadOnlySpan<byte> groupBytes = MemoryMarshal.AsBytes(groupStarts.AsSpan());
        byte[] all = new byte[idBytes.Length + lengthBytes.Length + groupBytes.Length];
        idBytes.CopyTo(all);
        lengthBytes.CopyTo(all.AsSpan(idBytes.Length));
        groupBytes.CopyTo(all.AsSpan(idBytes.Length + lengthBytes.Length));
        at = target.Append(all);
        spill = target;
        (ids, lengths, groupStarts) = (null, null, null);
    }

    public ChunkId IdOf(int ordinal)
    {
        if (ids is not null) return ids[ordinal];
        ChunkId id = default;
        spill!.Read(at + ((long)ordinal * ChunkId.Size), MemoryMarshal.AsBytes(new Span<ChunkId>(ref id)));
        return id;
    }

    /// <summary>The ids of all chunks, by their ordinals; valid until the buffer is used again.</summary>
    public ReadOnlySpan<ChunkId> ReadIds(ref ChunkId[] buffer)
    {
        if (ids is not null) return ids;
        if (buffer.Length < Count) buffer = new ChunkId[Count];
        spill!.Read(at, MemoryMarshal.AsBytes(buffer.AsSpan(0, Count)));
        return buffer.AsSpan(0, Count);
    }

    public int LengthOf(int ordinal)
    {
        if (lengths is not null) return lengths[ordinal];
        int length = 0;
        spill!.Read(at + ((long)Count * ChunkId.Size) + ((long)ordinal * sizeof(int)), MemoryMarshal.AsBytes(new Span<int>(ref length)));
        return length;
    }

    /// <summary>The group that holds a chunk.</summary>
    public int GroupOf(int ordinal)
    {
        ushort[] starts = ReadGroupStarts();
        int found = Array.BinarySearch(starts, (ushort)ordinal);
        if (found < 0) return ~found - 1;
        // Of groups without chunks, which begin at the same ordinal, the last one.
        while (found < starts.Length - 1 && starts[found + 1] == ordinal) found++;
        return found;
    }

    /// <summary>Numbers of the chunks of a group; none where there is no such group.</summary>
    public IEnumerable<int> NumbersOf(int group)
    {
        if (group >= groupCount) return [];
        ushort[] starts = ReadGroupStarts();
        int end = group + 1 < groupCount ? starts[group + 1] : Count;
        return Enumerable.Range(First + starts[group], end - starts[group]);
    }

    private ushort[] ReadGroupStarts()
    {
        if (groupStarts is not null) return groupStarts;
        ushort[] read = new ushort[groupCount];
        spill!.Read(at + ((long)Count * (ChunkId.Size + sizeof(int))), MemoryMarshal.AsBytes(read.AsSpan()));
        return read;
    }
}
