using System.Buffers.Binary;
using System.Globalization;

namespace Holdfast.Vault.Chunking;

/// <summary>The name of a chunk: the keyed hash of its content (docs/formats/vault.md, "Packs").</summary>
/// <remarks>The four words are the 32 bytes in big-endian order, so that words compare as the bytes do.</remarks>
internal readonly record struct ChunkId(ulong W0, ulong W1, ulong W2, ulong W3)
{
    /// <summary>Encoded size in bytes.</summary>
    public const int Size = 32;

    public static ChunkId Decode(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64BigEndian(source),
        BinaryPrimitives.ReadUInt64BigEndian(source[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(source[16..]),
        BinaryPrimitives.ReadUInt64BigEndian(source[24..]));

    public void Encode(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, W0);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], W1);
        BinaryPrimitives.WriteUInt64BigEndian(target[16..], W2);
        BinaryPrimitives.WriteUInt64BigEndian(target[24..], W3);
    }

    // The id is a keyed hash already: any of its words is one.
    public override int GetHashCode() => (int)W3;

    public override string ToString() =>
        W0.ToString("x16", CultureInfo.InvariantCulture) + W1.ToString("x16", CultureInfo.InvariantCulture)
        + W2.ToString("x16", CultureInfo.InvariantCulture) + W3.ToString("x16", CultureInfo.InvariantCulture);
}
