using System.Buffers.Binary;

namespace Holdfast.Vault.Tests.Fuzzing;

/// <summary>Changes valid encodings as a flipped bit, a torn write or an enemy would.</summary>
internal static class Mutator
{
    private static readonly uint[] Lengths =
        [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF];

    /// <summary>A copy with one to five changes.</summary>
    /// <param name="random">Chooses them.</param>
    /// <param name="source">What is changed.</param>
    /// <param name="donor">Another encoding of the same kind, from which pieces are taken.</param>
    public static byte[] Mutate(Random random, byte[] source, byte[] donor)
    {
        byte[] bytes = [.. source];
        for (int n = random.Next(1, 6); n > 0; n--) bytes = MutateOnce(random, bytes, donor);
        return bytes;
    }

    private static byte[] MutateOnce(Random random, byte[] bytes, byte[] donor)
    {
        int at = random.Next(bytes.Length + 1);
        int length = Math.Min(bytes.Length - at, 1 << random.Next(7));
        switch (random.Next(12))
        {
            case 0:
                return bytes[..at];
            case 1:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 2:
                return [.. bytes[..at], .. TestKeys.Random(random, random.Next(1, 64)), .. bytes[at..]];
            case 3:
                return [.. bytes[..at], .. bytes[at..(at + length)], .. bytes[at..]];
            case 4:
                int from = random.Next(donor.Length + 1);
                return [.. bytes[..at], .. donor[from..Math.Min(donor.Length, from + (1 << random.Next(10)))], .. bytes[(at + length)..]];
            case 5:
                // The largest number that a varint can tell, and one beyond.
                return [.. bytes[..at], .. Enumerable.Repeat((byte)0xFF, 9), (byte)random.Next(1, 3), .. bytes[(at + Math.Min(length, 10))..]];
            case 6:
                // A varint of any size in place of one byte.
                return [.. bytes[..at], .. Enumerable.Repeat((byte)0xFF, random.Next(9)), 0x7F, .. bytes[Math.Min(at + 1, bytes.Length)..]];
            case 7 when bytes.Length >= 4:
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(random.Next(bytes.Length - 3)), Lengths[random.Next(Lengths.Length)]);
                return bytes;
            case 8 when bytes.Length >= 8:
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(random.Next(bytes.Length - 7)), (ulong)random.NextInt64() >> random.Next(64));
                return bytes;
            case 9:
                bytes.AsSpan(at, length).Clear();
                return bytes;
            case 10 when at < bytes.Length:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            default:
                if (at < bytes.Length) bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
        }
    }
}
