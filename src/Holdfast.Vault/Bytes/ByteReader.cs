using System.Buffers.Binary;
using System.Text;

namespace Holdfast.Vault.Bytes;

/// <summary>Reads what <see cref="ByteWriter"/> writes; every length is checked before it is believed.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> source, string thing)
{
    private readonly ReadOnlySpan<byte> source = source;
    private readonly string thing = thing;
    private int position;

    public readonly int Remaining => source.Length - position;

    public readonly bool AtEnd => position == source.Length;

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if ((uint)count > (uint)Remaining) throw Damage($"{count} bytes wanted, {Remaining} left");
        ReadOnlySpan<byte> taken = source.Slice(position, count);
        position += count;
        return taken;
    }

    public byte U8() => Bytes(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    public ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = U8();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                if (shift == 63 && part > 1) break;
                return value;
            }
        }

        throw Damage("number longer than 64 bits");
    }

    public long SignedVarint()
    {
        ulong value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>A varint of at most <paramref name="max"/>.</summary>
    public long Varint(long max, string what)
    {
        ulong value = Varint();
        if (value > (ulong)max) throw Damage($"{what} {value}, at most {max} expected");
        return (long)value;
    }

    /// <summary>How many items follow, each of at least <paramref name="minBytes"/>.</summary>
    public int Count(int minBytes, string what)
    {
        ulong value = Varint();
        if (value > (ulong)(Remaining / minBytes)) throw Damage($"{value} {what} in {Remaining} bytes");
        return (int)value;
    }

    public ReadOnlySpan<byte> ByteString() => Bytes(Count(1, "bytes"));

    public string Text() => Encoding.UTF8.GetString(ByteString());

    public readonly void ExpectEnd()
    {
        if (!AtEnd) throw Damage($"{Remaining} bytes left over");
    }

    public readonly DamageException Damage(string what) => new(thing, $"byte {position}: {what}");
}
