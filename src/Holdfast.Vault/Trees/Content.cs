using System.Buffers.Binary;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;

namespace Holdfast.Vault.Trees;

/// <summary>What an item of content is. The value is on disk.</summary>
internal enum ContentItemKind : byte
{
    Invalid = 0,
    Chunk = 1,
    Hole = 2,
    Run = 3,
}

/// <summary>A piece of content: a chunk, a hole, or one chunk several times in a row.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Id">The chunk; of a hole nothing.</param>
/// <param name="Length">Bytes of the chunk (at depth above 0: of what its list stands for), or of the hole.</param>
/// <param name="Repeats">How often the chunk follows itself, at least 1.</param>
internal readonly record struct ContentItem(ContentItemKind Kind, ChunkId Id, long Length, long Repeats)
{
    /// <summary>Of a chunk of a large file, where its writer computed one.</summary>
    public ChunkCheck Check { get; init; }

    public long TotalBytes => Length * Repeats;

    /// <summary>Whether both stand for the same bytes.</summary>
    public bool SameAs(in ContentItem other) => Id == other.Id && Kind == other.Kind && Length == other.Length && Repeats == other.Repeats;

    public static ContentItem Chunk(ChunkId id, long length) => new(ContentItemKind.Chunk, id, length, 1);

    public static ContentItem Hole(long length) => new(ContentItemKind.Hole, default, length, 1);
}

/// <summary>The content of a file, directory or list, in order. Layout: docs/formats/vault.md, "Trees".</summary>
/// <param name="Depth">0: items are chunks of content; k: items are chunk lists of depth k − 1.</param>
/// <param name="Items">In order.</param>
internal sealed record Content(int Depth, ContentItem[] Items)
{
    public const int MaxDepth = 4;

    /// <summary>Set in an item's kind byte where a check follows.</summary>
    private const byte CheckedFlag = 0x80;

    /// <summary>More items than this go to chunk lists.</summary>
    public const int MaxInlineItems = 512;

    /// <summary>No list holds more, nor does anything else.</summary>
    public const int MaxItems = 1024;

    /// <summary>Nothing at all.</summary>
    public static readonly Content Empty = new(0, []);

    public long TotalBytes
    {
        get
        {
            long total = 0;
            foreach (ContentItem item in Items) total = checked(total + item.TotalBytes);
            return total;
        }
    }

    public void Encode(ByteWriter writer)
    {
        writer.U8((byte)Depth);
        EncodeItems(writer, Items);
    }

    public static void EncodeItems(ByteWriter writer, ReadOnlySpan<ContentItem> items)
    {
        writer.Varint((ulong)items.Length);
        foreach (ContentItem item in items)
        {
            writer.U8((byte)((byte)item.Kind | (item.Check.IsNone ? 0 : CheckedFlag)));
            if (item.Kind != ContentItemKind.Hole) item.Id.Encode(writer.Take(ChunkId.Size));
            writer.Varint((ulong)item.Length);
            if (item.Kind == ContentItemKind.Run) writer.Varint((ulong)item.Repeats);
            if (item.Check.IsNone) continue;
            Span<byte> check = writer.Take(ChunkCheck.Size);
            BinaryPrimitives.WriteUInt64BigEndian(check, item.Check.High);
            BinaryPrimitives.WriteUInt64BigEndian(check[8..], item.Check.Low);
        }
    }

    public static Content Decode(ref ByteReader reader)
    {
        int depth = reader.U8();
        if (depth > MaxDepth) throw reader.Damage($"chunk lists {depth} deep, at most {MaxDepth} expected");
        return new Content(depth, DecodeItems(ref reader));
    }

    public static ContentItem[] DecodeItems(ref ByteReader reader)
    {
        int count = reader.Count(2, "items of content");
        if (count == 0) return [];
        if (count > MaxItems) throw reader.Damage($"{count} items of content, at most {MaxItems} expected");
        var items = new ContentItem[count];
        long total = 0;
        for (int i = 0; i < count; i++)
        {
            byte first = reader.U8();
            var kind = (ContentItemKind)(first & ~CheckedFlag);
            bool isChecked = (first & CheckedFlag) != 0;
            if (kind is not (ContentItemKind.Chunk or ContentItemKind.Hole or ContentItemKind.Run)
                || (isChecked && kind == ContentItemKind.Hole))
            {
                throw reader.Damage($"content item of kind {first}");
            }

            ChunkId id = kind == ContentItemKind.Hole ? default : ChunkId.Decode(reader.Bytes(ChunkId.Size));
            long length = reader.Varint(long.MaxValue, "length");
            long repeats = kind == ContentItemKind.Run ? reader.Varint(long.MaxValue, "repeats") : 1;
            if (length == 0 || repeats == 0 || length > (long.MaxValue - total) / repeats)
            {
                throw reader.Damage($"content item of {length} bytes, {repeats} times, behind {total}");
            }

            total += length * repeats;
            ChunkCheck check = isChecked
                ? new ChunkCheck(BinaryPrimitives.ReadUInt64BigEndian(reader.Bytes(8)), BinaryPrimitives.ReadUInt64BigEndian(reader.Bytes(8)))
                : default;
            items[i] = new ContentItem(kind, id, length, repeats) { Check = check };
        }

        return items;
    }

    /// <summary>Whether both are the same bytes, as far as equal cuts tell.</summary>
    public bool SameAs(Content other)
    {
        if (Depth != other.Depth || Items.Length != other.Items.Length) return false;
        for (int i = 0; i < Items.Length; i++)
        {
            if (!Items[i].SameAs(other.Items[i])) return false;
        }

        return true;
    }
}
