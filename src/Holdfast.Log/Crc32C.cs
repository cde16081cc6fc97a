using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Holdfast.Log;

/// <summary>CRC-32C (Castagnoli, as in iSCSI, RFC 3720 appendix B.4).</summary>
/// <remarks>By the processor's instruction where it has one.</remarks>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="source"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> source) => Append(0, source);

    /// <summary>The checksum of what <paramref name="crc"/> covers followed by <paramref name="source"/>.</summary>
    /// <param name="crc">Result of an earlier call; 0 for nothing.</param>
    /// <param name="source">The bytes that follow.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> source)
    {
        uint state = ~crc;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(source);
        foreach (ulong word in words)
        {
            state = BitOperations.Crc32C(
                state, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }

        foreach (byte rest in source[(words.Length * sizeof(ulong))..])
        {
            state = BitOperations.Crc32C(state, rest);
        }

        return ~state;
    }
}
