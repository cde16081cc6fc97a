using Holdfast.Bitcask.Hints;
using Holdfast.Bitcask.Keydirs;
using Holdfast.Bitcask.Opening;
using Holdfast.Log;

namespace Holdfast.Bitcask.Images;

/// <summary>The tables of the compact keydir in a file, so that opening a store need not make them from hints.</summary>
/// <remarks>
/// Never needed: it holds what the segments that it names say, and stays right for as long as they are there.
/// </remarks>
internal sealed class KeydirImage : IDisposable
{
    private const string Name = "keydir";

    private readonly IDiskFile file;

    private KeydirImage(IDiskFile file, ImageHeader header)
    {
        this.file = file;
        Header = header;
    }

    /// <summary>What it says of itself; was checked.</summary>
    public ImageHeader Header { get; }

    /// <summary>The image of a store.</summary>
    /// <param name="disk">Where it lies.</param>
    /// <param name="directory">Of the store.</param>
    /// <param name="id">Of the log.</param>
    /// <param name="isThere">Whether there is a file, which may be good for nothing.</param>
    /// <returns>Null when there is none that can be read.</returns>
    public static KeydirImage? TryOpen(IDisk disk, string directory, LogId id, out bool isThere)
    {
        IDiskFile? file = disk.TryOpen(PathIn(directory), DiskAccess.Read);
        isThere = file is not null;
        if (file is null) return null;
        KeydirImage? image = null;
        try
        {
            ImageHeader? header = TryReadHeader(file);
            bool fits = header is not null && header.LogId == id && header.FileBytes == file.Length;
            return image = fits && BitConverter.IsLittleEndian ? new KeydirImage(file, header!) : null;
        }
        finally
        {
            if (image is null) file.Dispose();
        }
    }

    /// <summary>Removes it; nothing when there is none.</summary>
    public static void Delete(IDisk disk, string directory) => _ = disk.TryDelete(PathIn(directory));

    /// <summary>Writes the image of a keydir that nobody changes, in place of the one there is.</summary>
    /// <returns>False, and nothing has changed, when it is too large for that.</returns>
    public static bool TryWrite(IDisk disk, string directory, LogId id, CompactKeydir keydir, IReadOnlyList<ImageSegment> segments)
    {
        if (!ImageHeader.CanName(segments.Count)) return false;
        var header = new ImageHeader
        {
            LogId = id,
            Segments = segments,
            Partitions = new ImagePartition[CompactKeydir.PartitionCount],
        };
        using IDiskFile file = disk.CreateUnnamed(directory);
        using var buffer = new NativeBuffer();
        long at = header.Size;
        for (int i = 0; i < header.Partitions.Length; i++)
        {
            CompactTable table = keydir.TableOf(i);
            if (!table.Exists) continue;
            if (!CompactTable.IsShape(table.Homes, table.SlotCount, table.Count)) return false;
            Span<byte> slots = CopyUnread(table, buffer);
            header.Partitions[i] = new ImagePartition(table.Homes, table.SlotCount, table.Count, Crc32C.Compute(slots));
            file.Write(at, slots);
            at += slots.Length;
        }

        file.Write(0, header.Encode());
        file.Sync();
        Delete(disk, directory);
        return disk.TryPublish(file, PathIn(directory));
    }

    /// <summary>Reads all of it into a keydir that has no keys.</summary>
    /// <param name="keydir">Of no use if the result is false.</param>
    /// <param name="degree">How many threads, 1 or more.</param>
    /// <returns>False when it is damaged.</returns>
    public bool TryLoad(CompactKeydir keydir, int degree)
    {
        uint maxSegment = 0;
        long maxBytes = 0;
        foreach (ImageSegment segment in Header.Segments)
        {
            maxSegment = segment.Number;
            maxBytes = Math.Max(maxBytes, segment.Bytes);
        }

        ImagePartition[] partitions = Header.Partitions;
        long[] offsets = new long[partitions.Length];
        long at = Header.Size;
        for (int i = 0; i < offsets.Length; i++)
        {
            offsets[i] = at;
            at += (long)partitions[i].Slots * ImageHeader.SlotBytes;
        }

        bool isDamaged = false;
        int next = -1;
        keydir.BeginLoad(Header.Slots);
        try
        {
            OnThreads.Run(degree, _ =>
            {
                for (int i; !Volatile.Read(ref isDamaged) && (i = Interlocked.Increment(ref next)) < partitions.Length;)
                {
                    if (!TryLoad(keydir, i, offsets[i], maxSegment, (uint)maxBytes)) Volatile.Write(ref isDamaged, true);
                }
            });
        }
        finally
        {
            keydir.EndFill();
        }

        return !isDamaged;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private bool TryLoad(CompactKeydir keydir, int partition, long offset, uint maxSegment, uint maxBytes)
    {
        ImagePartition shape = Header.Partitions[partition];
        if (shape.Slots == 0) return true;
        CompactTable table = keydir.CreateTable(shape.Homes, shape.Slots, shape.Keys);
        bool isWhole = false;
        try
        {
            Span<byte> slots = table.Content;
            isWhole = file.Read(offset, slots) == slots.Length
                && Crc32C.Compute(slots) == shape.Crc32C
                && table.IsWithin(maxSegment, maxBytes);
        }
        finally
        {
            if (!isWhole) table.Release();
        }

        if (isWhole) keydir.Load(partition, table);
        return isWhole;
    }

    private static unsafe Span<byte> CopyUnread(CompactTable table, NativeBuffer buffer)
    {
        var copy = new Span<byte>(buffer.Require(table.Content.Length), table.Content.Length);
        var slots = (CompactSlot*)buffer.Start;
        for (uint i = 0; i < table.SlotCount; i++)
        {
            CompactSlot slot = table.Slots[i];
            slots[i] = slot with { Location = slot.Location.Unread };
        }

        return copy;
    }

    private static ImageHeader? TryReadHeader(IDiskFile file)
    {
        Span<byte> first = stackalloc byte[ImageHeader.FixedBytes];
        if (ImageHeader.TrySizeOf(first[..file.Read(0, first)]) is not { } size || file.Length < size) return null;
        byte[] whole = new byte[size];
        return file.Read(0, whole) == size ? ImageHeader.TryDecode(whole) : null;
    }

    private static string PathIn(string directory) => $"{directory}/{Name}";
}
