using System.Buffers.Binary;

namespace Holdfast.Log;

/// <summary>Names a log among all others: 16 random bytes, in the header of each of its segments.</summary>
/// <param name="High">The first eight bytes, little-endian.</param>
/// <param name="Low">The last eight bytes, little-endian.</param>
public readonly record struct LogId(ulong High, ulong Low)
{
    /// <summary>Encoded size, bytes.</summary>
    public const int Size = 16;

    /// <summary>Writes the 16 bytes.</summary>
    public void Encode(Span<byte> target)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(target, High);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], Low);
    }

    /// <summary>Reads the 16 bytes.</summary>
    public static LogId Decode(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[8..]));

    /// <summary>The 16 bytes as 32 hex digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        Encode(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    internal static LogId Draw(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        return Decode(bytes);
    }
}
