using System.Buffers.Binary;

namespace Holdfast.Storage.Sftp;

/// <summary>Reads what a packet says. Nothing is believed: each length is held against what is left.</summary>
internal ref struct SftpReader(ReadOnlySpan<byte> rest)
{
    private ReadOnlySpan<byte> rest = rest;

    public readonly bool IsAtEnd => rest.IsEmpty;

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(ulong)));

    /// <summary>Bytes with their count before them.</summary>
    public ReadOnlySpan<byte> Text() => Take(UInt32());

    public void Skip(int count) => Take((uint)count);

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)rest.Length) throw new InvalidDataException($"a packet ends {count - (uint)rest.Length} bytes too soon");
        ReadOnlySpan<byte> taken = rest[..(int)count];
        rest = rest[(int)count..];
        return taken;
    }
}
