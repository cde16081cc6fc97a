using System.Buffers.Binary;

namespace Holdfast.Vault.Indexing;

/// <summary>Where a chunk lies, as an index object says it. Layout: docs/formats/vault.md, "Index".</summary>
/// <param name="IdHigh">The first 8 bytes of the chunk's id.</param>
/// <param name="IdLow">The 4 bytes behind.</param>
/// <param name="Pack">Place of the pack in the object's pack table.</param>
/// <param name="Ordinal">The chunk's place in the pack.</param>
internal readonly record struct IndexEntry(ulong IdHigh, uint IdLow, uint Pack, ushort Ordinal) : IComparable<IndexEntry>
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 18;

    public static IndexEntry Decode(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt32BigEndian(source[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[12..]), BinaryPrimitives.ReadUInt16LittleEndian(source[16..]));

    public void Encode(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, IdHigh);
        BinaryPrimitives.WriteUInt32BigEndian(target[8..], IdLow);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Pack);
        BinaryPrimitives.WriteUInt16LittleEndian(target[16..], Ordinal);
    }

    /// <summary>By the id alone.</summary>
    public int CompareTo(IndexEntry other)
    {
        int byHigh = IdHigh.CompareTo(other.IdHigh);
        return byHigh != 0 ? byHigh : IdLow.CompareTo(other.IdLow);
    }
}
