using System.Buffers.Binary;

namespace Holdfast.Databases.RocksDb;

/// <summary>Reads RocksDB's encodings from bytes that may be anything: each method returns false where they end too soon.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> source)
{
    private readonly ReadOnlySpan<byte> source = source;

    /// <summary>Where the next read begins.</summary>
    public int Offset { get; private set; }

    public readonly bool IsAtEnd => Offset == source.Length;

    /// <summary>Seven bits a byte, the low ones first; at most 10 bytes.</summary>
    public bool TryVarint(out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64 && Offset < source.Length; shift += 7)
        {
            byte next = source[Offset++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return true;
        }

        return false;
    }

    public bool TryBytes(ulong count, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (count > (ulong)(source.Length - Offset)) return false;
        bytes = source.Slice(Offset, (int)count);
        Offset += (int)count;
        return true;
    }

    /// <summary>A length and as many bytes.</summary>
    public bool TryPrefixed(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        return TryVarint(out ulong length) && TryBytes(length, out bytes);
    }

    public bool TryFixed32(out uint value)
    {
        value = 0;
        if (!TryBytes(sizeof(uint), out ReadOnlySpan<byte> bytes)) return false;
        value = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return true;
    }

    public bool TryFixed64(out ulong value)
    {
        value = 0;
        if (!TryBytes(sizeof(ulong), out ReadOnlySpan<byte> bytes)) return false;
        value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return true;
    }
}
