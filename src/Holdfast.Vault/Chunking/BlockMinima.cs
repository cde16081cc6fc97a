using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Holdfast.Vault.Chunking;

/// <summary>The smallest hash of each block of positions: the part of cutting that looks at every byte.</summary>
/// <remarks>
/// The hash of a position is ((W × K) mod 2⁶⁴ >> 32) xor C, W the 8 bytes before it (docs/formats/vault.md, "Where a file
/// is cut"). All ways to compute it give the same; <see cref="Find"/> takes the fastest that this processor has.
/// </remarks>
internal static class BlockMinima
{
    /// <summary>Positions in a block.</summary>
    public const int Positions = 128;

    /// <summary>Bytes before a position that its hash is of.</summary>
    public const int WindowBytes = 8;

    /// <summary>Fills <paramref name="minima"/> with the smallest hash of each block.</summary>
    /// <param name="content">From 8 bytes before the first position of the first block to the last position of the last.</param>
    /// <param name="key">K: the multiplier.</param>
    /// <param name="mask">C: what the products are xored with.</param>
    /// <param name="minima">One for each block.</param>
    public static void Find(ReadOnlySpan<byte> content, ulong key, uint mask, Span<uint> minima)
    {
        // These are constants to the compiler: what remains is one call.
        if (Vector512.IsHardwareAccelerated && Avx512DQ.IsSupported) FindBy512(content, key, mask, minima);
        else if (Avx2.IsSupported) FindBy256(content, key, mask, minima);
        else FindScalar(content, key, mask, minima);
    }

    /// <summary>The hash of the position that <paramref name="window"/> lies before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(ref byte window, ulong key, uint mask)
    {
        ulong bytes = Unsafe.ReadUnaligned<ulong>(ref window);
        if (!BitConverter.IsLittleEndian) bytes = BinaryPrimitives.ReverseEndianness(bytes);
        return (uint)((bytes * key) >> 32) ^ mask;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FindScalar(ReadOnlySpan<byte> content, ulong key, uint mask, Span<uint> minima)
    {
        ref byte window = ref FirstWindow(content, minima.Length);
        for (int block = 0; block < minima.Length; block++)
        {
            uint smallest = uint.MaxValue;
            for (int i = 0; i < Positions; i++) smallest = Math.Min(smallest, Hash(ref Unsafe.Add(ref window, i), key, mask));
            minima[block] = smallest;
            window = ref Unsafe.Add(ref window, Positions);
        }
    }

    /// <summary>Eight positions at a time, four apart: each lane is the low half of one window and the high half of another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FindBy256(ReadOnlySpan<byte> content, ulong key, uint mask, Span<uint> minima)
    {
        ref byte window = ref FirstWindow(content, minima.Length);
        Vector256<uint> low = Vector256.Create((uint)key), high = Vector256.Create((uint)(key >> 32));
        Vector256<uint> masks = Vector256.Create(mask);
        for (int block = 0; block < minima.Length; block++)
        {
            Vector256<uint> smallest = Vector256<uint>.AllBitsSet;
            for (int i = 0; i < Positions; i += Vector256<byte>.Count)
            {
                smallest = Vector256.Min(smallest, Hash8(ref Unsafe.Add(ref window, i), low, high, masks));
                smallest = Vector256.Min(smallest, Hash8(ref Unsafe.Add(ref window, i + 1), low, high, masks));
                smallest = Vector256.Min(smallest, Hash8(ref Unsafe.Add(ref window, i + 2), low, high, masks));
                smallest = Vector256.Min(smallest, Hash8(ref Unsafe.Add(ref window, i + 3), low, high, masks));
            }

            minima[block] = Smallest(Vector128.Min(smallest.GetLower(), smallest.GetUpper()));
            window = ref Unsafe.Add(ref window, Positions);
        }
    }

    /// <summary>
    /// Eight positions at a time, eight apart: the smallest of the whole products, the mask in their upper half, has the
    /// smallest hash in its upper half.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FindBy512(ReadOnlySpan<byte> content, ulong key, uint mask, Span<uint> minima)
    {
        ref byte window = ref FirstWindow(content, minima.Length);
        Vector512<ulong> keys = Vector512.Create(key), masks = Vector512.Create((ulong)mask << 32);
        for (int block = 0; block < minima.Length; block++)
        {
            Vector512<ulong> even = Vector512<ulong>.AllBitsSet, odd = Vector512<ulong>.AllBitsSet;
            for (int i = 0; i < Positions; i += Vector512<byte>.Count)
            {
                for (int offset = 0; offset < sizeof(ulong); offset += 2)
                {
                    ref byte at = ref Unsafe.Add(ref window, i + offset);
                    even = Vector512.Min(even, (Vector512.LoadUnsafe(ref at).AsUInt64() * keys) ^ masks);
                    odd = Vector512.Min(odd, (Vector512.LoadUnsafe(ref at, 1).AsUInt64() * keys) ^ masks);
                }
            }

            even = Vector512.Min(even, odd);
            Vector256<ulong> four = Vector256.Min(even.GetLower(), even.GetUpper());
            Vector128<ulong> two = Vector128.Min(four.GetLower(), four.GetUpper());
            minima[block] = (uint)(Math.Min(two[0], two[1]) >> 32);
            window = ref Unsafe.Add(ref window, Positions);
        }
    }

    /// <summary>The smallest of the numbers.</summary>
    public static uint Smallest(ReadOnlySpan<uint> values)
    {
        uint smallest = uint.MaxValue;
        int i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            Vector128<uint> lanes = Vector128<uint>.AllBitsSet;
            for (; i + Vector128<uint>.Count <= values.Length; i += Vector128<uint>.Count)
            {
                lanes = Vector128.Min(lanes, Vector128.Create(values[i..]));
            }

            smallest = Smallest(lanes);
        }

        for (; i < values.Length; i++) smallest = Math.Min(smallest, values[i]);
        return smallest;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Hash8(ref byte at, Vector256<uint> low, Vector256<uint> high, Vector256<uint> masks)
    {
        Vector256<uint> lower = Vector256.LoadUnsafe(ref at).AsUInt32();
        Vector256<uint> upper = Vector256.LoadUnsafe(ref at, sizeof(uint)).AsUInt32();

        // Upper halves of lower × low: the multiplication takes every other lane, and those it leaves out are the lanes
        // that it takes of the upper ones.
        Vector256<uint> even = Vector256.ShiftRightLogical(Avx2.Multiply(lower, low), 32).AsUInt32();
        Vector256<uint> odd = Avx2.Multiply(upper, low).AsUInt32();
        Vector256<uint> carried = Avx2.Blend(even, odd, 0b1010_1010);
        return (carried + (lower * high) + (upper * low)) ^ masks;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Smallest(Vector128<uint> lanes)
    {
        lanes = Vector128.Min(lanes, Vector128.Shuffle(lanes, Vector128.Create(2u, 3, 0, 1)));
        return Math.Min(lanes[0], lanes[1]);
    }

    private static ref byte FirstWindow(ReadOnlySpan<byte> content, int blocks)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(content.Length, (blocks * Positions) + WindowBytes - 1);
        return ref MemoryMarshal.GetReference(content);
    }
}
