using System.Buffers.Binary;

namespace Holdfast.Benchmarks.KeyValue;

/// <summary>Random keys of 16 bytes and values, made again from their index alone.</summary>
/// <remarks>Keys of different indexes differ. A value is a piece of one random megabyte, which stays in the cache.</remarks>
internal sealed class Dataset
{
    public const int KeyBytes = 16;

    private const int PoolBytes = 1 << 20;
    private const int Seed = 1;
    private readonly byte[] pool;
    private readonly int valueBytes;

    public Dataset(int valueBytes)
    {
        this.valueBytes = valueBytes;
        pool = new byte[PoolBytes + valueBytes];
        new Random(Seed).NextBytes(pool);
    }

    public static void WriteKey(long index, Span<byte> key)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(key, Mix((ulong)index));
        BinaryPrimitives.WriteUInt64LittleEndian(key[8..], Mix(~(ulong)index));
    }

    public ReadOnlySpan<byte> Value(long index) => pool.AsSpan((int)(Mix((ulong)index + 1) % PoolBytes), valueBytes);

    /// The indexes from 0 on in a random order.
    public static int[] Shuffled(int count)
    {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) order[i] = i;
        new Random(Seed).Shuffle(order);
        return order;
    }

    // The finalizer of SplitMix64, which is a bijection.
    private static ulong Mix(ulong value)
    {
        value += 0x9E37_79B9_7F4A_7C15;
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}
