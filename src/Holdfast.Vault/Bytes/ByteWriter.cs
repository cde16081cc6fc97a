using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Holdfast.Vault.Bytes;

/// <summary>Appends fixed-width little-endian numbers, varints and byte strings to a buffer that grows.</summary>
internal sealed class ByteWriter(int capacity = 256)
{
    private byte[] buffer = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => buffer.AsMemory(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Clears what was written from memory too: it held keys.</summary>
    public void Wipe()
    {
        CryptographicOperations.ZeroMemory(buffer);
        Length = 0;
    }

    /// <summary>Room for <paramref name="bytes"/> more, which count as written; the caller fills them at once.</summary>
    public Span<byte> Take(int bytes)
    {
        if (Length + bytes > buffer.Length) Array.Resize(ref buffer, Math.Max(buffer.Length * 2, Length + bytes));
        Span<byte> taken = buffer.AsSpan(Length, bytes);
        Length += bytes;
        return taken;
    }

    public void U8(byte value) => Take(1)[0] = value;

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void Varint(ulong value)
    {
        Span<byte> target = Take(10);
        int length = 0;
        while (value >= 0x80)
        {
            target[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[length++] = (byte)value;
        Length -= 10 - length;
    }

    public void SignedVarint(long value) => Varint(((ulong)value << 1) ^ (ulong)(value >> 63));

    public void ByteString(ReadOnlySpan<byte> value)
    {
        Varint((ulong)value.Length);
        Bytes(value);
    }

    public void Text(string value) => ByteString(Encoding.UTF8.GetBytes(value));

    public byte[] ToArray() => Written.ToArray();
}
